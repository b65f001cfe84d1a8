#include "models/names/transformers.h"

#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "base/error.h"

namespace openclip {
namespace {

enum class How {
  same,
  transpose,
  stack,  // '*' of transformers' name stands for q, k, v: rows of one tensor
  lead,   // timm's has a leading dimension of 1
  split   // '*' of timm's name stands for q and kv: the rows of one tensor of transformers
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
    // OWL spells this one rightly.
    Rule{"vision_model.pre_layernorm.weight", "visual.ln_pre.weight"},
    Rule{"vision_model.pre_layernorm.bias", "visual.ln_pre.bias"},
    Rule{"vision_model.post_layernorm.weight", "visual.ln_post.weight"},
    Rule{"vision_model.post_layernorm.bias", "visual.ln_post.bias"},
    Rule{"visual_projection.weight", "visual.proj", How::transpose}};

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

// SigLIP's towers are open_clip's for texts, timm's for pictures.
// Source: transformers modeling_siglip.py; timm vision_transformer.py, attention_pool.py.
constexpr std::array kSiglipModel = {
    Rule{"logit_scale", "logit_scale"},
    Rule{"logit_bias", "logit_bias"},
    Rule{"text_model.embeddings.token_embedding.weight", "text.token_embedding.weight"},
    Rule{"text_model.embeddings.position_embedding.weight", "text.positional_embedding"},
    Rule{"text_model.final_layer_norm.weight", "text.ln_final.weight"},
    Rule{"text_model.final_layer_norm.bias", "text.ln_final.bias"},
    Rule{"text_model.head.weight", "text.text_projection.weight"},
    Rule{"text_model.head.bias", "text.text_projection.bias"},
    Rule{"vision_model.embeddings.patch_embedding.weight", "visual.trunk.patch_embed.proj.weight"},
    Rule{"vision_model.embeddings.patch_embedding.bias", "visual.trunk.patch_embed.proj.bias"},
    Rule{"vision_model.embeddings.position_embedding.weight", "visual.trunk.pos_embed", How::lead},
    Rule{"vision_model.post_layernorm.weight", "visual.trunk.norm.weight"},
    Rule{"vision_model.post_layernorm.bias", "visual.trunk.norm.bias"},
    Rule{"vision_model.head.probe", "visual.trunk.attn_pool.latent"},
    Rule{"vision_model.head.attention.in_proj_weight", "visual.trunk.attn_pool.*.weight",
         How::split},
    Rule{"vision_model.head.attention.in_proj_bias", "visual.trunk.attn_pool.*.bias", How::split},
    Rule{"vision_model.head.attention.out_proj.weight", "visual.trunk.attn_pool.proj.weight"},
    Rule{"vision_model.head.attention.out_proj.bias", "visual.trunk.attn_pool.proj.bias"},
    Rule{"vision_model.head.layernorm.weight", "visual.trunk.attn_pool.norm.weight"},
    Rule{"vision_model.head.layernorm.bias", "visual.trunk.attn_pool.norm.bias"},
    Rule{"vision_model.head.mlp.fc1.weight", "visual.trunk.attn_pool.mlp.fc1.weight"},
    Rule{"vision_model.head.mlp.fc1.bias", "visual.trunk.attn_pool.mlp.fc1.bias"},
    Rule{"vision_model.head.mlp.fc2.weight", "visual.trunk.attn_pool.mlp.fc2.weight"},
    Rule{"vision_model.head.mlp.fc2.bias", "visual.trunk.attn_pool.mlp.fc2.bias"}};

constexpr std::array kTimmBlock = {Rule{"layer_norm1.weight", "norm1.weight"},
                                   Rule{"layer_norm1.bias", "norm1.bias"},
                                   Rule{"layer_norm2.weight", "norm2.weight"},
                                   Rule{"layer_norm2.bias", "norm2.bias"},
                                   Rule{"mlp.fc1.weight", "mlp.fc1.weight"},
                                   Rule{"mlp.fc1.bias", "mlp.fc1.bias"},
                                   Rule{"mlp.fc2.weight", "mlp.fc2.weight"},
                                   Rule{"mlp.fc2.bias", "mlp.fc2.bias"},
                                   Rule{"self_attn.out_proj.weight", "attn.proj.weight"},
                                   Rule{"self_attn.out_proj.bias", "attn.proj.bias"},
                                   Rule{"self_attn.*_proj.weight", "attn.qkv.weight", How::stack},
                                   Rule{"self_attn.*_proj.bias", "attn.qkv.bias", How::stack}};

struct Blocks {
  std::string_view transformers, open_clip;
  std::span<const Rule> rules;
};

// The names of blocks start with one of these and the block's number.
constexpr std::array kClipBlocks = {
    Blocks{"text_model.encoder.layers.", "transformer.resblocks.", kBlock},
    Blocks{"vision_model.encoder.layers.", "visual.transformer.resblocks.", kBlock}};
constexpr std::array kSiglipBlocks = {
    Blocks{"text_model.encoder.layers.", "text.transformer.resblocks.", kBlock},
    Blocks{"vision_model.encoder.layers.", "visual.trunk.blocks.", kTimmBlock}};

struct Scheme {
  std::span<const Rule> model;
  std::span<const Blocks> blocks;
};
constexpr Scheme kClip{kModel, kClipBlocks}, kSiglip{kSiglipModel, kSiglipBlocks};

// Which side of a rule is translated to which.
struct Direction {
  std::string_view Rule::*from;
  std::string_view Rule::*to;
  std::string_view Blocks::*blocks_from;
  std::string_view Blocks::*blocks_to;
};
constexpr Direction kToOpenClip{&Rule::transformers, &Rule::open_clip, &Blocks::transformers,
                                &Blocks::open_clip};
constexpr Direction kToTransformers{&Rule::open_clip, &Rule::transformers, &Blocks::open_clip,
                                    &Blocks::transformers};

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

std::optional<Match> match(std::span<const Rule> rules, std::string_view name,
                           const Direction& way) {
  for (const Rule& rule : rules) {
    const std::string_view from = rule.*way.from;
    if (from == name ||
        (rule.how == How::stack && with_letter(std::string(from), kStacked[0]) == name))
      return Match{std::string(rule.*way.to), rule.how};
  }
  return std::nullopt;
}

// "PREFIX 12 . REST" through the table of blocks, anything else through that of the model. Of the
// three names that are stacked the first matches.
std::optional<Match> translate(const Scheme& scheme, std::string_view name, const Direction& way) {
  for (const Blocks& blocks : scheme.blocks) {
    const std::string_view from = blocks.*way.blocks_from;
    if (!name.starts_with(from)) continue;
    const std::string_view rest = name.substr(from.size());
    const size_t digits = rest.find_first_not_of("0123456789");
    if (digits == 0 || digits == std::string_view::npos || rest[digits] != '.') continue;
    auto found = match(blocks.rules, rest.substr(digits + 1), way);
    if (found)
      found->name =
          fmt::format("{}{}.{}", blocks.*way.blocks_to, rest.substr(0, digits), found->name);
    return found;
  }
  return match(scheme.model, name, way);
}

// CLIPModel has no projection with a bias, SiglipModel no class token; one tower may be there
// alone.
const Scheme& scheme_of(const LazyTensors& tensors) {
  const bool siglip =
      tensors.contains("text_model.head.weight") || tensors.contains("vision_model.head.probe");
  return siglip ? kSiglip : kClip;
}

// The projections of the pooling's query, and of its keys and values.
void add_split(const LazyTensor& tensor, const std::string& name, LazyTensors& out) {
  const size_t star = name.find('*');
  const int64_t rows = tensor.shape().empty() ? 0 : tensor.shape()[0] / 3;
  if (rows == 0 || rows * 3 != tensor.shape()[0]) return;  // its absence is an error later
  const std::string before = name.substr(0, star), after = name.substr(star + 1);
  out.insert_or_assign(before + "q" + after, rows_of(tensor, 0, rows));
  out.insert_or_assign(before + "kv" + after, rows_of(tensor, rows, 2 * rows));
}

LazyTensor with_leading_one(const LazyTensor& tensor) {
  std::vector<int64_t> shape = tensor.shape();
  shape.insert(shape.begin(), 1);
  return reshaped(tensor, shape);
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
  const Scheme& scheme = scheme_of(tensors);
  LazyTensors out;
  for (const auto& [name, tensor] : tensors) {
    const auto found = translate(scheme, name, kToOpenClip);
    if (!found) {
      out.emplace(name, tensor);
    } else if (found->how == How::stack) {
      auto parts = stack_of(tensors, name);
      if (parts)
        out.insert_or_assign(found->name, concatenated(std::move(*parts)));
      else
        out.emplace(name, tensor);
    } else if (found->how == How::split) {
      add_split(tensor, found->name, out);
    } else if (found->how == How::lead) {
      out.insert_or_assign(found->name, with_leading_one(tensor));
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
        const auto stacked = translate(scheme, first, kToOpenClip);
        if (stacked && out.contains(stacked->name)) out.erase(name);
      }
  return out;
}

LazyTensors to_transformers(LazyTensors tensors) {
  LazyTensors out;
  for (const auto& [name, tensor] : tensors) {
    const auto found = translate(kClip, name, kToTransformers);
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
