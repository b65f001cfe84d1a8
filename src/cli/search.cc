// openclip search: what in an index is nearest to texts, pictures and items.
#include "tasks/search.h"

#include <charconv>
#include <filesystem>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "image/encode_png.h"
#include "index/place.h"
#include "io/jsonl_writer.h"
#include "io/npy.h"
#include "tasks/contact_sheet.h"
#include "tasks/features.h"
#include "tasks/picture_path.h"
#include "tasks/prepare_picture.h"

namespace openclip {
namespace {

constexpr size_t kMaxImageBytes = size_t{256} << 20;

constexpr const char* kSearchFooter =
    "\nSeveral --text, --image and --like are searched for together; --dislike leads away.\n"
    "\nExamples:\n"
    "  openclip search pictures.index --text \"a red heart\"\n"
    "  openclip search pictures.index --image photo.jpg -k 20 --json\n"
    "  openclip search shop.index --query '\"red dress\" + 0.5 image:dress.jpg - \"sleeves\"' \\\n"
    "      --where 'price < 100' --where 'brand = acme'\n"
    "  openclip search pictures.index --text \"a red heart\" -k 12 --sheet hearts.png\n"
    "  openclip search shop.index --like 17 --like 23 --dislike 40 --fold 0.95";

struct SearchOptions {
  CommonOptions common;
  std::string index;
  std::vector<std::string> texts, images, likes, dislikes, where;
  std::string query, vectors, sheet;
  SearchRequest request;
};

// An id, or the path of an item.
int64_t item_id(const Index& index, const std::string& text) {
  if (const auto id = index.find_path(text)) return *id;
  int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size())
    throw NotFound(fmt::format("'{}' is neither an id nor a path of the index", text));
  return id;
}

std::vector<QueryTerm> query_terms(const SearchOptions& options, const Index& index) {
  std::vector<QueryTerm> terms;
  if (!options.query.empty()) terms = usage([&] { return parse_query(options.query, true); });
  for (const std::string& text : options.texts) terms.emplace_back().what = text;
  for (const std::string& path : options.images)
    terms.emplace_back().what = ImageBytes{path, read_file(path, kMaxImageBytes)};
  std::vector<int64_t> likes, dislikes;
  for (const std::string& like : options.likes) likes.push_back(item_id(index, like));
  for (const std::string& dislike : options.dislikes) dislikes.push_back(item_id(index, dislike));
  for (QueryTerm& term : recommendation(likes, dislikes)) terms.push_back(std::move(term));
  return terms;
}

// Only what the terms need is loaded; ids alone need no model.
Searcher make_searcher(const SearchOptions& options, std::shared_ptr<const Index> index,
                       std::span<const QueryTerm> terms) {
  bool texts = false, images = false;
  for (const QueryTerm& term : terms) {
    texts = texts || std::holds_alternative<std::string>(term.what);
    images = images || std::holds_alternative<ImageBytes>(term.what);
  }
  const Context context = options.common.context();
  if (!texts && !images) return {context, std::move(index), nullptr, nullptr};
  const ModelSource source = find_model(options.common, Need::weights);
  usage([&] { check_same_space(place_name(options.index), index->space(), space_of(source)); });
  const Towers towers = texts && images ? Towers::both
                        : texts         ? Towers::text_only
                                        : Towers::image_only;
  return {
      context, std::move(index), load_model(context, source, {.towers = towers}),
      texts ? std::shared_ptr<const Tokenizer>(load_tokenizer(options.common, source)) : nullptr};
}

OrderedJson hit_json(const SearchHit& hit) {
  OrderedJson json = {{"id", hit.item.id}, {"path", hit.item.path}, {"score", hit.score}};
  if (!hit.item.title.empty()) json["title"] = hit.item.title;
  if (!hit.item.fields.empty()) json["fields"] = hit.item.fields;
  if (!hit.folded.empty()) json["folded"] = hit.folded;
  return json;
}

// What was asked, as the sheet's heading.
std::string heading_of(const SearchOptions& options) {
  std::vector<std::string> parts = options.texts;
  if (!options.query.empty()) parts.push_back(options.query);
  const auto add = [&](const char* sign, const std::vector<std::string>& names) {
    for (const std::string& name : names)
      parts.push_back(sign + std::filesystem::path(name).filename().string());
  };
  add("image ", options.images);
  add("like ", options.likes);
  add("not ", options.dislikes);
  return printable(fmt::format("{}", fmt::join(parts, " + ")));
}

// A picture that is gone leaves its place empty, and is told.
SheetCell cell_of(const SearchHit& hit) {
  SheetCell cell;
  const std::string problem = picture_problem(hit.item.path, [&] {
    cell.picture = decode_image(read_picture_path(hit.item.path, kMaxImageBytes), hit.item.path);
  });
  if (!problem.empty()) tell(problem);
  const std::string name = std::filesystem::path(hit.item.path).filename().string();
  cell.first_line = printable(hit.item.title.empty() ? name : hit.item.title);
  cell.second_line = fmt::format("{:.3f}  {}", hit.score, hit.item.id);
  return cell;
}

void write_sheet(const SearchOptions& options, const std::vector<SearchHit>& hits) {
  if (hits.empty()) throw NotFound("nothing was found, so there is no sheet to write");
  std::vector<SheetCell> cells;
  for (const SearchHit& hit : hits) cells.push_back(cell_of(hit));
  write_png(options.sheet, contact_sheet(cells, {.heading = heading_of(options)}));
}

// Each row of a .npy file asks for itself.
int search_vectors(const SearchOptions& options, std::shared_ptr<const Index> index) {
  const NpyFile file = NpyFile::open(options.vectors);
  const int64_t dim = index->space().dim;
  if (file.shape().size() != 2 || file.shape()[1] != dim)
    throw UsageError(fmt::format("{}: expected rows of {} numbers, as {} holds", options.vectors,
                                 dim, place_name(options.index)));
  std::vector<float> rows = file.to_floats();
  normalize_rows(rows, dim);
  OrderedJson json = OrderedJson::array();
  const IndexQuery ask{.k = options.request.k,
                       .where = options.request.where,
                       .exact = options.request.exact,
                       .width = options.request.width};
  for (const auto& hits : index->search(options.common.context(), rows, ask)) {
    OrderedJson& list = json.emplace_back(OrderedJson::array());
    std::vector<int64_t> ids;
    for (const Hit& hit : hits) ids.push_back(hit.id);
    const auto items = index->items(ids);
    for (size_t i = 0; i < hits.size(); ++i)
      list.push_back(
          {{"id", ids[i]}, {"path", items[i] ? items[i]->path : ""}, {"score", hits[i].score}});
  }
  print(json_line(json) + "\n");
  return 0;
}

int run_search(SearchOptions& options) {
  if (options.query.empty() && options.texts.empty() && options.images.empty() &&
      options.likes.empty() && options.vectors.empty())
    throw UsageError("nothing is searched for; give --text, --image, --like or --query");
  const std::shared_ptr<Index> index = open_index(options.index);
  for (const std::string& where : options.where)
    options.request.where.push_back(usage([&] { return parse_condition(where); }));
  if (!options.vectors.empty()) return search_vectors(options, index);
  options.request.terms = query_terms(options, *index);
  const Searcher searcher = make_searcher(options, index, options.request.terms);
  const std::vector<SearchHit> hits = usage([&] { return searcher.search(options.request); });
  if (!options.sheet.empty()) write_sheet(options, hits);
  if (options.common.json) {
    OrderedJson json = OrderedJson::array();
    for (const SearchHit& hit : hits) json.push_back(hit_json(hit));
    print(json_line(json) + "\n");
    return 0;
  }
  for (const SearchHit& hit : hits)
    print(fmt::format("{:.4f}  {:>6}  {}{}\n", hit.score, hit.item.id, printable(hit.item.path),
                      hit.item.title.empty() ? "" : "  " + printable(hit.item.title)));
  return 0;
}

}  // namespace

