// The pictures that a list of files, folders and tar archives stands for. Rank 5.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace openclip {

/// A file of more bytes is not read as a picture.
inline constexpr size_t kMaxImageBytes = size_t{256} << 20;

/// One picture, not read yet unless it comes out of an archive.
struct ImageRef {
  std::string name;            // path, or ARCHIVE/MEMBER
  std::string archive;         // path of the tar, empty for files
  std::string member;          // its name in the tar
  std::vector<uint8_t> bytes;  // of a member; a file's bytes are read by load_image_bytes
  std::string problem;         // set instead of a picture: one line for the user
};

/// Lists pictures in the order of the inputs: a folder's (all below it) sorted by path, an
/// archive's in its own order, both by the extensions of picture files; a file named by itself is
/// taken as it is. What cannot be listed becomes an ImageRef with a problem. Not thread-safe.
class ImageSource {
 public:
  explicit ImageSource(std::vector<std::string> inputs);
  ~ImageSource();
  std::optional<ImageRef> next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Whether the name ends like a picture's (.jpg, .png, …; any case).
bool has_image_extension(std::string_view name);

/// Whether the name ends like a tar archive's (.tar, .tar.gz, .tgz, .tar.zst; any case).
bool is_archive_name(std::string_view name);

/// The picture file's bytes, moved out of an archive's ref. Throws: errors of reading, NotFound.
std::vector<uint8_t> load_image_bytes(ImageRef& ref);

}  // namespace openclip
