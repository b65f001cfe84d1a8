// What a run is made of, from the options.
#pragma once

#include <memory>
#include <string>

#include "data/loader.h"
#include "dist/connect.h"
#include "dist/gradient_reducer.h"
#include "optim/ema.h"
#include "optim/optimizer.h"
#include "trainer/objective.h"
#include "trainer/run_log.h"
#include "trainer/setup.h"

namespace openclip::train {

/// Model, losses and optimiser, on their device.
struct Learner {
  TensorStore model, auxiliary;
  std::unique_ptr<Teacher> teacher;
  std::unique_ptr<Optimizer> optimizer;
  std::unique_ptr<Ema> ema;
  std::unique_ptr<GradientReducer> reducer;
  std::unique_ptr<Objective> objective;
  bool scales_loss = false;  // f16
};

/// Builds it with the weights that the options name. `max_label`: largest label of the data.
/// Throws: as load_weights, InvalidArgument, Error.
std::unique_ptr<Learner> make_learner(const Options& options, const ModelSource& source,
                                      const at::Device& device, int64_t max_label,
                                      Communicator& processes, RunLog& log);

/// Data and what makes batches of them.
struct Feed {
  std::unique_ptr<Dataset> dataset;
  TextEncoder encode;
  std::unique_ptr<Augmenter> augmenter, view_augmenter;
  int64_t batches_per_epoch = 0;  // of each process

  /// Batches from `first_batch` on, counted over all epochs.
  std::unique_ptr<Loader> start(const Options& options, const ModelConfig& config, Part part,
                                int64_t first_batch, RunLog& log);
};

/// Throws: as open_dataset, Error where the data are less than one step.
Feed make_feed(const Options& options, const ModelSource& source, int processes, RunLog& log);

}  // namespace openclip::train
