// The web page, which is part of the program.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "serve/api/routes.h"

namespace openclip {

// Made by openclip_embed of web/*.
namespace embedded {
extern const std::string_view web_index_html, web_style_css, web_icon_svg, web_app_js, web_api_js,
    web_detail_js, web_grid_js, web_i18n_js, web_picture_js, web_scene_js, web_search_js;
}  // namespace embedded

namespace {

// Nothing from elsewhere, no scripts in the page itself, no frames around it.
constexpr const char* kContentPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

struct Asset {
  const char* path;
  const char* type;
  std::string_view bytes;
};

// The browser asks each time, and is told that it has the newest: programs change at a port.
Handler handler_of(const Asset& asset) {
  const std::string tag =
      fmt::format("\"{:016x}\"", XXH3_64bits(asset.bytes.data(), asset.bytes.size()));
  return [asset, tag](const Call& call) {
    Reply reply{.content_type = asset.type, .fixed_body = asset.bytes};
    if (call.header("if-none-match") == tag) reply = {.status = 304, .content_type = asset.type};
    reply.headers = {{"ETag", tag},
                     {"Cache-Control", "no-cache"},
                     {"Content-Security-Policy", kContentPolicy},
                     {"Referrer-Policy", "no-referrer"}};
    return reply;
  };
}

}  // namespace

void add_page_routes(Router& router) {
  constexpr const char* kScript = "text/javascript; charset=utf-8";
  const Asset assets[] = {
      {"/", "text/html; charset=utf-8", embedded::web_index_html},
      {"/assets/style.css", "text/css; charset=utf-8", embedded::web_style_css},
      {"/assets/icon.svg", "image/svg+xml", embedded::web_icon_svg},
      {"/assets/app.js", kScript, embedded::web_app_js},
      {"/assets/api.js", kScript, embedded::web_api_js},
      {"/assets/detail.js", kScript, embedded::web_detail_js},
      {"/assets/grid.js", kScript, embedded::web_grid_js},
      {"/assets/i18n.js", kScript, embedded::web_i18n_js},
      {"/assets/picture.js", kScript, embedded::web_picture_js},
      {"/assets/scene.js", kScript, embedded::web_scene_js},
      {"/assets/search.js", kScript, embedded::web_search_js},
  };
  for (const Asset& asset : assets)
    router.add({"GET", asset.path, handler_of(asset), Access::open, Place::at_once});
}

}  // namespace openclip
