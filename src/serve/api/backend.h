// What the handlers of the APIs share. Rank 6.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "serve/engine/engine.h"
#include "serve/http/call.h"
#include "serve/http/limits.h"
#include "serve/http/metrics.h"
#include "serve/http/router.h"
#include "serve/url/picture_fetch.h"

namespace openclip {

/// The model, which is loaded while the server already answers, and settings. Thread-safe.
class Backend {
 public:
  Backend(RequestLimits limits, std::vector<std::string> model_names, UrlPolicy urls,
          Metrics& metrics)
      : limits_(limits),
        model_names_(std::move(model_names)),
        urls_(std::move(urls)),
        metrics_(metrics) {}

  /// Throws: CallError 503 while it is not loaded.
  Engine& engine() const {
    Engine* loaded = engine_.load();
    if (loaded == nullptr) throw CallError(503, "the model is still being loaded", "", 1);
    return *loaded;
  }
  bool ready() const { return engine_.load() != nullptr; }
  void set_engine(std::unique_ptr<Engine> engine) {
    owned_ = std::move(engine);
    engine_ = owned_.get();
  }

  /// A name that a client gives to the model. Programs write the parts of a name with other signs
  /// between them ("ViT-B-32::openai", "ViT-B-32__openai"), so only letters and digits count.
  /// Throws: CallError 404 for another model's, since its vectors would be others.
  void check_model(const std::string& name) const;
  const std::string& model_name() const { return model_names_.front(); }
  const std::vector<std::string>& model_names() const { return model_names_; }

  /// Bytes of a picture that a client names: a data: URL, a URL (where the operator allows that),
  /// or bare base64. `name` names it in errors. Throws: ParseError, CallError.
  std::vector<uint8_t> picture(const Call& call, const std::string& text,
                               const std::string& name) const;

  const RequestLimits& limits() const { return limits_; }
  Metrics& metrics() const { return metrics_; }

 private:
  const RequestLimits limits_;
  const std::vector<std::string> model_names_;
  const UrlPolicy urls_;
  Metrics& metrics_;
  std::unique_ptr<Engine> owned_;
  std::atomic<Engine*> engine_{nullptr};
};

}  // namespace openclip
