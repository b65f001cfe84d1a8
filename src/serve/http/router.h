// Which handler answers which path. Rank 6.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "serve/http/call.h"

namespace openclip {

using Handler = std::function<Reply(const Call&)>;

/// Who may call a route when there are API keys.
enum class Access { keyed, open };

/// Where a route's handler runs: quick ones on the thread of the connections, so that health can be
/// asked of an overloaded server; those that compute wait in the queue.
enum class Place { queued, at_once };

struct Route {
  std::string method;  // GET also answers HEAD
  std::string path;    // exact, or with one {name} as its last part
  Handler handler;
  Access access = Access::keyed;
  Place place = Place::queued;
};

/// A table of routes. Immutable once the server runs.
class Router {
 public:
  void add(Route route) { routes_.push_back(std::move(route)); }

  /// The route of a method and a decoded path; *parameter takes what stands for {name}.
  /// Throws: CallError 404 for an unknown path, 405 (naming the methods) for an unknown method.
  const Route& find(std::string_view method, std::string_view path, std::string* parameter) const;

  /// "GET, HEAD, OPTIONS" of a path; empty for an unknown one.
  std::string methods(std::string_view path) const;

  const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

}  // namespace openclip
