// The picture files of an index's items. Rank 6.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "index/index.h"
#include "serve/api/backend.h"

namespace openclip {

/// A picture file, or a smaller one made of it.
struct PictureFile {
  std::vector<uint8_t> bytes;
  std::string type;  // "image/png"
};

/// Reads the picture of an item: a file, or a member of a tar archive. What the file is, its first
/// bytes say: only pictures are given out, whatever the index names.
/// side: longer side in pixels of a smaller JPEG; 0, or a small file, gives the file itself.
/// Throws: NotFound for an item without a picture; errors of reading and decoding.
PictureFile item_picture(const Call& call, Engine& engine, const Item& item, int side);

}  // namespace openclip
