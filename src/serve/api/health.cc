#include "serve/api/health.h"

#include "serve/api/reply_json.h"

namespace openclip {

namespace embedded {
extern const std::string_view openapi_json;
}

void add_health_routes(Router& router, Metrics& metrics, std::function<std::string()> not_ready) {
  const auto alive = [](const Call&) { return json_reply({{"status", "ok"}}); };
  const auto ready = [not_ready](const Call&) {
    const std::string reason = not_ready();
    if (reason.empty()) return json_reply({{"status", "ready"}});
    Reply reply = json_reply({{"status", "not ready"}, {"reason", reason}});
    reply.status = 503;
    reply.headers.emplace_back("Retry-After", "1");
    return reply;
  };
  for (const char* path : {"/healthz", "/livez"})
    router.add({"GET", path, alive, Access::open, Place::at_once});
  for (const char* path : {"/readyz", "/health"})
    router.add({"GET", path, ready, Access::open, Place::at_once});
  router.add({"GET", "/openapi.json",
              [](const Call&) { return Reply{.fixed_body = embedded::openapi_json}; }, Access::open,
              Place::at_once});
  router.add({"GET", "/metrics",
              [&metrics](const Call&) {
                return Reply{.content_type = "text/plain; version=0.0.4", .body = metrics.text()};
              },
              Access::keyed, Place::at_once});
}

}  // namespace openclip
