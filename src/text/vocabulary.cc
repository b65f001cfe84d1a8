#include "text/vocabulary.h"

#include <filesystem>
#include <vector>

#include "base/environment.h"
#include "base/error.h"
#include "text/clip_tokenizer.h"

namespace openclip {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFileName = "bpe_simple_vocab_16e6.txt.gz";

}  // namespace

std::string find_clip_vocabulary() {
  if (const std::string file = environment("OPENCLIP_VOCAB"); !file.empty()) {
    if (fs::exists(file)) return file;
    throw NotFound(fmt::format("{}: no such file; OPENCLIP_VOCAB must name {}", file, kFileName));
  }
  std::error_code ec;
  const fs::path cached = fs::path(cache_folder()) / kFileName;
  const fs::path beside = fs::read_symlink("/proc/self/exe", ec).parent_path() / kFileName;
  for (const fs::path& place : {cached, beside})
    if (fs::exists(place, ec)) return place.string();
  throw NotFound(
      fmt::format("{}: CLIP's vocabulary is not there; run tools/setup/fetch_vocab.sh, or copy {} "
                  "from the Python package open_clip_torch there, or set OPENCLIP_VOCAB to it",
                  cached.string(), kFileName));
}

std::unique_ptr<const Tokenizer> open_clip_vocabulary(int context_length) {
  return ClipTokenizer::open(find_clip_vocabulary(), context_length);
}

}  // namespace openclip
