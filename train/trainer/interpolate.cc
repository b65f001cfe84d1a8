#include "trainer/interpolate.h"

#include <CLI/CLI.hpp>
#include <filesystem>

#include "base/error.h"
#include "trainer/checkpoint.h"
#include "trainer/setup.h"

namespace openclip::train {
namespace {

TensorStore load(const ModelConfig& config, const std::string& path) {
  TensorStore store = TensorStore::create(model_tensors(config), 0);
  load_weights(store, path);
  return store;
}

void mix(const std::string& zero_shot, const std::string& fine_tuned, double alpha,
         const std::string& out) {
  check_arg(!std::filesystem::exists(out), "--out {}: exists already", out);
  Options options;
  options.model = fine_tuned;
  const ModelSource source = find_model(options);
  if (source.weights.empty()) throw NotFound(fine_tuned + ": holds no weights");
  const TensorStore first = load(source.config, zero_shot);
  const TensorStore second = load(source.config, source.weights);
  Snapshot snapshot{.config = source.config, .tokenizer_folder = source.tokenizer_folder};
  for (const NamedParameter& entry : second.entries()) {
    const at::Tensor a = first.get(entry.name).detach(), b = entry.tensor.detach();
    snapshot.weights.emplace_back(entry.name, b.is_floating_point() ? a.lerp(b, alpha) : b);
  }
  const std::filesystem::path path = std::filesystem::absolute(out);
  std::filesystem::create_directories(path.parent_path());
  write_model_folder(path.parent_path(), path.filename(), snapshot);
}

}  // namespace

CommandLine interpolate(int argc, char** argv) {
  CLI::App app("Writes a model between two others (WiSE-FT).", "openclip-train interpolate");
  std::string zero_shot, fine_tuned, out;
  double alpha = 0.5;
  app.add_option("zero_shot", zero_shot, "Model folder or weights before fine-tuning")->required();
  app.add_option("fine_tuned", fine_tuned, "Model folder after fine-tuning")->required();
  app.add_option("--alpha", alpha, "0 = the first, 1 = the second")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--out", out, "New model folder")->required();
  try {
    app.parse(argc, argv);
    mix(zero_shot, fine_tuned, alpha, out);
  } catch (const CLI::CallForHelp&) {
    return {std::nullopt, app.help(), 0};
  } catch (const CLI::ParseError& error) {
    return {std::nullopt,
            fmt::format("openclip-train: {} (--help lists the flags)\n", error.what()), 2};
  }
  return {std::nullopt,
          fmt::format("{} is {} of the way from {} to {}\n", out, alpha, zero_shot, fine_tuned), 0};
}

}  // namespace openclip::train