void add_search(Command& app, ChosenCommand& chosen) {
  Command* command = app.add_subcommand("search", "what in an index is nearest");
  const auto options = std::make_shared<SearchOptions>();
  add_common_options(*command, options->common);
  add_image_size(*command, options->common);
  command->add_option("index", options->index, "made by 'openclip index'")
      ->required()
      ->type_name("INDEX");
  const auto repeated = [&](const char* name, std::vector<std::string>& values, const char* help) {
    command->add_option(name, values, help)->take_all()->expected(1);
  };
  repeated("--text", options->texts, "what it should show; may repeat");
  repeated("--image", options->images, "a picture that it should be like; may repeat");
  repeated("--like", options->likes, "id or path of an item that is liked; may repeat");
  repeated("--dislike", options->dislikes, "id or path of an item that is not; may repeat");
  repeated("--where", options->where,
           "only items with FIELD OP VALUE, OP one of = != < <= > >= ~; may repeat");
  command->add_option("--query", options->query, "weighted terms; see the examples")
      ->type_name("EXPRESSION");
  auto* vectors = command
                      ->add_option("--vectors", options->vectors,
                                   "one search for each row of a .npy file; a JSON list of lists")
                      ->type_name("F.npy");
  command->add_option("-k,--top", options->request.k, "number of hits")
      ->capture_default_str()
      ->in_range(1, 1000000);
  command
      ->add_option("--relative-cut", options->request.relative_cut,
                   "only hits with at least this part of the best score, 0 to 1")
      ->type_name("PART");
  command
      ->add_option("--fold", options->request.fold,
                   "fold near-duplicates with at least this cosine into the better hit")
      ->type_name("COSINE");
  command
      ->add_option("--sheet", options->sheet,
                   "the hits on one sheet, with titles (or names) and scores")
      ->type_name("F.png")
      ->excludes(vectors);
  command->add_flag("--exact", options->request.exact, "look at all vectors, past the graph");
  command
      ->add_option("--width", options->request.width,
                   "of the search in the graph: wider misses less and takes longer")
      ->type_name("N");
  command->footer(kSearchFooter);
  command->callback([&chosen, options] { chosen = [options] { return run_search(*options); }; });
}

}  // namespace openclip
