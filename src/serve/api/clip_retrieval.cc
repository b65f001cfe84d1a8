// The back end of clip-retrieval: what its ClipClient and its page ask.
#include "serve/api/index_set.h"
#include "serve/api/item_picture.h"
#include "serve/api/reply_json.h"
#include "serve/api/routes.h"
#include "serve/formats/base64.h"
#include "serve/formats/json_body.h"

namespace openclip {
namespace {

constexpr double kNearDuplicate = 0.94;  // clip-retrieval's own threshold
constexpr int kPictureSide = 512;        // of the pictures in an answer
constexpr int64_t kMaxPictures = 200;    // with their bytes

std::vector<QueryTerm> term_of(const Call& call, Backend& backend, const Json& body) {
  const auto member = [&](const char* name) {
    return json_get_or<std::string>(kBody, body, name, "");
  };
  std::vector<QueryTerm> terms(1);
  const auto use_picture = [&](const std::string& text) {
    const std::vector<std::vector<uint8_t>> files = {backend.picture(call, text, "image")};
    terms[0].what = backend.engine().embed_images(call, files);
  };
  // The first that is not empty, in clip-retrieval's order.
  if (std::string text = member("text"); !text.empty()) {
    terms[0].what = std::move(text);
  } else if (const std::string image = member("image"); !image.empty()) {
    use_picture(image);
  } else if (const std::string url = member("image_url"); !url.empty()) {
    if (!url.starts_with("http://") && !url.starts_with("https://"))
      throw CallError(400, "'image_url' must begin with http:// or https://", "image_url");
    use_picture(url);
  } else if (const Json* vector = json_find(body, "embedding_input")) {
    terms[0].what = json_floats(*vector, "embedding_input", size_t{1} << 16);
  } else {
    throw CallError(400, "send text, image, image_url or embedding_input");
  }
  return terms;
}

// The columns of clip-retrieval's metadata.
OrderedJson metadata(const Item& item) {
  OrderedJson json = OrderedJson(item.fields);
  if (!json.is_object()) json = OrderedJson::object();
  json["image_path"] = item.path;
  if (!item.title.empty() && !json.contains("caption")) json["caption"] = item.title;
  return json;
}

// A picture that is gone leaves its place empty; the hit stands.
void add_picture(const Call& call, Engine& engine, const Item& item, OrderedJson& json) {
  try {
    json["image"] = base64_encode(item_picture(call, engine, item, kPictureSide).bytes);
  } catch (const CallError&) {
    throw;
  } catch (const Error&) {
  }
}

Reply knn_service(const Call& call, Backend& backend, const IndexSet& indices) {
  const Json body = parse_json_body(call.body, backend.limits());
  const Searcher& searcher = indices.find(json_get<std::string>(kBody, body, "indice_name"));
  if (json_get<std::string>(kBody, body, "modality") != "image")
    throw CallError(400, "only pictures are indexed here; 'modality' must be image", "modality");
  const auto most = static_cast<int64_t>(backend.limits().max_results);
  const int64_t described = json_get<int64_t>(kBody, body, "num_images");
  const int64_t count = json_get_or<int64_t>(kBody, body, "num_result_ids", described);
  if (described < 1 || count < 1 || described > most || count > most)
    throw CallError(400, fmt::format("numbers of results must be from 1 to {}", most));
  SearchRequest request;
  request.k = static_cast<size_t>(std::max(described, count));
  request.fold = json_get_or<bool>(kBody, body, "deduplicate", false) ? kNearDuplicate : 0;
  request.terms = term_of(call, backend, body);
  const std::vector<float> query = query_vector(call, backend, searcher, request.terms);
  OrderedJson list = OrderedJson::array();
  for (const SearchHit& hit : searcher.search(query, request)) {
    const auto place = static_cast<int64_t>(list.size());
    OrderedJson json = place < described ? metadata(hit.item) : OrderedJson(OrderedJson::object());
    if (place < std::min(described, kMaxPictures))
      add_picture(call, backend.engine(), hit.item, json);
    json["id"] = hit.item.id;
    json["similarity"] = hit.score;
    list.push_back(std::move(json));
  }
  return json_reply(list);
}

Reply metadata_of(const Call& call, Backend& backend, const IndexSet& indices) {
  const Json body = parse_json_body(call.body, backend.limits());
  const Index& index = indices.find(json_get<std::string>(kBody, body, "indice_name")).index();
  const Json* list = json_find(body, "ids");
  if (list == nullptr || !list->is_array() || list->size() > backend.limits().max_results)
    throw CallError(
        400, fmt::format("'ids' must be a list of at most {} ids", backend.limits().max_results),
        "ids");
  std::vector<int64_t> ids;
  for (const Json& id : *list) {
    if (!id.is_number_integer()) throw CallError(400, "'ids' must be whole numbers", "ids");
    ids.push_back(id.get<int64_t>());
  }
  OrderedJson answer = OrderedJson::array();
  for (const std::optional<Item>& item : index.items(ids))
    if (item) answer.push_back({{"id", item->id}, {"metadata", metadata(*item)}});
  return json_reply(answer);
}

}  // namespace

void add_clip_retrieval_routes(Router& router, Backend& backend, const IndexSet& indices) {
  router.add({"GET", "/indices-list",
              [&indices](const Call&) { return json_reply(OrderedJson(indices.names())); },
              Access::keyed, Place::at_once});
  router.add({"POST", "/knn-service",
              [&](const Call& call) { return knn_service(call, backend, indices); }});
  router.add(
      {"POST", "/metadata", [&](const Call& call) { return metadata_of(call, backend, indices); }});
}

}  // namespace openclip
