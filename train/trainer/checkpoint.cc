#include "trainer/checkpoint.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "io/safetensors.h"
#include "model/weights_file.h"

namespace openclip::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWeights = "open_clip_model.safetensors";
constexpr const char* kConfig = "open_clip_config.json";
constexpr const char* kState = "trainer_state.safetensors";
constexpr const char* kFormat = "openclip-train 2";

void copy_tokenizer(const std::string& from, const fs::path& to) {
  if (from.empty()) return;
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
                           "vocab.json", "merges.txt", "sentencepiece.bpe.model", "spiece.model"})
    if (fs::exists(fs::path(from) / name))
      fs::copy_file(fs::path(from) / name, to / name, fs::copy_options::overwrite_existing);
}

void write_model(const fs::path& folder, const TensorList& weights, const Snapshot& snapshot) {
  fs::create_directories(folder);
  write_tensors(folder / kWeights, weights, {{"format", "pt"}});
  write_file_atomic(folder / kConfig, open_clip_config_json(snapshot.config));
  copy_tokenizer(snapshot.tokenizer_folder, folder);
}

TensorList copies(const TensorList& tensors) {
  TensorList result;
  for (const auto& [name, tensor] : tensors)
    result.emplace_back(name, tensor.detach().to(at::kCPU, /*non_blocking=*/false, /*copy=*/true));
  return result;
}

// Adapters are merged into the weights, from which they cannot be told apart again: what is trained
// beside them is kept as it is.
bool has_adapters(const TensorStore& model) {
  for (const NamedParameter& entry : model.entries())
    if (entry.adapter) return true;
  return false;
}

constexpr const char* kTrained = "trained.";

// Position's members and their names in the file.
struct Member {
  const char* name;
  int64_t Position::*value;
};
constexpr Member kMembers[] = {{"step", &Position::step},
                               {"epoch", &Position::epoch},
                               {"steps_per_epoch", &Position::steps_per_epoch},
                               {"samples_per_step", &Position::samples_per_step},
                               {"loss_scale", &Position::loss_scale},
                               {"scaled_steps", &Position::scaled_steps}};

// Makes `complete` appear under `target`, replacing what is there; at no time is there neither.
void put_in_place(const fs::path& complete, const fs::path& target) {
  if (!fs::exists(target)) {
    fs::rename(complete, target);
    return;
  }
  if (::renameat2(AT_FDCWD, complete.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) != 0) {
    // Some network file systems cannot exchange: there is a moment without a target.
    const fs::path old = complete.string() + ".old";
    fs::rename(target, old);
    fs::rename(complete, target);
    fs::remove_all(old);
    return;
  }
  fs::remove_all(complete);
}

int64_t number(const StringMap& metadata, const std::string& key, const std::string& source) {
  const auto found = metadata.find(key);
  int64_t value = 0;
  if (found == metadata.end() ||
      std::from_chars(found->second.data(), found->second.data() + found->second.size(), value)
              .ec != std::errc())
    throw ParseError(source, "lacks the number '" + key + "'");
  return value;
}

}  // namespace

Snapshot take_snapshot(const TrainingState& state, const Position& position, bool is_first) {
  TensorList moments = state.optimizer.state();  // collected from all processes
  if (!is_first) return {};
  Snapshot snapshot{.config = state.config, .tokenizer_folder = state.tokenizer_folder};
  snapshot.weights = copies(named_weights(state.model));
  if (state.ema != nullptr) snapshot.averages = copies(named_weights(state.ema->weights()));
  snapshot.trainer = std::move(moments);
  TensorList more;
  for (const NamedParameter& entry : state.auxiliary.entries())
    more.emplace_back(entry.name, entry.tensor);
  if (has_adapters(state.model))
    for (const NamedParameter& entry : state.model.entries())
      if (entry.trainable) more.emplace_back(kTrained + entry.name, entry.tensor);
  for (auto& copy : copies(more)) snapshot.trainer.push_back(std::move(copy));
  snapshot.metadata = {{"format", kFormat}, {"seed", std::to_string(position.seed)}};
  for (const Member& member : kMembers)
    snapshot.metadata[member.name] = std::to_string(position.*member.value);
  return snapshot;
}

