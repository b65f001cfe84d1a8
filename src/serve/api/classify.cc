// Zero-shot classification.
#include "serve/api/reply_json.h"
#include "serve/api/routes.h"
#include "serve/formats/json_body.h"
#include "tasks/labels.h"

namespace openclip {
namespace {

struct ClassifyRequest {
  std::vector<std::vector<uint8_t>> pictures;
  std::vector<std::string> labels;
  std::vector<std::string> templates;
  size_t top = 0;  // 0 = all
};

std::vector<std::string> labels_of(const Json& body, const Backend& backend) {
  if (const Json* labels = json_find(body, "labels")) {
    std::vector<std::string> list = json_strings(*labels, "labels", backend.limits().max_labels);
    if (list.empty()) throw CallError(400, "'labels' is empty", "labels");
    return list;
  }
  const std::string language = json_get_or<std::string>(kBody, body, "language", "");
  if (language.find('/') != std::string::npos || language.find('.') != std::string::npos)
    throw CallError(400, "'language' must be a code such as en", "language");
  return model_labels(backend.engine().source().folder, language);
}

ClassifyRequest read_request(const Call& call, const Backend& backend) {
  const Json body = parse_json_body(call.body, backend.limits());
  if (const std::string model = json_get_or<std::string>(kBody, body, "model", ""); !model.empty())
    backend.check_model(model);
  ClassifyRequest request;
  const Json* image = json_find(body, "image");
  if (image == nullptr) throw CallError(400, "'image' is missing", "image");
  for (const std::string& text : json_strings(*image, "image", backend.limits().max_images))
    request.pictures.push_back(
        backend.picture(call, text, fmt::format("image {}", request.pictures.size())));
  request.labels = labels_of(body, backend);
  request.templates = {"{}"};
  if (const Json* templates = json_find(body, "templates"))
    request.templates = json_strings(*templates, "templates", backend.limits().max_prompts);
  if (request.labels.size() * request.templates.size() > backend.limits().max_prompts &&
      json_find(body, "labels") != nullptr)
    throw CallError(
        413,
        fmt::format("more than {} prompts (labels times templates)", backend.limits().max_prompts),
        "labels");
  const int64_t top = json_get_or<int64_t>(kBody, body, "top", 5);
  if (top < 0) throw CallError(400, "'top' must not be negative", "top");
  request.top = static_cast<size_t>(top);
  return request;
}

Reply classify(const Call& call, Backend& backend) {
  Engine& engine = backend.engine();
  const ClassifyRequest request = read_request(call, backend);
  const auto classifier = engine.classifier(call, request.labels, request.templates);
  const std::vector<float> features = engine.embed_images(call, request.pictures);
  const size_t dim = engine.dim();
  OrderedJson results = OrderedJson::array();
  for (size_t i = 0; i < request.pictures.size(); ++i) {
    OrderedJson labels = OrderedJson::array();
    const std::span<const float> row(features.data() + i * dim, dim);
    for (const ScoredLabel& item :
         classifier->top(row, request.top == 0 ? request.labels.size() : request.top))
      labels.push_back({{"label", item.label}, {"score", item.score}});
    results.push_back({{"index", i}, {"labels", labels}});
  }
  return json_reply({{"model", backend.model_name()}, {"results", results}});
}

}  // namespace

void add_classify_routes(Router& router, Backend& backend) {
  router.add(
      {"POST", "/classify", [&backend](const Call& call) { return classify(call, backend); }});
}

}  // namespace openclip
