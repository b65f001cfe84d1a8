// The model behind the server: pictures and texts of requests in, vectors out. Rank 6.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "image/image.h"
#include "image/preprocess.h"
#include "models/factory.h"
#include "serve/engine/batcher.h"
#include "serve/engine/gate.h"
#include "serve/http/limits.h"
#include "serve/http/metrics.h"
#include "tasks/detect.h"
#include "tasks/zero_shot.h"

namespace openclip {

struct PictureSize {
  int width = 0, height = 0;  // pixels
};

struct TextUsage {
  int64_t tokens = 0;      // of all texts, start and end included
  bool truncated = false;  // some text did not fit the model's context
};

/// Thread-safe. What can take long stops at the call's deadline with a CallError 503.
class Engine {
 public:
  Engine(const Context& context, ModelSource source, const BatchSettings& batching,
         const RequestLimits& limits, Metrics& metrics);

  /// L2-normalised features [texts, dim]. Throws: CallError for too many or too long texts.
  std::vector<float> embed_texts(const Call& call, std::span<const std::string> texts,
                                 TextUsage* usage = nullptr);

  /// The same from token ids, start and end included. Throws: CallError for ids beyond the
  /// vocabulary and lists longer than the context.
  std::vector<float> embed_ids(const Call& call, std::vector<std::vector<int32_t>> ids);

  /// L2-normalised features [pictures, dim] of picture files. Throws: CallError for too many;
  /// ParseError for what is no picture, naming its number. last_size: of the last one, may be null.
  std::vector<float> embed_images(const Call& call, std::span<const std::vector<uint8_t>> files,
                                  PictureSize* last_size = nullptr);

  /// Decodes one picture within the limits. Throws: ParseError.
  Image decode(const Call& call, std::span<const uint8_t> file, const std::string& name);

  /// A classifier for labels and templates; the last ones are kept. Texts are computed with those
  /// of other requests.
  std::shared_ptr<const ZeroShotClassifier> classifier(const Call& call,
                                                       const std::vector<std::string>& labels,
                                                       const std::vector<std::string>& templates);

  /// One pass through both towers. Throws: errors of the towers.
  void warm_up();

  const Context& context() const { return context_; }
  const ModelSource& source() const { return source_; }
  const Model& model() const { return *model_; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  const RequestLimits& limits() const { return limits_; }
  size_t dim() const { return static_cast<size_t>(source_.config.embed_dim); }
  /// For work that takes all cores by itself (detection): one request at a time.
  Gate& heavy() { return heavy_; }
  /// Made when it is first asked for. Throws: errors of reading the model's list of labels.
  const Detector& detector();

 private:
  void forward(BatchKind kind, std::span<const BatchItem* const> items, float* out);

  const Context context_;
  const ModelSource source_;
  const RequestLimits limits_;
  const std::shared_ptr<const Model> model_;
  const std::shared_ptr<const Tokenizer> tokenizer_;
  const PreprocessConfig preprocess_;
  Gate decoding_;  // decoded pictures are large: as many at once as there are cores
  Gate heavy_{1};

  struct KeptClassifier {
    std::vector<std::string> labels, templates;
    std::shared_ptr<const ZeroShotClassifier> classifier;
  };
  std::mutex kept_mutex_;
  std::deque<KeptClassifier> kept_;  // most recent first

  std::once_flag detector_once_;
  std::unique_ptr<const Detector> detector_;

  std::optional<Batcher> batcher_;  // last: its thread uses the others
};

}  // namespace openclip
