// clip-as-service: encode and rank behind one /post.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "serve/api/mixed_embed.h"
#include "serve/api/reply_json.h"
#include "serve/api/routes.h"
#include "serve/formats/json_body.h"

namespace openclip {
namespace {

// clip-as-service multiplies cosines with 100 whatever the model's own scale is.
constexpr double kLogitScale = 100;

EmbeddingInput input_of(const Json& document) {
  const auto member = [&](const char* name) {
    return json_get_or<std::string>("document", document, name, "");
  };
  if (std::string text = member("text"); !text.empty()) return text;
  if (std::string blob = member("blob"); !blob.empty()) return PictureText{std::move(blob)};
  if (std::string uri = member("uri"); !uri.empty()) return PictureText{std::move(uri)};
  throw CallError(400, "a document needs 'text', 'blob' or 'uri'", "data");
}

std::vector<EmbeddingInput> inputs_of(const Json& documents, const Backend& backend) {
  if (!documents.is_array() || documents.empty())
    throw CallError(400, "expected a list of documents", "data");
  if (documents.size() > backend.limits().max_texts)
    throw CallError(413, fmt::format("more than {} documents", backend.limits().max_texts), "data");
  std::vector<EmbeddingInput> inputs;
  for (const Json& document : documents) inputs.push_back(input_of(document));
  return inputs;
}

// What identifies a document in the answer; its picture's bytes are not sent back.
OrderedJson echo(const Json& document, size_t number) {
  OrderedJson out;
  out["id"] = json_get_or<std::string>("document", document, "id", std::to_string(number));
  for (const char* name : {"text", "uri", "mime_type"})
    if (const Json* value = json_find(document, name); value != nullptr && value->is_string()) {
      const auto& text = value->get_ref<const std::string&>();
      if (!text.starts_with("data:")) out[name] = text;
    }
  return out;
}

OrderedJson encode(const Call& call, Backend& backend, const Json& documents) {
  const std::vector<float> rows = embed_inputs(call, backend, inputs_of(documents, backend));
  const size_t dim = backend.engine().dim();
  OrderedJson data = OrderedJson::array();
  for (size_t i = 0; i < documents.size(); ++i) {
    data.push_back(echo(documents[i], i));
    data.back()["embedding"] = std::vector<float>(rows.begin() + static_cast<long>(i * dim),
                                                  rows.begin() + static_cast<long>((i + 1) * dim));
  }
  return data;
}

// Softmax of 100 * cosine over the matches of one document, best first.
OrderedJson ranked(const Json& matches, std::span<const float> query, std::span<const float> rows) {
  const size_t dim = query.size(), count = matches.size();
  std::vector<double> cosines(count), scores(count);
  for (size_t i = 0; i < count; ++i)
    cosines[i] = std::inner_product(query.begin(), query.end(),
                                    rows.begin() + static_cast<long>(i * dim), 0.0);
  const double most = *std::max_element(cosines.begin(), cosines.end());
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += scores[i] = std::exp(kLogitScale * (cosines[i] - most));
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  OrderedJson out = OrderedJson::array();
  for (const size_t i : order) {
    out.push_back(echo(matches[i], i));
    out.back()["scores"] = {{"clip_score", {{"value", scores[i] / sum}}},
                            {"clip_score_cosine", {{"value", cosines[i]}}}};
  }
  return out;
}

OrderedJson rank(const Call& call, Backend& backend, const Json& documents) {
  const std::vector<EmbeddingInput> queries = inputs_of(documents, backend);
  const size_t dim = backend.engine().dim();
  OrderedJson data = OrderedJson::array();
  for (size_t i = 0; i < queries.size(); ++i) {
    const Json* matches = json_find(documents[i], "matches");
    if (matches == nullptr) throw CallError(400, "a document to rank needs 'matches'", "data");
    std::vector<EmbeddingInput> inputs = inputs_of(*matches, backend);
    inputs.push_back(queries[i]);
    const std::vector<float> rows = embed_inputs(call, backend, inputs);
    const std::span<const float> all(rows);
    data.push_back(echo(documents[i], i));
    data.back()["matches"] = ranked(*matches, all.last(dim), all.first(rows.size() - dim));
  }
  return data;
}

Reply post(const Call& call, Backend& backend) {
  const Json body = parse_json_body(call.body, backend.limits());
  const Json* documents = json_find(body, "data");
  if (documents == nullptr) throw CallError(400, "'data' is missing", "data");
  std::string endpoint = json_get_or<std::string>(kBody, body, "execEndpoint", "/");
  OrderedJson data;
  if (endpoint == "/" || endpoint == "/encode")
    data = encode(call, backend, *documents);
  else if (endpoint == "/rank")
    data = rank(call, backend, *documents);
  else
    throw CallError(400, "'execEndpoint' must be / (encode) or /rank", "execEndpoint");
  return json_reply({{"header",
                      {{"requestId", json_get_or<std::string>(kBody, body, "requestId", "")},
                       {"execEndpoint", endpoint}}},
                     {"parameters", OrderedJson::object()},
                     {"routes", OrderedJson::array()},
                     {"data", data}});
}

}  // namespace

void add_clip_as_service_routes(Router& router, Backend& backend) {
  router.add({"POST", "/post", [&backend](const Call& call) { return post(call, backend); }});
}

}  // namespace openclip