namespace {

void write_folder(const std::string& folder, const std::string& name, const Snapshot& snapshot,
                  bool with_trainer) {
  try {
    const fs::path temporary = fs::path(folder) / fmt::format(".{}.{}", name, ::getpid());
    fs::remove_all(temporary);
    write_model(temporary, snapshot.weights, snapshot);
    if (!snapshot.averages.empty()) write_model(temporary / "ema", snapshot.averages, snapshot);
    if (with_trainer) write_tensors(temporary / kState, snapshot.trainer, snapshot.metadata);
    put_in_place(temporary, fs::path(folder) / name);
  } catch (const fs::filesystem_error& error) {
    throw IoError(fmt::format("cannot save a checkpoint: {}", error.what()));
  }
}

}  // namespace

void write_checkpoint(const std::string& folder, const std::string& name,
                      const Snapshot& snapshot) {
  write_folder(folder, name, snapshot, /*with_trainer=*/true);
}

void write_model_folder(const std::string& folder, const std::string& name,
                        const Snapshot& snapshot) {
  write_folder(folder, name, snapshot, /*with_trainer=*/false);
}

void remove_unfinished(const std::string& folder) {
  if (!fs::is_directory(folder)) return;
  std::vector<fs::path> unfinished;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.path().filename().string().front() == '.') unfinished.push_back(entry.path());
  for (const fs::path& path : unfinished) fs::remove_all(path);
}

namespace {

void load_tensor(const SafetensorsFile& file, const std::string& source, const std::string& name,
                 const at::Tensor& target) {
  const auto found = file.tensors().find(name);
  if (found == file.tensors().end() || found->second.shape != target.sizes().vec())
    throw ParseError(source, "does not fit the losses or adapters asked for: '" + name + "'");
  target.detach().copy_(tensor_from_view(name, found->second));
}

}  // namespace

Position load_checkpoint(const std::string& path, TrainingState& state) {
  const fs::path folder = path;
  const std::string source = folder / kState;
  const SafetensorsFile file = SafetensorsFile::open(source);
  const auto format = file.metadata().find("format");
  if (format == file.metadata().end() || format->second != kFormat)
    throw ParseError(source, fmt::format("is no trainer state of format '{}'", kFormat));
  if (has_adapters(state.model)) {  // the constant weights are those of --pretrained
    for (NamedParameter& entry : state.model.entries())
      if (entry.trainable) load_tensor(file, source, kTrained + entry.name, entry.tensor);
  } else {
    load_weights(state.model, folder / kWeights);
  }
  if (state.ema != nullptr)
    load_weights(state.ema->weights(),
                 (fs::exists(folder / "ema") ? folder / "ema" : folder) / kWeights);
  for (NamedParameter& entry : state.auxiliary.entries())
    load_tensor(file, source, entry.name, entry.tensor);
  state.optimizer.load_state(file, source);
  Position position;
  position.seed = static_cast<uint64_t>(number(file.metadata(), "seed", source));
  for (const Member& member : kMembers)
    position.*member.value = number(file.metadata(), member.name, source);
  return position;
}

std::optional<std::string> latest_checkpoint(const std::string& folder) {
  std::optional<std::string> best;
  int64_t most = -1;
  if (!fs::is_directory(folder)) return best;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const fs::path state = entry.path() / kState;
    if (entry.path().filename().string().front() == '.' || !fs::exists(state)) continue;
    const int64_t step = number(SafetensorsFile::open(state).metadata(), "step", state);
    // A finished epoch is preferred to epoch_latest of the same step.
    if (step > most || (step == most && entry.path().filename() != "epoch_latest")) {
      most = step;
      best = entry.path();
    }
  }
  return best;
}

}  // namespace openclip::train
