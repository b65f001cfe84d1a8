#include "models/registry.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/nearest.h"

namespace openclip {

namespace embedded {
extern const std::string_view registry_json;
}

namespace {

using OrderedJson = nlohmann::ordered_json;  // tags keep open_clip's order

// Parsed on first use only: a program that loads a model from a folder never pays for it.
const OrderedJson& registry() {
  static const OrderedJson models = OrderedJson::parse(embedded::registry_json).at("models");
  return models;
}

const OrderedJson& find_model(std::string_view name) {
  const auto found = registry().find(canonical_model_name(name));
  if (found == registry().end()) throw NotFound(unknown_model_text(name));
  return *found;
}

PretrainedTag parse_tag(const std::string& name, const OrderedJson& json) {
  PretrainedTag tag;
  tag.tag = name;
  tag.hub_repo = json.value("hub", "");
  tag.hub_file = json.value("hub_file", "");
  tag.url = json.value("url", "");
  tag.quick_gelu = json.value("quick_gelu", false);
  tag.preprocess.mean = json.value("mean", tag.preprocess.mean);
  tag.preprocess.std = json.value("std", tag.preprocess.std);
  tag.preprocess.interpolation = json.value("interpolation", tag.preprocess.interpolation);
  tag.preprocess.resize_mode = json.value("resize_mode", tag.preprocess.resize_mode);
  return tag;
}

std::string canonical_tag(std::string_view tag) {
  std::string out(tag);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '-') c = '_';
  }
  return out;
}

}  // namespace

const std::vector<std::string>& registry_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, model] : registry().items()) all.push_back(name);
    std::sort(all.begin(), all.end());
    return all;
  }();
  return names;
}

std::string canonical_model_name(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '/', '-');
  return out;
}

bool registry_has(std::string_view name) { return registry().contains(canonical_model_name(name)); }

ModelConfig registry_config(std::string_view name) {
  const std::string canonical = canonical_model_name(name);
  return parse_model_config(find_model(name).at("config").dump(), canonical, canonical);
}

std::vector<PretrainedTag> registry_tags(std::string_view name) {
  std::vector<PretrainedTag> tags;
  for (const auto& [tag, json] : find_model(name).at("tags").items())
    tags.push_back(parse_tag(tag, json));
  return tags;
}

PretrainedTag registry_tag(std::string_view name, std::string_view tag) {
  const std::string wanted = canonical_tag(tag);
  std::vector<std::string> known;
  for (PretrainedTag& candidate : registry_tags(name)) {
    if (candidate.tag == wanted) return candidate;
    known.push_back(candidate.tag);
  }
  if (known.empty())
    throw NotFound(fmt::format("'{}' is no file, and model {} has no published weights", tag,
                               canonical_model_name(name)));
  throw NotFound(fmt::format("'{}' is neither a file nor a pretrained tag of {}; did you mean {}?",
                             tag, canonical_model_name(name),
                             fmt::join(nearest_names(wanted, known, 3), ", ")));
}

void apply_tag(ModelConfig& config, const PretrainedTag& tag) {
  config.preprocess = tag.preprocess;
  if (tag.quick_gelu) force_quick_gelu(config);
}

std::string unknown_model_text(std::string_view name) {
  return fmt::format(
      "unknown model '{}'; did you mean {}? ('openclip models list' shows all; a folder or a .json "
      "file works too)",
      name, fmt::join(nearest_names(canonical_model_name(name), registry_names(), 2), " or "));
}

}  // namespace openclip
