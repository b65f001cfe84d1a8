// Checkpoint folders: LOGS/NAME/checkpoints/epoch_N/ with everything that a user of the model
// needs, and the trainer's own state beside it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "model/tensor_store.h"
#include "models/config/model_config.h"
#include "optim/adamw.h"
#include "optim/ema.h"

namespace openclip::train {

/// Where a run stands. Everything random follows from the seed and these.
struct Position {
  int64_t step = 0;   // optimiser steps done
  int64_t epoch = 0;  // epochs done, for names and logs
  uint64_t seed = 0;
  int64_t batches_per_epoch = 0;
};

/// The parts of a run that a checkpoint holds.
struct TrainingState {
  const ModelConfig& config;
  TensorStore& model;
  TensorStore& auxiliary;  // discarded heads, kept in trainer_state only
  AdamW& optimizer;
  Ema* ema;                      // null = none
  std::string tokenizer_folder;  // its files are copied; empty = none
};

/// Writes FOLDER/NAME: open_clip_model.safetensors, open_clip_config.json, tokenizer files,
/// trainer_state.safetensors, and ema/ likewise without trainer state. The folder appears, or
/// replaces an older one of that name, in one step, when it is complete.
void save_checkpoint(const std::string& folder, const std::string& name, const TrainingState& state,
                     const Position& position);

/// Restores everything from a checkpoint folder. Throws: NotFound, ParseError.
Position load_checkpoint(const std::string& path, TrainingState& state);

/// The checkpoint in `folder` with the most steps; nullopt if there is none.
std::optional<std::string> latest_checkpoint(const std::string& folder);

}  // namespace openclip::train
