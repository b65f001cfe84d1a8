// Connections: HTTP/1.1 in, Calls out. Rank 6.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "serve/http/api_keys.h"
#include "serve/http/call_queue.h"
#include "serve/http/limits.h"
#include "serve/http/metrics.h"
#include "serve/http/router.h"

namespace openclip {

/// What happened to one request, for the access log.
struct AccessRecord {
  std::string client, method, path;
  int status = 0;
  size_t bytes = 0;
  double seconds = 0;
};

struct ServerSettings {
  std::string host = "127.0.0.1";
  uint16_t port = 0;  // 0 = any free one
  HttpLimits limits{};
  QueueLimits queue{};
  std::vector<std::string> api_keys{};
  std::vector<std::string> cors_origins{};  // "*" = all; empty: no other origin may read answers
  std::vector<std::string> host_names{};    // see Server
  std::function<void(const AccessRecord&)> on_access{};
};

/// An HTTP/1.1 server of one thread for the connections and a CallQueue for the work. Requests that
/// two programs could read in two ways are refused (both Content-Length and Transfer-Encoding,
/// other codings than chunked, no or several Hosts). Where it listens on a loopback address only,
/// the Host header must be a loopback name, an IP address or one of host_names: a web page that
/// lets its own name point to 127.0.0.1 is otherwise same-origin with the server.
class Server {
 public:
  /// Binds at once. Throws: IoError naming the address and the reason.
  Server(const Router& router, Metrics& metrics, ServerSettings settings);
  ~Server();

  std::string address() const;  // "http://127.0.0.1:8080"

  /// Serves until SIGINT, SIGTERM or stop(): then takes no more connections, answers what is in
  /// work within limits.drain_timeout (a second signal ends that), and returns.
  void run();

  /// From any thread.
  void stop();

  bool stopping() const;
  const CallQueue& queue() const;

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace openclip
