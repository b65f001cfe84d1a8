#include "trainer/evaluation.h"

#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "data/decode.h"
#include "image/preprocess.h"
#include "loss/contrastive.h"
#include "model/towers.h"

namespace openclip::train {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxClassPictureBytes = size_t{256} << 20;

at::Tensor unit(const at::Tensor& features) {
  const at::Tensor x = features.to(at::kFloat);
  return x / x.norm(2, -1, /*keepdim=*/true).clamp_min(1e-12);
}

PreprocessConfig preprocess_config(const ModelConfig& config) {
  const PreprocessSettings& s = config.preprocess;
  PreprocessConfig result;
  result.height = result.width = config.vision.image_size;
  result.resize_mode = s.resize_mode == "shortest"  ? ResizeMode::shortest
                       : s.resize_mode == "longest" ? ResizeMode::longest
                                                    : ResizeMode::squash;
  result.interpolation =
      s.interpolation == "bilinear" ? Interpolation::bilinear : Interpolation::bicubic;
  result.mean = s.mean;
  result.std = s.std;
  result.fill = s.fill_color;
  return result;
}

at::Tensor picture_features(const EvaluatedModel& model,
                            const std::vector<std::shared_ptr<const Image>>& pictures) {
  const PreprocessConfig config = preprocess_config(model.config);
  const int64_t size = model.config.vision.image_size,
                count = static_cast<int64_t>(pictures.size());
  at::Tensor pixels = at::empty({count, 3, size, size}, at::kFloat);
  float* out = pixels.data_ptr<float>();
  parallel_for(at::get_num_threads(), pictures.size(), 1, [&](size_t begin, size_t end, int) {
    for (size_t i = begin; i < end; ++i)
      preprocess(*pictures[i], config, out + i * 3 * size * size);
  });
  return unit(encode_image(model.config, model.weights, pixels.to(model.device)).features);
}

at::Tensor text_features(const EvaluatedModel& model, const std::vector<std::string>& texts) {
  const TextConfig& text = model.config.text;
  at::Tensor ids =
      at::full({static_cast<int64_t>(texts.size()), text.context_length}, text.pad_id, at::kLong);
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::vector<int64_t> tokens = model.encode(texts[i]);
    std::copy_n(tokens.begin(), std::min<size_t>(tokens.size(), text.context_length),
                ids.data_ptr<int64_t>() + i * text.context_length);
  }
  return unit(encode_text(model.config, model.weights, ids.to(model.device)).features);
}

// The caption that a picture is known by: the first of the first key that has one.
const std::string* first_caption(const SampleText& text) {
  for (const Captions& captions : text.by_key)
    if (!captions.empty()) return &captions.front();
  return nullptr;
}

std::vector<std::string> read_lines(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw NotFound(path + ": cannot be read");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);)
    if (!line.empty()) lines.push_back(line);
  return lines;
}

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::vector<fs::path> entries;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.path().filename().string().front() != '.') entries.push_back(entry.path());
  std::sort(entries.begin(), entries.end());
  return entries;
}

std::string filled(std::string text, const std::string& name) {
  const size_t place = text.find("{}");
  check_arg(place != std::string::npos, "--zeroshot-templates: '{}' has no {{}}", text);
  return text.replace(place, 2, name);
}

at::Tensor classifier(const EvaluatedModel& model, const std::vector<std::string>& names,
                      const std::vector<std::string>& templates) {
  std::vector<at::Tensor> classes;
  for (const std::string& name : names) {
    std::vector<std::string> prompts;
    for (const std::string& text : templates) prompts.push_back(filled(text, name));
    classes.push_back(unit(text_features(model, prompts).mean(0)));
  }
  return at::stack(classes);
}

// Where the right class stands among all, counted from 0, of each readable picture of a folder.
at::Tensor class_ranks(const EvaluatedModel& model, const at::Tensor& classes, int64_t right,
                       const fs::path& folder, const Options& options) {
  std::vector<at::Tensor> ranks;
  std::vector<std::shared_ptr<const Image>> pictures;
  const auto flush = [&] {
    if (pictures.empty()) return;
    const at::Tensor scores = at::matmul(picture_features(model, pictures), classes.t());
    ranks.push_back(scores.gt(scores.select(1, right).unsqueeze(1)).sum(1));
    pictures.clear();
  };
  for (const fs::path& path : sorted_entries(folder)) {
    try {
      pictures.push_back(
          decode_picture(read_file(path, kMaxClassPictureBytes), path, options.max_image_pixels));
    } catch (const Error&) {
      continue;  // no picture
    }
    if (static_cast<int64_t>(pictures.size()) == options.batch_size) flush();
  }
  flush();
  return ranks.empty() ? at::empty({0}, at::kLong) : at::cat(ranks);
}

}  // namespace

