#include "io/digest.h"

#include <fmt/format.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>

#include <algorithm>
#include <array>

#include "base/mapped_file.h"

namespace openclip {
namespace {

constexpr size_t kPiece = size_t{8} << 20;

template <class Update>
void update_all(const MappedFile& file, const DigestTick& tick, Update update) {
  for (auto rest = file.bytes(); !rest.empty();) {
    const size_t size = std::min(rest.size(), kPiece);
    update(size, rest.data());
    rest = rest.subspan(size);
    if (tick) tick();
  }
}

template <size_t N>
std::string hex(const std::array<uint8_t, N>& bytes) {
  std::string text;
  for (const uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace

std::string file_sha256(const std::string& path, const DigestTick& tick) {
  const MappedFile file(path);
  sha256_ctx context;
  sha256_init(&context);
  update_all(file, tick,
             [&](size_t size, const uint8_t* data) { sha256_update(&context, size, data); });
  std::array<uint8_t, SHA256_DIGEST_SIZE> digest;
  sha256_digest(&context, digest.size(), digest.data());
  return hex(digest);
}

std::string bytes_sha256(std::span<const uint8_t> bytes) {
  sha256_ctx context;
  sha256_init(&context);
  sha256_update(&context, bytes.size(), bytes.data());
  std::array<uint8_t, SHA256_DIGEST_SIZE> digest;
  sha256_digest(&context, digest.size(), digest.data());
  return hex(digest);
}

std::string file_git_sha1(const std::string& path, const DigestTick& tick) {
  const MappedFile file(path);
  sha1_ctx context;
  sha1_init(&context);
  const std::string header = fmt::format("blob {}", file.bytes().size());
  sha1_update(&context, header.size() + 1, reinterpret_cast<const uint8_t*>(header.c_str()));
  update_all(file, tick,
             [&](size_t size, const uint8_t* data) { sha1_update(&context, size, data); });
  std::array<uint8_t, SHA1_DIGEST_SIZE> digest;
  sha1_digest(&context, digest.size(), digest.data());
  return hex(digest);
}

}  // namespace openclip
