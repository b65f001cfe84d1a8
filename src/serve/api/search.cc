// Search in an index, its items and their pictures.
#include "serve/api/index_set.h"
#include "serve/api/item_picture.h"
#include "serve/api/reply_json.h"
#include "serve/api/routes.h"
#include "serve/formats/data_url.h"
#include "serve/formats/json_body.h"
#include "serve/formats/query_string.h"

namespace openclip {
namespace {

constexpr int64_t kMaxPage = 1000;
constexpr int64_t kMaxId = INT64_MAX / 2;
constexpr int kMaxThumbnail = 2048;

OrderedJson item_json(const IndexSet& indices, const std::string& index, const Item& item) {
  return {{"id", item.id},
          {"path", item.path},
          {"title", item.title},
          {"fields", item.fields},
          {"picture", picture_path(indices, index, item.id)}};
}

std::vector<int64_t> ids_of(const Json& body, const char* name, size_t most) {
  std::vector<int64_t> ids;
  const Json* list = json_find(body, name);
  if (list == nullptr) return ids;
  if (!list->is_array() || list->size() > most)
    throw CallError(400, fmt::format("'{}' must be a list of at most {} ids", name, most), name);
  for (const Json& id : *list) {
    if (!id.is_number_integer()) throw CallError(400, "ids are whole numbers", name);
    ids.push_back(id.get<int64_t>());
  }
  return ids;
}

// A picture in a query becomes a vector at once; texts stay for query_vector.
void add_pictures(const Call& call, Backend& backend, const Json& body,
                  std::vector<QueryTerm>& terms) {
  const Json* image = json_find(body, "image");
  if (image == nullptr) return;
  std::vector<std::vector<uint8_t>> files;
  for (const std::string& text : json_strings(*image, "image", backend.limits().max_images))
    files.push_back(backend.picture(call, text, fmt::format("image {}", files.size())));
  const std::vector<float> rows = backend.engine().embed_images(call, files);
  const size_t dim = backend.engine().dim();
  for (size_t i = 0; i < files.size(); ++i)
    terms.emplace_back().what = std::vector<float>(rows.begin() + static_cast<long>(i * dim),
                                                   rows.begin() + static_cast<long>((i + 1) * dim));
}

std::vector<QueryTerm> terms_of(const Call& call, Backend& backend, const Json& body) {
  std::vector<QueryTerm> terms;
  if (const std::string query = json_get_or<std::string>(kBody, body, "query", ""); !query.empty())
    terms = parse_query(query, false);
  if (const Json* text = json_find(body, "text"))
    for (std::string& one : json_strings(*text, "text", backend.limits().max_texts))
      terms.emplace_back().what = std::move(one);
  add_pictures(call, backend, body, terms);
  const size_t most = backend.limits().max_texts;
  for (QueryTerm& term : recommendation(ids_of(body, "like", most), ids_of(body, "dislike", most)))
    terms.push_back(std::move(term));
  if (terms.empty())
    throw CallError(400, "nothing is searched for; send text, image, like or query");
  if (terms.size() > most) throw CallError(413, fmt::format("more than {} terms", most));
  return terms;
}

double part_of(const Json& body, const char* name) {
  const double value = json_get_or<double>(kBody, body, name, 0);
  if (!(value >= 0 && value <= 1))
    throw CallError(400, fmt::format("'{}' must be between 0 and 1", name), name);
  return value;
}

int64_t count_of(const Json& body, const char* name, int64_t fallback, int64_t least,
                 int64_t most) {
  const int64_t value = json_get_or<int64_t>(kBody, body, name, fallback);
  if (value < least || value > most)
    throw CallError(400, fmt::format("'{}' must be from {} to {}", name, least, most), name);
  return value;
}

Reply search(const Call& call, Backend& backend, const IndexSet& indices) {
  const Json body = parse_json_body(call.body, backend.limits());
  const std::string name = json_get_or<std::string>(kBody, body, "index", "");
  const Searcher& searcher = indices.find(name);
  const auto most = static_cast<int64_t>(backend.limits().max_results);
  const int64_t offset = count_of(body, "offset", 0, 0, most);
  SearchRequest request;
  request.k = static_cast<size_t>(offset + count_of(body, "k", 10, 1, kMaxPage));
  request.relative_cut = part_of(body, "relative_cut");
  request.fold = part_of(body, "fold");
  if (const Json* where = json_find(body, "where"))
    for (const std::string& condition : json_strings(*where, "where", 32))
      request.where.push_back(parse_condition(condition));
  request.terms = terms_of(call, backend, body);
  const std::vector<float> query = query_vector(call, backend, searcher, request.terms);
  const std::vector<SearchHit> hits = searcher.search(query, request);
  OrderedJson list = OrderedJson::array();
  for (size_t i = static_cast<size_t>(offset); i < hits.size(); ++i) {
    list.push_back(item_json(indices, name, hits[i].item));
    list.back()["score"] = hits[i].score;
    list.back()["folded"] = hits[i].folded;
  }
  return json_reply({{"hits", list}});
}

// Items in the order of their ids, for looking through an index.
Reply list_items(const Call& call, const IndexSet& indices) {
  const std::string name = query_value(call.query, "index");
  const Index& index = indices.find(name).index();
  const int64_t after = query_number(call.query, "after", 0, 0, kMaxId);
  const auto count = static_cast<size_t>(query_number(call.query, "k", 60, 1, kMaxPage));
  OrderedJson items = OrderedJson::array();
  int64_t last = after;
  for (const Item& item : index.items_after(after, count)) {
    items.push_back(item_json(indices, name, item));
    last = item.id;
  }
  const bool more = items.size() == count;
  return json_reply({{"items", items}, {"next", more ? OrderedJson(last) : nullptr}});
}

Reply describe(const IndexSet& indices) {
  OrderedJson list = OrderedJson::array();
  for (const std::string& name : indices.names()) {
    const Index& index = indices.find(name).index();
    list.push_back({{"name", name},
                    {"size", index.size()},
                    {"dimensions", index.space().dim},
                    {"model", index.space().model}});
  }
  return json_reply({{"indices", list}});
}

Reply picture(const Call& call, Backend& backend, const IndexSet& indices) {
  const Index& index = indices.find(query_value(call.query, "index")).index();
  const int64_t id = parse_number(call.parameter, "id", 0, kMaxId);
  const auto side = static_cast<int>(query_number(call.query, "size", 0, 0, kMaxThumbnail));
  const std::optional<Item> item = index.items(std::span(&id, 1)).front();
  if (!item) throw CallError(404, fmt::format("there is no item {}", id));
  PictureFile file = item_picture(call, backend.engine(), *item, side);
  Reply reply{.content_type = std::move(file.type), .body = {file.bytes.begin(), file.bytes.end()}};
  reply.headers = {{"Cache-Control", "private, max-age=300"},
                   {"Content-Security-Policy", "default-src 'none'; sandbox"}};
  return reply;
}

}  // namespace

void add_search_routes(Router& router, Backend& backend, const IndexSet& indices) {
  router.add({"GET", "/indices", [&indices](const Call&) { return describe(indices); }});
  router.add({"GET", "/items", [&indices](const Call& call) { return list_items(call, indices); }});
  router.add({"POST", "/search", [&](const Call& call) { return search(call, backend, indices); }});
  router.add(
      {"GET", "/pictures/{id}", [&](const Call& call) { return picture(call, backend, indices); }});
}

}  // namespace openclip
