// Is it alive, is it ready, how is it doing. Rank 6.
#pragma once

#include <functional>
#include <string>

#include "serve/api/backend.h"
#include "serve/http/router.h"

namespace openclip {

/// /openapi.json; /healthz and /livez (the process answers), /readyz and /health (it can take work:
/// the model is loaded and has computed, the queue has room, it is not stopping), /metrics.
/// not_ready: the reason, "" = ready.
void add_health_routes(Router& router, Metrics& metrics, std::function<std::string()> not_ready);

}  // namespace openclip
