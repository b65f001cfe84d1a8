#include "models/towers/image_tower.h"

#include "models/towers/convnext.h"
#include "models/towers/fastvit.h"
#include "models/towers/resnet.h"
#include "models/towers/vit.h"

namespace openclip {

std::unique_ptr<ImageTower> ImageTower::load(const Context& context, const Weights& weights,
                                             const ModelConfig& config) {
  if (config.vision.convnext) return std::make_unique<ConvNextTower>(context, weights, config);
  if (config.vision.fastvit) return std::make_unique<FastVitTower>(context, weights, config);
  if (config.vision.is_resnet)
    return std::make_unique<ResNetTower>(context, weights, config.vision);
  return std::make_unique<VitTower>(context, weights, config.vision);
}

template <class Encode>
void ImageTower::in_chunks(int64_t count, int64_t rows, const float* pixels, Matrix out,
                           const Encode& encode) const {
  const WorkspacePool::Lease workspace = workspaces_.borrow();
  const int64_t chunks = (count + chunk_ - 1) / chunk_;
  for (int64_t i = 0; i < chunks; ++i) {  // of equal size: a small last one would be slower
    const int64_t begin = count * i / chunks, end = count * (i + 1) / chunks;
    const Workspace::Frame frame(*workspace);
    encode(*workspace, pixels + begin * 3 * size_ * size_,
           out.row_range(begin * rows, (end - begin) * rows));
  }
}

void ImageTower::encode(const Context& context, const float* pixels, Matrix out) const {
  in_chunks(out.rows, 1, pixels, out, [&](Workspace& workspace, const float* images, Matrix rows) {
    encode_chunk(context, workspace, images, rows);
  });
}

void ImageTower::encode_tokens(const Context& context, const float* pixels,
                               const TokenStates& states, Matrix out) const {
  if (tokens() == 0) throw Internal("[image_tower] this tower has no tokens");
  in_chunks(out.rows / tokens(), tokens(), pixels, out,
            [&](Workspace& workspace, const float* images, Matrix rows) {
              encode_tokens_chunk(context, workspace, images, states, rows);
            });
}

void ImageTower::encode_for_captions(const Context& context, const float* pixels,
                                     Matrix out) const {
  if (caption_tokens() == 0) throw Internal("[image_tower] this tower has no tokens");
  in_chunks(out.rows / caption_tokens(), caption_tokens(), pixels, out,
            [&](Workspace& workspace, const float* images, Matrix rows) {
              encode_caption_chunk(context, workspace, images, rows);
            });
}

void ImageTower::encode_tokens_chunk(const Context&, Workspace&, const float*, const TokenStates&,
                                     Matrix) const {
  throw Internal("[image_tower] this tower has no tokens");
}

void ImageTower::encode_caption_chunk(const Context&, Workspace&, const float*, Matrix) const {
  throw Internal("[image_tower] this tower has no tokens");
}

void ImageTower::encode_dense(const Context& context, const DenseInput& input, Matrix out) const {
  const int64_t stride = dense_stride();
  if (stride == 0)
    throw Unsupported("[encode_dense] this kind of image tower has no dense features");
  check_arg(input.height > 0 && input.width > 0 && input.height % stride == 0 &&
                input.width % stride == 0,
            "[encode_dense] sides must be multiples of {}, got {} x {}", stride, input.height,
            input.width);
  const int64_t places = (input.height / stride) * (input.width / stride);
  check_arg(out.rows == places, "[encode_dense] {} rows for {} places", out.rows, places);
  const WorkspacePool::Lease workspace = workspaces_.borrow();
  const Workspace::Frame frame(*workspace);
  encode_places(context, *workspace, input, out);
}

void ImageTower::encode_places(const Context&, Workspace&, const DenseInput&, Matrix) const {
  throw Internal("[encode_dense] a tower with a stride must have places");
}

}  // namespace openclip