Results retrieval_metrics(const std::string& name, const at::Tensor& queries,
                          const at::Tensor& keys) {
  const int64_t count = queries.size(0), step = block_rows(count);
  std::vector<at::Tensor> parts;
  for (int64_t first = 0; first < count; first += step) {
    const at::Tensor scores = at::matmul(queries.slice(0, first, first + step), keys.t());
    const at::Tensor own =
        at::arange(first, first + scores.size(0), scores.options().dtype(at::kLong)).unsqueeze(1);
    const at::Tensor target = scores.gather(1, own);
    const at::Tensor earlier = at::arange(count, own.options()).unsqueeze(0).lt(own);
    parts.push_back(scores.gt(target).sum(1) + scores.eq(target).logical_and(earlier).sum(1));
  }
  const at::Tensor ranks = at::cat(parts).to(at::kDouble);
  Results results = {
      {name + "_mean_rank", ranks.mean().item<double>() + 1},
      {name + "_median_rank", std::floor(at::quantile(ranks, 0.5).item<double>()) + 1}};
  for (const int k : {1, 5, 10})
    results.emplace_back(fmt::format("{}_R@{}", name, k),
                         ranks.lt(k).to(at::kDouble).mean().item<double>());
  return results;
}

Results evaluate_pairs(const EvaluatedModel& model, Dataset& dataset, const Options& options) {
  const c10::NoGradGuard no_grad;
  std::vector<at::Tensor> images, texts;
  std::vector<std::shared_ptr<const Image>> pictures;
  std::vector<std::string> captions;
  Communicator alone;
  const double scale = model.weights.get("logit_scale").exp().item<double>();
  double loss = 0;
  int64_t count = 0;
  const auto flush = [&] {
    if (pictures.empty()) return;
    images.push_back(picture_features(model, pictures));
    texts.push_back(text_features(model, captions));
    loss += static_cast<double>(pictures.size()) *
            contrastive_loss({.image = images.back(), .text = texts.back(), .scale = scale}, alone)
                .loss;
    pictures.clear();
    captions.clear();
  };
  dataset.each([&](Ticket ticket) {
    try {
      const DecodedSample sample = dataset.load(std::move(ticket));
      const std::string* caption = first_caption(*sample.text);
      if (caption == nullptr) return true;
      pictures.push_back(sample.picture);
      captions.push_back(*caption);
      ++count;
    } catch (const Error&) {
      return true;  // a broken picture
    }
    if (static_cast<int64_t>(pictures.size()) == options.batch_size) flush();
    return options.val_num_samples == 0 || count < options.val_num_samples;
  });
  flush();
  if (count == 0) throw Error("--val-data: no sample has a picture and a caption");
  const at::Tensor image = at::cat(images), text = at::cat(texts);
  Results results = retrieval_metrics("image_to_text", image, text);
  for (auto& result : retrieval_metrics("text_to_image", text, image)) results.push_back(result);
  results.emplace_back("clip_val_loss", loss / static_cast<double>(count));
  results.emplace_back("num_samples", count);
  return results;
}

Results evaluate_zero_shot(const EvaluatedModel& model, const Options& options) {
  const c10::NoGradGuard no_grad;
  if (!fs::is_directory(options.zeroshot_data))
    throw NotFound("--imagenet-val " + options.zeroshot_data + ": no such folder");
  std::vector<fs::path> folders;
  for (const fs::path& entry : sorted_entries(options.zeroshot_data))
    if (fs::is_directory(entry)) folders.push_back(entry);
  std::vector<std::string> names;
  for (const fs::path& folder : folders) names.push_back(folder.filename());
  if (!options.zeroshot_classnames.empty()) names = read_lines(options.zeroshot_classnames);
  check_arg(names.size() == folders.size(), "--zeroshot-classnames {}: {} names for {} folders",
            options.zeroshot_classnames, names.size(), folders.size());
  check_arg(!folders.empty(), "--imagenet-val {}: holds no class folders", options.zeroshot_data);
  std::vector<std::string> templates = {"a photo of a {}."};
  if (!options.zeroshot_templates.empty()) templates = read_lines(options.zeroshot_templates);
  const at::Tensor classes = classifier(model, names, templates);
  std::vector<at::Tensor> ranks;
  for (size_t i = 0; i < folders.size(); ++i)
    ranks.push_back(class_ranks(model, classes, static_cast<int64_t>(i), folders[i], options));
  const at::Tensor all = at::cat(ranks);
  if (all.numel() == 0)
    throw Error(fmt::format("--imagenet-val {}: no readable picture", options.zeroshot_data));
  const auto top = [&](int k) { return all.lt(k).to(at::kDouble).mean().item<double>(); };
  return {{"imagenet-zeroshot-val-top1", top(1)}, {"imagenet-zeroshot-val-top5", top(5)}};
}

}  // namespace openclip::train
