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
constexpr const char* kFormat = "openclip-train 1";

void copy_tokenizer(const std::string& from, const fs::path& to) {
  if (from.empty()) return;
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
                           "vocab.json", "merges.txt", "sentencepiece.bpe.model", "spiece.model"})
    if (fs::exists(fs::path(from) / name))
      fs::copy_file(fs::path(from) / name, to / name, fs::copy_options::overwrite_existing);
}

void write_model(const fs::path& folder, const TensorStore& weights, const TrainingState& state) {
  fs::create_directories(folder);
  save_weights(weights, folder / kWeights);
  write_file_atomic(folder / kConfig, open_clip_config_json(state.config));
  copy_tokenizer(state.tokenizer_folder, folder);
}

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

void save_checkpoint(const std::string& folder, const std::string& name, const TrainingState& state,
                     const Position& position) {
  try {
    const fs::path temporary = fs::path(folder) / fmt::format(".{}.{}", name, ::getpid());
    fs::remove_all(temporary);
    write_model(temporary, state.model, state);
    if (state.ema != nullptr) write_model(temporary / "ema", state.ema->weights(), state);
    TensorList tensors = state.optimizer.state();
    for (const NamedParameter& entry : state.auxiliary.entries())
      tensors.emplace_back(entry.name, entry.tensor);
    write_tensors(temporary / kState, tensors,
                  {{"format", kFormat},
                   {"step", std::to_string(position.step)},
                   {"epoch", std::to_string(position.epoch)},
                   {"seed", std::to_string(position.seed)},
                   {"batches_per_epoch", std::to_string(position.batches_per_epoch)}});
    put_in_place(temporary, fs::path(folder) / name);
  } catch (const fs::filesystem_error& error) {
    throw IoError(fmt::format("cannot save a checkpoint: {}", error.what()));
  }
}

Position load_checkpoint(const std::string& path, TrainingState& state) {
  const fs::path folder = path;
  const std::string source = folder / kState;
  const SafetensorsFile file = SafetensorsFile::open(source);
  const auto format = file.metadata().find("format");
  if (format == file.metadata().end() || format->second != kFormat)
    throw ParseError(source, fmt::format("is no trainer state of format '{}'", kFormat));
  load_weights(state.model, folder / kWeights);
  if (state.ema != nullptr)
    load_weights(state.ema->weights(),
                 (fs::exists(folder / "ema") ? folder / "ema" : folder) / kWeights);
  for (NamedParameter& entry : state.auxiliary.entries()) {
    const auto found = file.tensors().find(entry.name);
    if (found == file.tensors().end() || found->second.shape != entry.tensor.sizes().vec())
      throw ParseError(source, "does not fit the losses asked for: '" + entry.name + "'");
    entry.tensor.detach().copy_(tensor_from_view(entry.name, found->second));
  }
  state.optimizer.load_state(file, source);
  Position position;
  position.step = number(file.metadata(), "step", source);
  position.epoch = number(file.metadata(), "epoch", source);
  position.seed = static_cast<uint64_t>(number(file.metadata(), "seed", source));
  position.batches_per_epoch = number(file.metadata(), "batches_per_epoch", source);
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
