#include "text/gzip.h"

#include <zlib.h>

#include <memory>

#include "base/error.h"
#include "base/file.h"

namespace openclip {

std::string read_maybe_gzip(const std::string& path, size_t max_bytes) {
  std::string packed = read_text_file(path, max_bytes);
  if (!packed.starts_with("\x1f\x8b")) return packed;
  z_stream stream{};
  constexpr int kGzip = 16 + MAX_WBITS;
  if (inflateInit2(&stream, kGzip) != Z_OK) throw Internal("[gzip] zlib gave no reader");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> owner(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string text;
  char chunk[1 << 16];
  int result = Z_OK;
  while (result == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(chunk);
    stream.avail_out = sizeof chunk;
    result = inflate(&stream, Z_NO_FLUSH);
    text.append(chunk, sizeof chunk - stream.avail_out);
    if (text.size() > max_bytes)
      throw ParseError(path, fmt::format("unpacks to more than {} bytes", max_bytes));
  }
  if (result != Z_STREAM_END) throw ParseError(path, "damaged gzip data");
  return text;
}

}  // namespace openclip
