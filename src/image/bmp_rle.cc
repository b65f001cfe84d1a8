#include "image/bmp_rle.h"

#include <algorithm>

#include "base/error.h"

namespace openclip {
namespace {

class RleReader {
 public:
  RleReader(const DecodeInput& input, const BmpHeader& header)
      : bytes_(input.bytes),
        position_(std::min(header.pixel_offset, input.bytes.size())),
        width_(static_cast<size_t>(header.width)),
        total_(width_ * static_cast<size_t>(header.height)),
        nibbles_(header.packing == BmpPacking::rle4) {
    // Grows with the data, so that a small file cannot take the memory of a large picture.
    indices_.reserve(std::min(total_, 64 * bytes_.size()));
  }

  std::vector<uint8_t> read(const std::string& source) {
    while (indices_.size() < total_ && left() >= 2 && step()) {
    }
    if (indices_.size() < total_) throw ParseError(source, "truncated BMP: too few pixels");
    indices_.resize(total_);
    return std::move(indices_);
  }

 private:
  size_t left() const { return bytes_.size() - position_; }
  uint8_t next() { return bytes_[position_++]; }

  // One command of two bytes and what belongs to it; false ends the picture.
  bool step() {
    const size_t count = next();
    const uint8_t value = next();
    if (count > 0) {
      run(count, value);
      return true;
    }
    switch (value) {
      case 0:  // end of row
        indices_.resize((indices_.size() + width_ - 1) / width_ * width_);
        column_ = 0;
        return true;
      case 1:  // end of picture
        return false;
      case 2:
        return skip();
      default:
        return literal(value);
    }
  }

  void run(size_t count, uint8_t value) {
    count = std::min(count, column_ < width_ ? width_ - column_ : 0);
    for (size_t i = 0; i < count; ++i) {
      indices_.push_back(!nibbles_ ? value : i % 2 == 0 ? value >> 4 : value & 15);
    }
    column_ += count;
  }

  bool skip() {
    if (left() < 2) return false;
    const size_t right = next();
    const size_t up = next();
    indices_.resize(std::min(total_, indices_.size() + right + up * width_));
    column_ = indices_.size() % width_;
    return true;
  }

  bool literal(size_t count) {
    const size_t wanted = std::min(count, total_ - indices_.size());
    const size_t bytes = nibbles_ ? (wanted + 1) / 2 : wanted;
    const size_t available = std::min(bytes, left());
    for (size_t i = 0; i < available; ++i) {
      const uint8_t value = next();
      if (!nibbles_) {
        indices_.push_back(value);
        continue;
      }
      indices_.push_back(value >> 4);
      if (2 * i + 1 < wanted) indices_.push_back(value & 15);
    }
    column_ += count;
    if (position_ % 2 != 0 && left() > 0) ++position_;  // literals end on an even place
    return available == bytes;
  }

  std::span<const uint8_t> bytes_;
  size_t position_;
  const size_t width_;
  const size_t total_;
  const bool nibbles_;
  size_t column_ = 0;
  std::vector<uint8_t> indices_;
};

}  // namespace

std::vector<uint8_t> read_bmp_rle(const DecodeInput& input, const BmpHeader& header) {
  return RleReader(input, header).read(input.source);
}

}  // namespace openclip
