#include "models/names/state_dict.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "models/names/transformers.h"

namespace openclip {
namespace {

constexpr std::string_view kText = "text.";

// What class CLIP has at the root and class CustomTextCLIP under `text.`.
constexpr std::array<std::string_view, 5> kTextNames = {
    "text_projection", "positional_embedding", "token_embedding", "transformer", "ln_final"};

bool is_buffer(std::string_view name) {
  return name == "input_resolution" || name == "context_length" || name == "vocab_size" ||
         name.ends_with("attn_mask") || name.ends_with("position_ids");
}

// Renames all; `rename` returns the new name.
template <class Rename>
LazyTensors renamed(LazyTensors tensors, Rename&& rename) {
  LazyTensors out;
  for (auto& [name, tensor] : tensors) out.emplace(rename(name), std::move(tensor));
  return out;
}

// DistributedDataParallel and torch.compile wrap a model, in either order.
LazyTensors without_wrappers(LazyTensors tensors) {
  for (const std::string_view prefix : {"module.", "_orig_mod.", "module.", "_orig_mod."}) {
    const bool everywhere =
        !tensors.empty() && std::all_of(tensors.begin(), tensors.end(), [&](const auto& entry) {
          return entry.first.starts_with(prefix);
        });
    if (everywhere)
      tensors = renamed(std::move(tensors),
                        [&](const std::string& name) { return name.substr(prefix.size()); });
  }
  return tensors;
}

// transformers' detectors hold their CLIP as a member, beside the heads.
LazyTensors without_owl_prefix(LazyTensors tensors) {
  return renamed(std::move(tensors), [](const std::string& name) {
    for (const std::string_view prefix : {"owlvit.", "owlv2."})
      if (name.starts_with(prefix)) return name.substr(prefix.size());
    return name;
  });
}

bool is_root_text(std::string_view name) {
  return std::any_of(kTextNames.begin(), kTextNames.end(),
                     [&](std::string_view text) { return name.starts_with(text); });
}

LazyTensors with_text_at(LazyTensors tensors, bool custom_text) {
  if (custom_text && tensors.contains("positional_embedding"))
    return renamed(std::move(tensors), [](const std::string& name) {
      return is_root_text(name) ? std::string(kText) + name : name;
    });
  if (!custom_text && tensors.contains("text.positional_embedding"))
    return renamed(std::move(tensors), [](const std::string& name) {
      return name.starts_with(kText) && is_root_text(name.substr(kText.size()))
                 ? name.substr(kText.size())
                 : name;
    });
  return tensors;
}

}  // namespace

LazyTensors open_clip_names(LazyTensors tensors, const ModelConfig& config) {
  tensors = without_wrappers(std::move(tensors));
  if (config.boxes != BoxHeads::none) tensors = without_owl_prefix(std::move(tensors));
  std::erase_if(tensors, [](const auto& entry) { return is_buffer(entry.first); });
  if (has_transformers_names(tensors)) tensors = from_transformers(std::move(tensors));
  tensors = with_text_at(std::move(tensors), config.custom_text);
  const auto scale = tensors.find("logit_scale");
  if (config.has_logit_bias && !tensors.contains("logit_bias") && scale != tensors.end())
    tensors.emplace("logit_bias", zeros(scale->second.dtype(), scale->second.shape()));
  return tensors;
}

}  // namespace openclip
