#include "serve/service.h"

#include <thread>

#include "serve/api/health.h"
#include "serve/api/routes.h"

namespace openclip {

struct Service::Parts {
  explicit Parts(ServiceSettings settings_in)
      : settings(std::move(settings_in)),
        backend(settings.requests, settings.model_names, settings.urls, metrics),
        indices(settings.context, settings.indices) {
    add_health_routes(router, metrics, [this] { return not_ready(); });
    add_openai_routes(router, backend);
    add_classify_routes(router, backend);
    add_detect_routes(router, backend);
    add_clip_as_service_routes(router, backend);
    add_immich_routes(router, backend);
    add_search_routes(router, backend, indices);
    add_clip_retrieval_routes(router, backend, indices);
    add_page_routes(router);
    server = std::make_unique<Server>(router, metrics, settings.server);
  }

  std::string not_ready() const {
    if (!backend.ready()) return "the model is being loaded";
    if (server->stopping()) return "the server is stopping";
    if (server->queue().full()) return "the queue is full";
    return "";
  }

  void load(const ModelSource& source) {
    auto engine = std::make_unique<Engine>(settings.context, source, settings.batching,
                                           settings.requests, metrics);
    engine->warm_up();
    backend.set_engine(std::move(engine));
  }

  const ServiceSettings settings;
  Metrics metrics;
  Router router;
  Backend backend;
  IndexSet indices;
  std::unique_ptr<Server> server;  // last: its threads use the others
};

Service::Service(ServiceSettings settings) : parts_(std::make_unique<Parts>(std::move(settings))) {}

Service::~Service() = default;

std::string Service::address() const { return parts_->server->address(); }

void Service::run(const ModelSource& source, const std::function<void()>& on_ready) {
  std::exception_ptr problem;
  std::thread loader([&] {
    try {
      parts_->load(source);
      on_ready();
    } catch (...) {
      problem = std::current_exception();
      parts_->server->stop();
    }
  });
  parts_->server->run();
  loader.join();
  if (problem) std::rethrow_exception(problem);
}

}  // namespace openclip
