#include "serve/http/router.h"

#include <algorithm>

namespace openclip {
namespace {

bool matches(const Route& route, std::string_view path, std::string* parameter) {
  const size_t brace = route.path.find('{');
  if (brace == std::string::npos) return route.path == path;
  if (!path.starts_with(std::string_view(route.path).substr(0, brace))) return false;
  const std::string_view rest = path.substr(brace);
  if (rest.empty() || rest.find('/') != std::string_view::npos) return false;
  if (parameter != nullptr) *parameter = rest;
  return true;
}

}  // namespace

const Route& Router::find(std::string_view method, std::string_view path,
                          std::string* parameter) const {
  const std::string_view asked = method == "HEAD" ? "GET" : method;
  for (const Route& route : routes_)
    if (route.method == asked && matches(route, path, parameter)) return route;
  const std::string allowed = methods(path);
  if (allowed.empty())
    throw CallError(404,
                    fmt::format("there is no {}; GET /openapi.json lists what there is", path));
  throw CallError(405, fmt::format("{} does not answer {}, only {}", path, method, allowed));
}

std::string Router::methods(std::string_view path) const {
  std::string list;
  for (const Route& route : routes_) {
    if (!matches(route, path, nullptr)) continue;
    list += (list.empty() ? "" : ", ") + route.method;
    if (route.method == "GET") list += ", HEAD";
  }
  return list.empty() ? list : list + ", OPTIONS";
}

}  // namespace openclip
