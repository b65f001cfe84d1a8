// Immich's machine-learning service: CLIP vectors for its "smart search".
#include "serve/api/reply_json.h"
#include "serve/api/routes.h"
#include "serve/formats/float_json.h"
#include "serve/formats/json_body.h"
#include "serve/formats/multipart.h"

namespace openclip {
namespace {

const std::string& required_text(const std::vector<FormPart>& parts, const char* name,
                                 std::string* text) {
  const FormPart* part = find_part(parts, name);
  if (part == nullptr) throw CallError(422, fmt::format("the form has no part '{}'", name), name);
  *text = part->data;
  return *text;
}

// The entry of "visual" or "textual"; its model must be ours.
bool asks_for(const Json& clip, const char* kind, const Backend& backend) {
  const Json* entry = json_find(clip, kind);
  if (entry == nullptr) return false;
  backend.check_model(json_get<std::string>("entries", *entry, "modelName"));
  return true;
}

Reply predict(const Call& call, Backend& backend) {
  Engine& engine = backend.engine();
  const std::vector<FormPart> parts = parse_multipart(call.header("content-type"), call.body);
  std::string text;
  const Json entries = parse_json_body(required_text(parts, "entries", &text), backend.limits());
  const Json* clip = json_find(entries, "clip");
  if (clip == nullptr || entries.size() != 1)
    throw CallError(422, "only the entry 'clip' is answered here", "entries");
  const bool visual = asks_for(*clip, "visual", backend);
  if (visual == asks_for(*clip, "textual", backend))
    throw CallError(422, "'clip' needs one of 'visual' and 'textual'", "entries");
  std::vector<float> features;
  std::string size;
  if (visual) {
    const FormPart* part = find_part(parts, "image");
    if (part == nullptr) throw CallError(422, "the form has no part 'image'", "image");
    if (part->data.size() > backend.limits().max_image_bytes)
      throw CallError(
          413, fmt::format("a picture of more than {} bytes", backend.limits().max_image_bytes),
          "image");
    std::vector<std::vector<uint8_t>> files;
    files.emplace_back(part->data.begin(), part->data.end());
    PictureSize picture;
    features = engine.embed_images(call, files, &picture);
    size = fmt::format(R"(,"imageHeight":{},"imageWidth":{})", picture.height, picture.width);
  } else {
    features =
        engine.embed_texts(call, std::vector<std::string>{required_text(parts, "text", &text)});
  }
  // Immich wants the vector as a string that holds JSON.
  Reply reply{.body = R"({"clip":")"};
  append_json(features, &reply.body);
  reply.body += "\"" + size + "}";
  return reply;
}

}  // namespace

void add_immich_routes(Router& router, Backend& backend) {
  router.add({"POST", "/predict", [&backend](const Call& call) { return predict(call, backend); }});
  router.add({"GET", "/ping",
              [](const Call&) { return Reply{.content_type = "text/plain", .body = "pong"}; },
              Access::open, Place::at_once});
}

}  // namespace openclip
