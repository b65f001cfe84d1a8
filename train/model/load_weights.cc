#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "io/checkpoint.h"
#include "model/tensor_store.h"
#include "model/weights_file.h"

namespace openclip::train {
namespace {

std::string join(const std::vector<std::string>& names) {
  std::string text;
  const size_t shown = std::min<size_t>(names.size(), 8);
  for (size_t i = 0; i < shown; ++i) text += (i > 0 ? ", " : " ") + names[i];
  if (names.size() > shown) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

bool is_square(int64_t count) {
  const auto root = static_cast<int64_t>(std::lround(std::sqrt(static_cast<double>(count))));
  return root * root == count;
}

bool is_image_positions(const std::string& name) { return name == "visual.positional_embedding"; }

bool is_text_positions(const std::string& name) {
  return name == "positional_embedding" || name == "text.positional_embedding";
}

// Whether `from` can be interpolated to the shape of `to`. ResNets' positions cannot, as in
// open_clip.
bool can_resize(const NamedParameter& to, const std::vector<int64_t>& from, bool resnet) {
  if (to.tensor.dim() != 2 || from.size() != 2 || from[1] != to.tensor.size(1)) return false;
  if (is_text_positions(to.name)) return true;
  return is_image_positions(to.name) && !resnet && is_square(from[0] - 1) &&
         is_square(to.tensor.size(0) - 1);
}

// open_clip model.py resize_pos_embed: the class token's stays, the grid is interpolated.
at::Tensor resize_grid(const at::Tensor& from, int64_t count) {
  const auto side = [](int64_t n) {
    return static_cast<int64_t>(std::lround(std::sqrt(static_cast<double>(n))));
  };
  const int64_t old_side = side(from.size(0) - 1), new_side = side(count - 1);
  const at::Tensor grid =
      from.slice(0, 1).reshape({1, old_side, old_side, -1}).permute({0, 3, 1, 2});
  const at::Tensor resized = at::_upsample_bicubic2d_aa(grid, {new_side, new_side}, false);
  return at::cat({from.slice(0, 0, 1), resized.permute({0, 2, 3, 1}).flatten(0, 2)});
}

// open_clip model.py resize_text_pos_embed.
at::Tensor resize_line(const at::Tensor& from, int64_t count) {
  return at::upsample_linear1d(from.t().unsqueeze(0), {count}, false).squeeze(0).t();
}

class WeightsLoader {
 public:
  WeightsLoader(TensorStore& store, const std::string& path, const LoadOptions& options)
      : store_(store), options_(options), file_(Checkpoint::open(path)) {}

  void check() {
    for (const auto& [name, tensor] : file_.tensors())
      if (wanted(name) && !store_.has(name)) unexpected_.push_back(name);
    for (const NamedParameter& entry : store_.entries()) check(entry);
    std::string problem = "does not fit the model";
    if (!missing_.empty()) problem += "; missing:" + join(missing_);
    if (!unexpected_.empty()) problem += "; unexpected:" + join(unexpected_);
    if (!shapes_.empty()) problem += "; other shape:" + join(shapes_);
    if (!missing_.empty() || !unexpected_.empty() || !shapes_.empty())
      throw ParseError(file_.path(), problem);
  }

  void copy() {
    for (NamedParameter& entry : store_.entries()) {
      const auto found = file_.tensors().find(entry.name);
      if (entry.adapter || !wanted(entry.name) || found == file_.tensors().end()) continue;
      at::Tensor target = entry.tensor.detach();
      at::Tensor source = tensor_from_view(entry.name, found->second.load().view);
      if (source.numel() != target.numel())
        source = is_image_positions(entry.name)
                     ? resize_grid(source.to(at::kFloat), target.size(0))
                     : resize_line(source.to(at::kFloat), target.size(0));
      target.copy_(source.view(target.sizes()));
    }
  }

 private:
  bool wanted(const std::string& name) const { return name.starts_with(options_.only_prefix); }

  void check(const NamedParameter& entry) {
    if (entry.adapter || !wanted(entry.name)) return;
    const auto found = file_.tensors().find(entry.name);
    if (found == file_.tensors().end()) {
      if (!entry.optional) missing_.push_back(entry.name);
      return;
    }
    const std::vector<int64_t>& shape = found->second.shape();
    const bool same = shape == entry.tensor.sizes().vec() ||
                      (entry.tensor.dim() == 0 && element_count(shape) == 1);
    if (same) return;
    const bool resnet = store_.has("visual.attnpool.positional_embedding");
    if (!options_.resize_positions || !can_resize(entry, shape, resnet))
      shapes_.push_back(entry.name);
  }

  TensorStore& store_;
  const LoadOptions& options_;
  const Checkpoint file_;
  std::vector<std::string> missing_, unexpected_, shapes_;
};

}  // namespace

void load_weights(TensorStore& store, const std::string& path, const LoadOptions& options) {
  const bool folder = std::filesystem::is_directory(path);
  WeightsLoader loader(store, folder ? path + "/open_clip_model.safetensors" : path, options);
  loader.check();
  loader.copy();
}

}  // namespace openclip::train
