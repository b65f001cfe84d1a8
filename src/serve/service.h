// The whole server: model, APIs, connections. Rank 6.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/factory.h"
#include "serve/api/index_set.h"
#include "serve/engine/batcher.h"
#include "serve/http/server.h"
#include "serve/url/picture_fetch.h"

namespace openclip {

struct ServiceSettings {
  Context context{};
  ServerSettings server{};
  RequestLimits requests{};
  BatchSettings batching{};
  UrlPolicy urls{};
  std::vector<NamedIndex> indices{};
  std::vector<std::string> model_names{};  // that clients may use; the first one is told to them
};

/// Answers from the first moment on: until the model is loaded and has computed once, /readyz and
/// what needs it answer 503.
class Service {
 public:
  /// Binds the address. Throws: as Server.
  explicit Service(ServiceSettings settings);
  ~Service();

  std::string address() const;

  /// Loads the model beside and serves until a signal (see Server::run). on_ready is called once,
  /// from another thread, when everything is loaded. Throws: what loading threw.
  void run(const ModelSource& source, const std::function<void()>& on_ready);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace openclip
