#include "data/sample.h"

#include "base/error.h"
#include "io/json.h"

namespace openclip::train {
namespace {

Captions read_captions(const std::string& source, const std::string& key, const Json& value) {
  Captions captions;
  const auto add = [&](const Json& item) {
    if (!item.is_string())
      throw ParseError(source, "'" + key + "' must be text or a list of texts");
    if (!item.get_ref<const std::string&>().empty()) captions.push_back(item.get<std::string>());
  };
  if (value.is_array())
    for (const Json& item : value) add(item);
  else
    add(value);
  return captions;
}

const std::string& pick(const Captions& captions, double first_probability, Random& random) {
  if (captions.size() == 1 || random.chance(first_probability)) return captions.front();
  return captions[1 + random.below(captions.size() - 1)];
}

}  // namespace

const std::string* choose_caption(const SampleText& text, const CaptionOptions& options,
                                  Random& random) {
  double total = 0;
  const Captions* first = nullptr;
  for (size_t i = 0; i < text.by_key.size(); ++i) {
    if (text.by_key[i].empty()) continue;
    if (first == nullptr) first = &text.by_key[i];
    if (i < options.probabilities.size()) total += options.probabilities[i];
  }
  if (first == nullptr) return nullptr;
  const Captions* chosen = first;
  if (total > 0) {
    double left = random.uniform() * total;
    for (size_t i = 0; i < text.by_key.size(); ++i) {
      if (text.by_key[i].empty() || options.probabilities[i] <= 0) continue;
      chosen = &text.by_key[i];
      left -= options.probabilities[i];
      if (left < 0) break;
    }
  }
  return &pick(*chosen, options.first_probability, random);
}

SampleText parse_sample_json(const std::string& source, const std::vector<uint8_t>& bytes,
                             const CaptionOptions& options) {
  const Json json = parse_json(
      source, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  SampleText text;
  for (const std::string& key : options.keys) {
    const Json* value = json_find(json, key);
    text.by_key.push_back(value == nullptr ? Captions{} : read_captions(source, key, *value));
  }
  if (!options.label_key.empty())
    text.label = json_get_or<int64_t>(source, json, options.label_key, -1);
  text.flip = json_get_or<bool>(source, json, "flip", false);
  text.recolour = json_get_or<bool>(source, json, "recolour", true);
  return text;
}

}  // namespace openclip::train
