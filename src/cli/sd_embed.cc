// openclip sd-embed: what Stable Diffusion is conditioned on, as .safetensors or .npy.
#include <filesystem>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "io/json.h"
#include "io/npy.h"
#include "io/safetensors.h"
#include "models/diffusers.h"
#include "tasks/conditioning.h"

namespace openclip {
namespace {

constexpr const char* kSdEmbedFooter =
    "\nThe tensors bear the names of diffusers' arguments: prompt_embeds [77, width],\n"
    "negative_prompt_embeds and, for sdxl, pooled_prompt_embeds and "
    "negative_pooled_prompt_embeds;\n"
    "several prompts give [prompts, 77, width]. Without --negative the negative vectors are those\n"
    "that the pipeline takes: of an empty prompt, zeros for sdxl. A .npy file holds prompt_embeds\n"
    "alone, the others go to F.pooled.npy and, with --negative, F.negative.npy.\n"
    "\nExamples:\n"
    "  openclip sd-embed \"a castle at dawn\" --for sd1 --out castle.safetensors\n"
    "  openclip sd-embed \"a castle\" --negative blurry --for sdxl --model sdxl-base-1.0/ \\\n"
    "      --out castle.safetensors";

struct SdEmbedOptions {
  CommonOptions common;
  ModelRequest second;
  std::vector<std::string> prompts;
  std::optional<std::string> negative;
  std::string pipeline, out;
  int clip_skip = 0;
};

ModelSource find_encoder(const SdEmbedOptions& options, ModelRequest request,
                         const NamedEncoder& fallback) {
  if (request.model.empty()) request = ModelRequest{fallback.model, fallback.tag};
  CommonOptions common = options.common;
  common.model = std::move(request);
  return find_model(common, Need::weights);
}

ConditioningPlan make_plan(const SdEmbedOptions& options) {
  const DiffusionPipeline pipeline = diffusion_pipeline(options.pipeline);
  const std::string& model = options.common.model.model;
  if (is_diffusers_folder(model)) {
    if (!options.common.model.pretrained.empty() || !options.second.model.empty())
      throw UsageError("--model " + model +
                       " is a diffusers model directory, which has all weights itself; pass "
                       "neither --pretrained nor --model-2");
    return plan_conditioning(pipeline, model, options.clip_skip);
  }
  const std::vector<NamedEncoder> names = default_encoders(pipeline);
  if (names.size() == 1 && !options.second.model.empty())
    throw UsageError("--model-2 is for sdxl, which has two text encoders");
  if (names.size() == 2 && options.second.model.empty() != model.empty())
    throw UsageError("sdxl has two text encoders; pass --model and --model-2, or neither");
  std::vector<ModelSource> sources = {find_encoder(options, options.common.model, names[0])};
  if (names.size() == 2) sources.push_back(find_encoder(options, options.second, names[1]));
  return plan_conditioning(pipeline, std::move(sources), options.clip_skip);
}

// One array of the output: `rows` prompts, without that axis where there is one prompt.
struct Array {
  std::string name;
  std::vector<int64_t> shape;
  std::vector<float> values;
};

Array join(const std::string& name, std::span<const Conditioning> rows, bool pooled, bool batch) {
  Array array;
  array.name = name;
  if (batch) array.shape.push_back(static_cast<int64_t>(rows.size()));
  if (pooled)
    array.shape.push_back(static_cast<int64_t>(rows[0].pooled.size()));
  else
    array.shape.insert(array.shape.end(), {rows[0].tokens, rows[0].width});
  for (const Conditioning& row : rows) {
    const std::vector<float>& values = pooled ? row.pooled : row.states;
    array.values.insert(array.values.end(), values.begin(), values.end());
  }
  return array;
}

std::vector<Array> arrays_of(const std::vector<Conditioning>& prompts,
                             const std::vector<Conditioning>& negatives) {
  const bool batch = prompts.size() > 1;
  std::vector<Array> arrays = {join("prompt_embeds", prompts, false, batch),
                               join("negative_prompt_embeds", negatives, false, batch)};
  if (!prompts[0].pooled.empty()) {
    arrays.push_back(join("pooled_prompt_embeds", prompts, true, batch));
    arrays.push_back(join("negative_pooled_prompt_embeds", negatives, true, batch));
  }
  return arrays;
}

void write_tensors(const std::string& path, const std::vector<Array>& arrays) {
  std::vector<NamedTensor> tensors;
  for (const Array& array : arrays) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(array.values.data());
    tensors.push_back({array.name,
                       {.dtype = DType::f32,
                        .shape = array.shape,
                        .bytes = {bytes, array.values.size() * sizeof(float)}}});
  }
  write_safetensors(path, std::move(tensors), {{"format", "pt"}});
}

// "F.npy" and "negative_pooled" -> "F.negative_pooled.npy".
std::string npy_name(const std::string& out, const std::string& tensor) {
  const std::string kind = tensor.substr(0, tensor.find("prompt_embeds"));
  if (kind.empty()) return out;
  return out.substr(0, out.size() - 4) + "." + kind.substr(0, kind.size() - 1) + ".npy";
}

std::vector<std::string> write_arrays(const SdEmbedOptions& options,
                                      const std::vector<Array>& arrays) {
  if (options.out.ends_with(".safetensors")) {
    write_tensors(options.out, arrays);
    return {options.out};
  }
  std::vector<std::string> files;
  try {
    for (const Array& array : arrays) {
      if (array.name.starts_with("negative_") && !options.negative) continue;
      write_npy(npy_name(options.out, array.name), array.shape, array.values);
      files.push_back(npy_name(options.out, array.name));
    }
  } catch (...) {
    std::error_code none;
    for (const std::string& file : files) std::filesystem::remove(file, none);
    throw;
  }
  return files;
}

std::vector<Conditioning> encode_all(const SdEmbedOptions& options, const ConditioningPlan& plan) {
  const bool zeros = plan.zero_negative && !options.negative;
  std::optional<std::string> negative;
  if (!zeros) negative = options.negative.value_or("");
  std::vector<Conditioning> all =
      encode_prompts(options.common.context(), plan, options.prompts, negative);
  if (zeros) all.push_back(zero_conditioning(all[0]));
  return all;
}

void tell_notes(const SdEmbedOptions& options, const ConditioningPlan& plan,
                const std::vector<Conditioning>& all) {
  if (options.common.quiet) return;
  for (size_t i = 0; i < all.size(); ++i)
    if (!all[i].left_out.empty())
      tell(fmt::format("note: the {} has more than {} tokens; left out: '{}'",
                       i < options.prompts.size() ? "prompt" : "negative prompt", all[i].tokens,
                       all[i].left_out));
  if (all[0].width != expected_width(plan.pipeline) && plan.encoders.size() > 0)
    tell(fmt::format("note: the states are {} wide; the published {} takes {}", all[0].width,
                     options.pipeline, expected_width(plan.pipeline)));
}

int run_sd_embed(const SdEmbedOptions& options) {
  if (!options.out.ends_with(".safetensors") && !options.out.ends_with(".npy"))
    throw UsageError("--out must end in .safetensors or .npy, got '" + options.out + "'");
  const ConditioningPlan plan = make_plan(options);
  std::vector<Conditioning> all = usage([&] { return encode_all(options, plan); });
  tell_notes(options, plan, all);
  const Conditioning negative = std::move(all.back());
  all.pop_back();
  const std::vector<Array> arrays = arrays_of(all, std::vector<Conditioning>(all.size(), negative));
  const std::vector<std::string> files = write_arrays(options, arrays);
  OrderedJson summary = {{"for", options.pipeline}, {"files", files}, {"tensors", OrderedJson()}};
  for (const Array& array : arrays) summary["tensors"][array.name] = array.shape;
  if (options.common.json)
    print(summary.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n");
  else if (!options.common.quiet)
    tell(fmt::format("prompt_embeds [{}] in {}", fmt::join(arrays[0].shape, ", "),
                     fmt::join(files, ", ")));
  return 0;
}

}  // namespace

void add_sd_embed(Command& app, ChosenCommand& chosen) {
  Command* command = app.add_subcommand(
      "sd-embed", "a prompt as Stable Diffusion takes it: the text encoders' token states");
  const auto options = std::make_shared<SdEmbedOptions>();
  add_common_options(*command, options->common);
  command->get_option("--model")->description(
      "a diffusers model directory, a transformers text encoder, or any CLIP model; without it "
      "the published ones: ViT-L-14 (sd1), ViT-H-14 (sd2), ViT-L-14 and ViT-bigG-14 (sdxl)");
  command->add_option("prompt", options->prompts, "the prompt, or several")
      ->required()
      ->type_name("PROMPT");
  command->add_option("--for", options->pipeline, "sd1, sd2 or sdxl")
      ->required()
      ->one_of({"sd1", "sd2", "sdxl"});
  command->add_option("--out", options->out, "the file to write")
      ->required()
      ->type_name("F.safetensors|F.npy");
  command->add_option("--negative", options->negative, "the negative prompt")->type_name("PROMPT");
  command->add_option("--clip-skip", options->clip_skip, "blocks to leave out, as in diffusers")
      ->in_range(0, 1000);
  command->add_option("--model-2", options->second.model, "sdxl's second text encoder")
      ->type_name("MODEL");
  command->add_option("--pretrained-2", options->second.pretrained, "and its weights")
      ->type_name("TAG|FILE");
  command->footer(kSdEmbedFooter);
  command->callback([&chosen, options] { chosen = [options] { return run_sd_embed(*options); }; });
}

}  // namespace openclip
