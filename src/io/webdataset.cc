#include "io/webdataset.h"

#include <fmt/format.h>

#include "base/error.h"

namespace openclip {
namespace {

bool is_meta_part(std::string_view part) {
  return part.size() >= 4 && part.starts_with("__") && part.ends_with("__");
}

TarOptions with_split(TarOptions options) {
  options.wants = [wants = std::move(options.wants)](std::string_view name) {
    return split_webdataset_name(name).has_value() && (!wants || wants(name));
  };
  return options;
}

}  // namespace

std::optional<std::pair<std::string, std::string>> split_webdataset_name(std::string_view name) {
  size_t base = 0;
  while (true) {
    const size_t slash = name.find('/', base);
    if (is_meta_part(name.substr(base, slash - base))) return std::nullopt;
    if (slash == std::string_view::npos) break;
    base = slash + 1;
  }
  const size_t dot = name.find('.', base);
  if (dot == std::string_view::npos || dot == base) return std::nullopt;
  std::string extension(name.substr(dot + 1));
  for (char& c : extension)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return std::pair(std::string(name.substr(0, dot)), std::move(extension));
}

WebdatasetReader::WebdatasetReader(const std::string& path, TarOptions options)
    : tar_(path, with_split(options)), report_(std::move(options.report)) {}

WebdatasetReader::WebdatasetReader(const std::string& source, std::span<const uint8_t> archive,
                                   TarOptions options)
    : tar_(source, archive, with_split(options)), report_(std::move(options.report)) {}

std::optional<TarMember> WebdatasetReader::next_member() {
  if (cut_off_) return std::nullopt;
  try {
    return tar_.next();
  } catch (const ParseError& error) {
    cut_off_ = true;
    if (report_) report_(fmt::format("{}; the rest of the shard is skipped", error.what()));
    return std::nullopt;
  }
}

std::optional<WebdatasetSample> WebdatasetReader::next() {
  while (std::optional<TarMember> member = next_member()) {
    auto [key, extension] = *split_webdataset_name(member->name);
    std::optional<WebdatasetSample> done;
    if (pending_ && pending_->key != key) {
      done = std::move(pending_);
      pending_.reset();
    }
    if (!pending_) pending_.emplace(WebdatasetSample{std::move(key), {}});
    const bool is_new =
        pending_->parts.try_emplace(std::move(extension), std::move(member->bytes)).second;
    if (!is_new && report_)
      report_(fmt::format("member '{}': its sample has that part already; skipped", member->name));
    if (done) return done;
  }
  std::optional<WebdatasetSample> last = std::move(pending_);
  pending_.reset();
  return last;
}

}  // namespace openclip
