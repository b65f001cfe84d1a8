// openclip models pull: downloads a model into the cache that Python's packages share.
#include <filesystem>

#include "cli/commands.h"
#include "cli/download_progress.h"
#include "cli/options.h"
#include "cli/output.h"
#include "io/json.h"
#include "models/registry.h"

namespace openclip {
namespace {

constexpr const char* kPullFooter =
    "\nGoes on where an interrupted download ended, checks what comes, and fetches nothing twice.\n"
    "HF_ENDPOINT, HF_TOKEN, HF_HOME, HF_HUB_CACHE and HF_HUB_OFFLINE are those of Python's\n"
    "huggingface_hub. Prints the path of the weights.\n"
    "\nExamples:\n"
    "  openclip models pull ViT-B-32:laion2b_s34b_b79k\n"
    "  openclip models pull hf-hub:laion/CLIP-ViT-B-32-laion2B-s34B-b79K --revision main";

struct PullOptions {
  std::string name, revision;
  bool json = false, quiet = false;
};

void check_revision(const std::string& revision) {
  check_arg(revision.empty() || is_revision(revision), "--revision '{}' is no revision", revision);
}

HubRepo wanted_repo(const PullOptions& options) {
  check_revision(options.revision);
  HubRepo repo = parse_hub_repo(options.name.substr(7));
  if (options.revision.empty()) return repo;
  check_arg(repo.revision == "main" || repo.revision == options.revision,
            "{} and --revision {} name two revisions", options.name, options.revision);
  repo.revision = options.revision;
  return repo;
}

PretrainedTag wanted_tag(const PullOptions& options) {
  check_revision(options.revision);
  const size_t colon = options.name.find(':');
  const std::string model = options.name.substr(0, colon);
  if (colon != std::string::npos) return registry_tag(model, options.name.substr(colon + 1));
  const std::vector<PretrainedTag> tags = registry_tags(model);
  if (tags.size() == 1) return tags.front();
  std::vector<std::string> names;
  for (const PretrainedTag& tag : tags) names.push_back(tag.tag);
  if (names.empty()) throw NotFound(model + " has no published weights");
  throw UsageError(fmt::format("say which weights of {}: {}:TAG with one of {}", model, model,
                               fmt::join(names, ", ")));
}

FetchedModel pull(const PullOptions& options, DownloadObserver& observer) {
  if (options.name.starts_with("hf-hub:"))
    return fetch_hub_model(wanted_repo(options), true, observer);
  return fetch_tag(wanted_tag(options), options.revision, observer);
}

OrderedJson to_json(const FetchedModel& model) {
  OrderedJson files = OrderedJson::array();
  for (const FetchedFile& file : model.files)
    files.push_back({{"name", file.name},
                     {"path", file.file.path},
                     {"bytes", std::filesystem::file_size(file.file.path)},
                     {"fetched", file.file.fetched}});
  return {{"source", model.source}, {"weights", model.weights}, {"files", files}};
}

int run_pull(const PullOptions& options) {
  DownloadProgress progress(options.quiet);
  const FetchedModel model = usage([&] { return pull(options, progress); });
  bool fetched = false;
  for (const FetchedFile& file : model.files) fetched = fetched || file.file.fetched;
  if (!fetched && !options.quiet) tell(model.source + " is here already and up to date");
  print(options.json ? to_json(model).dump(1) + "\n" : model.weights + "\n");
  return 0;
}

}  // namespace

void add_models_pull(Command& models, ChosenCommand& chosen) {
  Command* command = models.add_subcommand("pull", "download a model, or what is missing of it");
  const auto options = std::make_shared<PullOptions>();
  command->add_option("model", options->name, "NAME:TAG or hf-hub:ORG/REPO[@REVISION]")
      ->required()
      ->type_name("MODEL");
  command->add_option("--revision", options->revision, "branch, tag or commit of the repository");
  command->add_flag("--json", options->json, "what was fetched, as JSON");
  command->add_flag("--quiet", options->quiet, "errors only on stderr");
  command->footer(kPullFooter);
  command->callback([&chosen, options] { chosen = [options] { return run_pull(*options); }; });
}

}  // namespace openclip
