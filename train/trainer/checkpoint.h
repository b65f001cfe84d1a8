// Checkpoint folders: LOGS/NAME/checkpoints/epoch_N/ with everything that a user of the model
// needs, and the trainer's own state beside it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "model/tensor_store.h"
#include "model/weights_file.h"
#include "models/config/model_config.h"
#include "optim/ema.h"
#include "optim/optimizer.h"

namespace openclip::train {

/// Where a run stands. Everything random follows from the seed and these.
struct Position {
  int64_t step = 0;   // optimiser steps done
  int64_t epoch = 0;  // epochs done, for names and logs
  uint64_t seed = 0;
  int64_t steps_per_epoch = 0;
  int64_t samples_per_step = 0;  // of all processes
  int64_t loss_scale = 1;        // of f16
  int64_t scaled_steps = 0;      // since the scale changed
};

/// The parts of a run that a checkpoint holds.
struct TrainingState {
  const ModelConfig& config;
  TensorStore& model;
  TensorStore& auxiliary;  // discarded heads, kept in trainer_state only
  Optimizer& optimizer;
  Ema* ema;                      // null = none
  std::string tokenizer_folder;  // its files are copied; empty = none
};

/// A copy of a run's state, which training goes on without disturbing.
struct Snapshot {
  ModelConfig config;
  TensorList weights = {}, averages = {}, trainer = {};  // on the CPU; averages: of the EMA, or empty
  StringMap metadata = {};
  std::string tokenizer_folder = {};
};

/// All processes of a job must call it; only the first gets a full snapshot.
Snapshot take_snapshot(const TrainingState& state, const Position& position, bool is_first);

/// Writes FOLDER/NAME: open_clip_model.safetensors, open_clip_config.json, tokenizer files,
/// trainer_state.safetensors, and ema/ likewise without trainer state. The folder appears, or
/// replaces an older one of that name, in one step, when it is complete.
void write_checkpoint(const std::string& folder, const std::string& name, const Snapshot& snapshot);

/// As write_checkpoint, without the trainer's state.
void write_model_folder(const std::string& folder, const std::string& name,
                        const Snapshot& snapshot);

/// Restores everything from a checkpoint folder. Throws: NotFound, ParseError.
Position load_checkpoint(const std::string& path, TrainingState& state);

/// The checkpoint in `folder` with the most steps; nullopt if there is none.
std::optional<std::string> latest_checkpoint(const std::string& folder);

/// Removes what processes that died have left half-written in `folder`.
void remove_unfinished(const std::string& folder);

}  // namespace openclip::train
