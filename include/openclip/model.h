// A CLIP model: pictures and texts become vectors of one space.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "openclip/matrix.h"
#include "openclip/namespace.h"
#include "openclip/preprocess.h"
#include "openclip/tokenizer.h"

namespace openclip::v0 {

/// Which towers to load; one that is not asked for is neither read nor held in memory.
enum class Towers { both, image, text };

/// What create_model_and_transforms may be told; the words are open_clip's.
struct ModelOptions {
  std::string pretrained = {};     ///< a tag of the model, or the path of a weights file or folder
  std::string precision = "fp32";  ///< what the towers compute in: fp32, bf16 or int8
  int threads = 0;                 ///< that a call may use; 0 = all cores of the process
  std::string cache_dir = {};      ///< the hub's cache; empty: HF_HUB_CACHE, HF_HOME, ~/.cache/…
  Towers towers = Towers::both;
  bool force_quick_gelu = false;  ///< tags that need QuickGELU switch it on by themselves
  std::optional<std::array<float, 3>> image_mean = {};  ///< in place of the model's own
  std::optional<std::array<float, 3>> image_std = {};
  std::string image_interpolation = {};  ///< bicubic | bilinear; empty: the model's own
  std::string image_resize_mode = {};    ///< shortest | longest | squash; empty: the model's own
};

/// How generate() writes captions; names and defaults are those of open_clip's CoCa.generate.
struct GenerateOptions {
  std::string generation_type = "beam_search";  ///< beam_search | top_p | top_k
  int seq_len = 30;     ///< tokens of a caption at most, start and end token included
  int min_seq_len = 5;  ///< no end token before so many
  double temperature = 1;
  double top_p = 0.1;  ///< draw from the words that have this probability together
  int top_k = 1;       ///< draw from the k best words; 1 = the greedy caption
  int num_beams = 6;
  int num_beam_groups = 3;
  double repetition_penalty = 1;  ///< of words that are there already; 1 = none
  std::uint64_t seed = 0;         ///< of drawing; the same seed gives the same words
  std::int32_t sot_token_id = 49406;
  std::int32_t eos_token_id = 49407;
};

/// A loaded model: immutable, usable by many threads at once. Copies are cheap and share the
/// weights.
class OPENCLIP_EXPORT Model {
 public:
  /// Image features, one row a picture. pixels: any number of pictures as Preprocess makes them,
  /// one after the other: [count, 3, height, width]. normalize: rows of length 1.
  /// Throws: InvalidArgument if the number of pixels fits no whole picture, or the image tower was
  /// not loaded.
  Matrix encode_image(std::span<const float> pixels, bool normalize = false) const;
  /// The same into memory of the caller: count * embed_dim() numbers.
  void encode_image(std::span<const float> pixels, std::span<float> out,
                    bool normalize = false) const;

  /// Text features, one row a text.
  /// Throws: InvalidArgument for a context_length beyond the model's, ids outside of the
  /// vocabulary, or if the text tower was not loaded.
  Matrix encode_text(const Tokens& tokens, bool normalize = false) const;
  /// The same on memory of the caller. ids: [count, context_length] with their padding, as a
  /// tokenizer makes them; out: count * embed_dim() numbers.
  void encode_text(std::span<const std::int32_t> ids, std::size_t context_length,
                   std::span<float> out, bool normalize = false) const;

  /// Captions that a CoCa writes about pictures, as token ids from the start token on: one row a
  /// picture, padded with 0 to the longest. Beam search and top_k = 1 give Python's tokens one for
  /// one; Tokenizer::decode() makes a text of a row.
  /// Throws: InvalidArgument for bad options, pixels that are no whole pictures, other models and
  /// where not both towers were loaded; Unsupported for CoCas with a text tower of transformers.
  Tokens generate(std::span<const float> pixels, const GenerateOptions& options = {}) const;

  /// The logarithm of what cosine similarities are multiplied with before the softmax, as
  /// open_clip's parameter of this name: std::exp(model.logit_scale()).
  float logit_scale() const;
  std::optional<float> logit_bias() const;  ///< models with a sigmoid loss have one

  const std::string& name() const;
  std::size_t embed_dim() const;  ///< numbers of a feature vector
  int image_size() const;         ///< height and width of the picture it sees, pixels
  int context_length() const;     ///< token ids of a text
  int vocab_size() const;
  Towers towers() const;
  const std::string& config() const;  ///< open_clip's model_cfg, JSON
  /// What was decided for the user (QuickGELU switched on, …), one line each; fit for a log.
  const std::vector<std::string>& notes() const;

  struct Impl;  // the engine's side, for the library itself
  explicit Model(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  const Impl& impl() const { return *impl_; }

 private:
  std::shared_ptr<const Impl> impl_;
};

struct ModelAndTransforms {
  Model model;
  Preprocess preprocess;
};

/// Finds and loads a model.
/// name: a name of list_models(), hf-hub:ORG/REPO, local-dir:FOLDER, or the path of a folder or of
/// a .json config; empty = the small model that ships with openclip.
/// What is not on this machine is downloaded into the hub's cache, unless HF_HUB_OFFLINE is set.
/// Throws: NotFound for unknown names and tags and absent files (the nearest names are suggested);
/// NetworkError; Unsupported; ParseError listing every tensor that is missing, unexpected or
/// mis-shaped.
OPENCLIP_EXPORT ModelAndTransforms create_model_and_transforms(const std::string& name = "",
                                                               const ModelOptions& options = {});

/// As create_model_and_transforms. In open_clip this is the variant that refuses to make a model
/// without weights; here there is no other.
OPENCLIP_EXPORT ModelAndTransforms create_model_from_pretrained(const std::string& name = "",
                                                                const ModelOptions& options = {});

/// Names of the models that are known, sorted.
OPENCLIP_EXPORT std::vector<std::string> list_models();

/// (model, tag) of all published checkpoints, in the order of the names.
OPENCLIP_EXPORT std::vector<std::pair<std::string, std::string>> list_pretrained();

/// Version of the library that runs; OPENCLIP_VERSION is that of the headers.
OPENCLIP_EXPORT const char* version();

}  // namespace openclip::v0
