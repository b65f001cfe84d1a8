#include "models/names/transformers.h"

#include <array>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace openclip {
namespace {

enum class How {
  same,
  transpose,
  stack  // '*' of transformers' name stands for q, k, v: rows of one tensor
};

struct Rule {
  std::string_view transformers, open_clip;
  How how = How::same;
};

// Source: transformers modeling_clip.py and open_clip model.py, transformer.py.
constexpr std::array kModel = {
    Rule{"logit_scale", "logit_scale"},
    Rule{"text_model.embeddings.token_embedding.weight", "token_embedding.weight"},
    Rule{"text_model.embeddings.position_embedding.weight", "positional_embedding"},
    Rule{"text_model.final_layer_norm.weight", "ln_final.weight"},
    Rule{"text_model.final_layer_norm.bias", "ln_final.bias"},
    Rule{"text_projection.weight", "text_projection", How::transpose},
    Rule{"vision_model.embeddings.class_embedding", "visual.class_embedding"},
    Rule{"vision_model.embeddings.patch_embedding.weight", "visual.conv1.weight"},
    Rule{"vision_model.embeddings.position_embedding.weight", "visual.positional_embedding"},
    Rule{"vision_model.pre_layrnorm.weight", "visual.ln_pre.weight"},
    Rule{"vision_model.pre_layrnorm.bias", "visual.ln_pre.bias"},
    Rule{"vision_model.post_layernorm.weight", "visual.ln_post.weight"},
    Rule{"vision_model.post_layernorm.bias", "visual.ln_post.bias"},
    Rule{"visual_projection.weight", "visual.proj", How::transpose}};

// The names of blocks start with one of these and the block's number.
constexpr std::array kBlocks = {
    Rule{"text_model.encoder.layers.", "transformer.resblocks."},
    Rule{"vision_model.encoder.layers.", "visual.transformer.resblocks."}};

constexpr std::array kBlock = {Rule{"layer_norm1.weight", "ln_1.weight"},
                               Rule{"layer_norm1.bias", "ln_1.bias"},
                               Rule{"layer_norm2.weight", "ln_2.weight"},
                               Rule{"layer_norm2.bias", "ln_2.bias"},
                               Rule{"mlp.fc1.weight", "mlp.c_fc.weight"},
                               Rule{"mlp.fc1.bias", "mlp.c_fc.bias"},
                               Rule{"mlp.fc2.weight", "mlp.c_proj.weight"},
                               Rule{"mlp.fc2.bias", "mlp.c_proj.bias"},
                               Rule{"self_attn.out_proj.weight", "attn.out_proj.weight"},
                               Rule{"self_attn.out_proj.bias", "attn.out_proj.bias"},
                               Rule{"self_attn.*_proj.weight", "attn.in_proj_weight", How::stack},
                               Rule{"self_attn.*_proj.bias", "attn.in_proj_bias", How::stack}};

constexpr std::string_view kStacked = "qkv";

// A name's other side, whole.
struct Match {
  std::string name;
  How how;
};

// Replaces the '*' of a rule's name by `letter`.
std::string with_letter(std::string name, char letter) {
  if (const size_t star = name.find('*'); star != std::string::npos) name[star] = letter;
  return name;
}

template <class Rules>
std::optional<Match> match(const Rules& rules, std::string_view name, std::string_view Rule::*from,
                           std::string_view Rule::*to) {
  for (const Rule& rule : rules) {
    if (rule.*from == name ||
        (rule.how == How::stack && with_letter(std::string(rule.*from), kStacked[0]) == name))
      return Match{std::string(rule.*to), rule.how};
  }
  return std::nullopt;
}

// "PREFIX 12 . REST" through the table of blocks, anything else through that of the model. Of the
// three names that are stacked the first matches.
std::optional<Match> translate(std::string_view name, std::string_view Rule::*from,
                               std::string_view Rule::*to) {
  for (const Rule& blocks : kBlocks) {
    if (!name.starts_with(blocks.*from)) continue;
    const std::string_view rest = name.substr((blocks.*from).size());
    const size_t digits = rest.find_first_not_of("0123456789");
    if (digits == 0 || digits == std::string_view::npos || rest[digits] != '.') continue;
    auto found = match(kBlock, rest.substr(digits + 1), from, to);
    if (found)
      found->name = fmt::format("{}{}.{}", blocks.*to, rest.substr(0, digits), found->name);
    return found;
  }
  return match(kModel, name, from, to);
}

// The q, k and v tensors, if all are there and fit together.
std::optional<std::vector<LazyTensor>> stack_of(const LazyTensors& tensors,
                                                const std::string& first_name) {
  std::vector<LazyTensor> parts;
  std::string name = first_name;
  const size_t letter = name.rfind("self_attn.") + std::string_view("self_attn.").size();
  for (const char part : kStacked) {
    name[letter] = part;
    const auto found = tensors.find(name);
    if (found == tensors.end() || found->second.shape().empty()) return std::nullopt;
    if (!parts.empty() &&
        (found->second.dtype() != parts[0].dtype() || found->second.shape() != parts[0].shape()))
      return std::nullopt;
    parts.push_back(found->second);
  }
  return parts;
}

}  // namespace

bool has_transformers_names(const LazyTensors& tensors) {
  for (const char* prefix : {"text_model.", "vision_model."}) {
    const auto found = tensors.lower_bound(prefix);
    if (found != tensors.end() && found->first.starts_with(prefix)) return true;
  }
  return false;
}

LazyTensors from_transformers(LazyTensors tensors) {
  LazyTensors out;
  for (const auto& [name, tensor] : tensors) {
    const auto found = translate(name, &Rule::transformers, &Rule::open_clip);
    if (!found) {
      out.emplace(name, tensor);
    } else if (found->how == How::stack) {
      auto parts = stack_of(tensors, name);
      if (parts)
        out.insert_or_assign(found->name, concatenated(std::move(*parts)));
      else
        out.emplace(name, tensor);
    } else if (found->how == How::transpose && tensor.shape().size() == 2) {
      out.insert_or_assign(found->name, transposed(tensor));
    } else {
      out.insert_or_assign(found->name, tensor);
    }
  }
  // k and v went into the stacks of their q.
  for (const auto& [name, tensor] : tensors)
    for (const char part : kStacked.substr(1))
      if (const size_t at = name.rfind(fmt::format("self_attn.{}_proj.", part));
          at != std::string::npos) {
        std::string first = name;
        first[at + std::string_view("self_attn.").size()] = kStacked[0];
        const auto stacked = translate(first, &Rule::transformers, &Rule::open_clip);
        if (stacked && out.contains(stacked->name)) out.erase(name);
      }
  return out;
}

LazyTensors to_transformers(LazyTensors tensors) {
  LazyTensors out;
  for (const auto& [name, tensor] : tensors) {
    const auto found = translate(name, &Rule::open_clip, &Rule::transformers);
    if (!found)
      throw Unsupported(fmt::format("transformers' CLIPModel has no tensor for '{}'", name));
    if (found->how == How::transpose) {
      out.emplace(found->name, transposed(tensor));
    } else if (found->how == How::stack) {
      const int64_t rows = tensor.shape().at(0) / 3;
      for (size_t i = 0; i < kStacked.size(); ++i)
        out.emplace(with_letter(found->name, kStacked[i]),
                    rows_of(tensor, static_cast<int64_t>(i) * rows, rows));
    } else {
      out.emplace(found->name, tensor);
    }
  }
  return out;
}

}  // namespace openclip
