// The directory of a zip archive in memory. Rank 3.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

namespace openclip {

/// One file of an archive. `data` is its content where it is stored; of a compressed one it is the
/// compressed form, which this reader does not unpack.
struct ZipEntry {
  bool is_stored = true;
  std::span<const uint8_t> data;
};

/// Names and places of all files, from the central directory (zip64 too).
/// Refused with ParseError: archives that are cut off, span several disks or are encrypted; entries
/// that leave the archive, overlap, repeat a name, differ between directory and local header, or
/// whose name is absolute, climbs with "..", is longer than 4096 bytes or holds control characters.
/// Checksums are not compared: PyTorch can be told to leave them out, and to compute them every
/// byte of every tensor would have to be read.
std::map<std::string, ZipEntry> parse_zip(const std::string& source, std::span<const uint8_t> file);

}  // namespace openclip
