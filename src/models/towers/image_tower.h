// What turns pixels into image features. Part of rank 4.
#pragma once

#include <cstdint>
#include <memory>

#include "base/context.h"
#include "models/dense.h"
#include "models/towers/token_states.h"
#include "models/towers/weights.h"
#include "tensor/tensor.h"
#include "tensor/workspace.h"

namespace openclip {

/// An image tower; immutable, usable by many threads, each with a workspace of its own.
class ImageTower {
 public:
  virtual ~ImageTower() = default;

  /// The tower that `config` describes. Throws: errors of Weights.
  static std::unique_ptr<ImageTower> load(const Context& context, const Weights& weights,
                                          const ModelConfig& config);

  /// pixels: [count, 3, size, size]; out: [count, embed_dim], not normalised. Works on a few images
  /// at a time, so that memory does not grow with `count`.
  void encode(const Context& context, const float* pixels, Matrix out) const;

  /// Tokens of one image; 0 for towers that have none.
  virtual int64_t tokens() const { return 0; }

  /// The states of all tokens, as Model::encode_image_tokens. out: [count * tokens, width].
  /// Throws: Internal for towers without tokens.
  void encode_tokens(const Context& context, const float* pixels, const TokenStates& states,
                     Matrix out) const;

  /// What a CoCa's decoder attends to. out: [count * caption_tokens(), width of the decoder].
  /// Throws: Internal for towers without tokens.
  void encode_for_captions(const Context& context, const float* pixels, Matrix out) const;
  virtual int64_t caption_tokens() const { return 0; }

  /// Pixels from place to place of encode_dense(), down and across; 0 = the tower cannot.
  virtual int64_t dense_stride() const { return 0; }

  /// Features of every place of one picture, not normalised, in the space of encode()'s.
  /// out: [places, embed_dim], row by row; height / stride by width / stride of them.
  /// Throws: InvalidArgument for sides that are no multiples of the stride; Unsupported for a
  /// reading that this kind of tower does not have.
  void encode_dense(const Context& context, const DenseInput& input, Matrix out) const;

 protected:
  /// size: height and width of the images, pixels; chunk: images at a time.
  ImageTower(int64_t size, int64_t chunk) : size_(size), chunk_(chunk) {}

  /// As encode(), for at most `chunk` images.
  virtual void encode_chunk(const Context& context, Workspace& workspace, const float* pixels,
                            Matrix out) const = 0;

  virtual void encode_tokens_chunk(const Context& context, Workspace& workspace,
                                   const float* pixels, const TokenStates& states,
                                   Matrix out) const;

  virtual void encode_caption_chunk(const Context& context, Workspace& workspace,
                                    const float* pixels, Matrix out) const;

  /// As encode_dense(), with sides that fit.
  virtual void encode_places(const Context& context, Workspace& workspace, const DenseInput& input,
                             Matrix out) const;

 private:
  // encode(workspace, pixels, out) for some images at a time, `rows` of out for each.
  template <class Encode>
  void in_chunks(int64_t count, int64_t rows, const float* pixels, Matrix out,
                 const Encode& encode) const;

  int64_t size_, chunk_;
  mutable WorkspacePool workspaces_;
};

}  // namespace openclip
