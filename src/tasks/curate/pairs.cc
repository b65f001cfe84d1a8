#include "tasks/curate/pairs.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "image/convert.h"
#include "io/json.h"
#include "tasks/prepare_picture.h"

namespace openclip {
namespace {

const std::vector<uint8_t>* first_part(const WebdatasetSample& sample, std::string_view keys) {
  while (!keys.empty()) {
    const size_t end = std::min(keys.find(';'), keys.size());
    const auto part = sample.parts.find(std::string(keys.substr(0, end)));
    if (part != sample.parts.end()) return &part->second;
    keys.remove_prefix(std::min(end + 1, keys.size()));
  }
  return nullptr;
}

// The sample's metadata (img2dataset's .json); null where there is none or it is damaged, which
// is no reason to lose the pair.
Json metadata(const WebdatasetSample& sample) {
  const auto part = sample.parts.find("json");
  if (part == sample.parts.end()) return {};
  try {
    return parse_json(sample.key, as_text(part->second));
  } catch (const ParseError&) {
    return {};
  }
}

std::optional<double> number_of(const Json& json, const char* key) {
  const Json* value = json_find(json, key);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  return value->get<double>();
}

std::string caption_of(const WebdatasetSample& sample, const Json& json, const std::string& key) {
  if (const auto* part = first_part(sample, key)) return std::string(trimmed(as_text(*part)));
  const Json* caption = json_find(json, "caption");
  if (caption == nullptr || !caption->is_string()) return {};
  return std::string(trimmed(caption->get_ref<const std::string&>()));
}

CuratePair prepare(WebdatasetSample sample, const CurateRequest& request,
                   const PreprocessConfig& config) {
  CuratePair pair;
  CurateRow& row = pair.row;
  row.key = sample.key;
  const Json json = metadata(sample);
  row.caption = caption_of(sample, json, request.text_key);
  row.watermark = number_of(json, "pwatermark");
  row.unsafe = number_of(json, "punsafe");
  if (const auto* bytes = first_part(sample, request.image_key)) {
    row.bytes = static_cast<int64_t>(bytes->size());
    pair.problem = picture_problem(sample.key, [&] {
      const Image image = convert_to_rgb(decode_image(*bytes, sample.key));
      row.width = image.width;
      row.height = image.height;
      if (row.caption.empty())
        row.reason = "no_caption";
      else
        row.reason = broken_plain_rule(request.rules, row);
      if (row.reason.empty()) pair.pixels = tower_pixels(image, config);
    });
    if (!pair.problem.empty()) row.reason = "no_picture";
  } else {
    row.reason = "no_picture";
  }
  pair.sample = std::move(sample);
  return pair;
}

}  // namespace

PairStream::PairStream(const Context& context, const std::string& shard,
                       const CurateRequest& request, const PreprocessConfig& config,
                       std::function<void(const std::string& problem)> on_problem)
    : reader_(shard, {.wants = {}, .report = std::move(on_problem)}),
      prefetch_(
          context.threads(), 2 * request.batch, [this] { return reader_.next(); },
          [&request, config](WebdatasetSample sample) {
            return prepare(std::move(sample), request, config);
          }) {}

}  // namespace openclip
