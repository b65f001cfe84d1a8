// From options to the parts of a run.
#pragma once

#include <memory>
#include <string>

#include "data/dataset.h"
#include "data/text_encoder.h"
#include "models/config/model_config.h"
#include "trainer/objective.h"
#include "trainer/options.h"

namespace openclip::train {

/// A model's config with the command line's changes, and where its files lie.
struct ModelSource {
  ModelConfig config;
  std::string weights;           // --pretrained, or the model folder's own; empty = from scratch
  std::string tokenizer_folder;  // empty = CLIP's own tokenizer
};

/// Finds the config that --model names. Throws: NotFound, ParseError, Unsupported.
ModelSource find_model(const Options& options);

/// Opens --train-data. Throws: NotFound, ParseError, InvalidArgument.
std::unique_ptr<Dataset> open_dataset(const Options& options, const ModelConfig& config,
                                      int processes, const Warn& log);

/// Opens --val-data. Throws: as open_dataset.
std::unique_ptr<Dataset> open_validation_data(const Options& options, const ModelConfig& config,
                                              const Warn& log);

/// --distill-model with its weights, on `device`. Throws: as find_model and load_weights.
Teacher load_teacher(const Options& options, const at::Device& device);

/// The model's tokenizer. Throws: NotFound, ParseError.
TextEncoder open_tokenizer(const ModelSource& source);

}  // namespace openclip::train
