// openclip index: vectors of many pictures, kept to be searched.
#include <algorithm>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "index/check.h"
#include "index/export.h"
#include "index/graph_build.h"
#include "index/index_writer.h"
#include "index/place.h"
#include "io/jsonl_writer.h"
#include "tasks/build_index.h"
#include "tasks/index_feed.h"
#include "tasks/search.h"

namespace openclip {
namespace {

constexpr const char* kIndexFooter =
    "\nRun it again to bring the index in step: new and changed pictures are added, what is gone "
    "from an\n"
    "input is removed, the rest is not computed again. It may be stopped or killed at any time and "
    "goes\n"
    "on from there.\n"
    "\nExamples:\n"
    "  openclip index pictures/ --out pictures.index\n"
    "  openclip index shards/*.tar --out shards.index --dtype f16\n"
    "  openclip index products.csv --out shop.index\n"
    "  openclip index features.npy --out features.index\n"
    "  openclip index pictures/ --out postgresql://user@host/shop";

struct IndexOptions {
  CommonOptions common;
  BuildRequest request;
  std::string out;
  std::string dtype;
  bool check = false;
  std::string faiss;
  bool graph = false;
  GraphOptions graph_options;
};

bool only_vectors(const std::vector<std::string>& inputs) {
  return std::all_of(inputs.begin(), inputs.end(), is_vector_input);
}

DType storage(const std::string& name) {
  if (name.empty()) return DType::f32;
  if (name == "f32" || name == "f16") return *dtype_from_name(name);
  if (name == "int8" || name == "i8") return DType::i8;
  throw UsageError("--dtype must be f32, f16 or int8, got '" + name + "'");
}

// Returns what is told of it.
OrderedJson add_graph(const IndexOptions& options) {
  ProgressLine progress("linked", options.common.quiet);
  const GraphReport report =
      build_index_graph(options.common.context(), options.out, options.graph_options,
                        [&](int64_t nodes) { progress.update(nodes); });
  progress.clear();
  if (report.quality.recall < options.graph_options.recall)
    tell(
        fmt::format("note: the graph finds {:.1f} % of the 10 nearest, less than the {:.1f} % that "
                    "were asked for; more --graph-links find more",
                    100 * report.quality.recall, 100 * options.graph_options.recall));
  return {{"vectors", report.nodes},
          {"recall_at_10", report.quality.recall},
          {"width", report.quality.width},
          {"bytes", report.bytes}};
}

OrderedJson counts_json(const IndexOptions& options, const IndexWriter& writer,
                        const BuildCounts& counts) {
  return {{"index", place_name(options.out)},
          {"items", writer.size()},
          {"added", counts.added},
          {"changed", counts.changed},
          {"unchanged", counts.unchanged},
          {"removed", counts.removed},
          {"skipped", counts.skipped},
          {"model", writer.space().model},
          {"dim", writer.space().dim},
          {"dtype", dtype_name(writer.space().dtype)}};
}

int check(const std::string& place) {
  const int64_t faults = check_index(place, [](const std::string& fault) { tell(fault); });
  if (faults > 0) return 1;
  print(fmt::format("{}: {} items, in order\n", place_name(place), open_index(place)->size()));
  return 0;
}

int run_index(const IndexOptions& options) {
  if (options.check) return check(options.out);
  if (!options.faiss.empty()) {
    const int64_t count = export_faiss(options.out, options.faiss);
    print(fmt::format("{}: {} vectors\n", options.faiss, count));
    return 0;
  }
  if (options.request.inputs.empty())
    throw UsageError("nothing to index; name folders, tar archives or EMB.npy");
  const Context context = options.common.context();
  // Vectors alone are of unknown origin, unless the user says which model made them.
  const bool needs_model = !only_vectors(options.request.inputs);
  std::shared_ptr<const Model> model;
  IndexSpace space{.model = "", .model_key = "", .dim = 0, .dtype = storage(options.dtype)};
  if (needs_model || !options.common.model.model.empty()) {
    const ModelSource source = find_model(options.common, Need::weights);
    space = space_of(source, space.dtype);
    if (needs_model) model = load_model(context, source, {.towers = Towers::image_only});
  } else {
    space.dim = usage([&] { return vector_dim(options.request.inputs.front()); });
  }
  const auto writer = open_index_writer(options.out, space);

  ProgressLine progress("items", options.common.quiet);
  BuildListener listener;
  listener.on_skipped = [&](const std::string& problem) {
    progress.clear();
    tell("skipped " + problem);
  };
  listener.on_progress = [&](const BuildCounts& counts, std::optional<int64_t> total) {
    progress.update(counts.done(), total);
  };
  const BuildCounts counts = build_index(context, model.get(), *writer, options.request, listener);
  progress.clear();
  OrderedJson graph;
  if (options.graph) graph = add_graph(options);
  if (options.common.json) {
    OrderedJson json = counts_json(options, *writer, counts);
    if (options.graph) json["graph"] = graph;
    print(json_line(json) + "\n");
  } else {
    print(fmt::format("{}: {} items ({} added, {} changed, {} unchanged, {} removed, {} skipped)\n",
                      place_name(options.out), writer->size(), counts.added, counts.changed,
                      counts.unchanged, counts.removed, counts.skipped));
    if (options.graph)
      print(fmt::format("graph: finds {:.1f} % of the 10 nearest, searching {} wide\n",
                        100 * graph["recall_at_10"].get<double>(), graph["width"].dump()));
  }
  if (counts.skipped == 0) return 0;
  tell(fmt::format("{} inputs could not be read; the rest is in {}", counts.skipped,
                   place_name(options.out)));
  return 1;
}

}  // namespace

void add_index(Command& app, ChosenCommand& chosen) {
  Command* command = app.add_subcommand("index", "pictures, to be searched later");
  const auto options = std::make_shared<IndexOptions>();
  add_common_options(*command, options->common);
  add_image_size(*command, options->common);
  command
      ->add_option("input", options->request.inputs,
                   "folders, pictures, tar archives, lists as .csv, .jsonl or .parquet, or vectors "
                   "as EMB.npy")
      ->type_name("DIR|TAR|CSV|EMB.npy");
  command
      ->add_option("--out", options->out,
                   "the folder of the index, or postgresql://… of a database with pgvector")
      ->required()
      ->type_name("INDEX");
  command->add_option("--dtype", options->dtype,
                      "of the vectors of a new index: f32, f16, int8 (not in a database)");
  command
      ->add_option("--commit-seconds", options->request.commit_seconds,
                   "how much work a kill may lose")
      ->capture_default_str()
      ->in_range(0.0, 3600.0);
  command->add_flag(
      "--graph", options->graph,
      "link the vectors for faster searches that may miss some, and measure how many");
  command->add_option("--graph-links", options->graph_options.links, "of each vector")
      ->capture_default_str()
      ->in_range(2, 1024);
  command
      ->add_option("--graph-width", options->graph_options.width, "of the searches while linking")
      ->capture_default_str()
      ->in_range(1, 100000);
  command
      ->add_option("--graph-recall", options->graph_options.recall,
                   "part of the 10 nearest that searches are made wide enough for")
      ->capture_default_str()
      ->in_range(0.0, 1.0);
  command
      ->add_option("--export-faiss", options->faiss,
                   "only write the index as a file for FAISS, with the same ids")
      ->type_name("F.index");
  command->add_flag("--check", options->check, "only compare all of the index with its checksums");
  command->add_option("--batch", options->request.batch, "pictures of one pass")
      ->capture_default_str()
      ->in_range(1, 4096);
  command->footer(kIndexFooter);
  command->callback([&chosen, options] { chosen = [options] { return run_index(*options); }; });
}

}  // namespace openclip
