// What `openclip bench` can repeat and time. Rank 7.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "models/factory.h"

namespace openclip {

struct BenchRequest {
  std::string task = "image";
  int batch = 0;                     // pictures or captions of one pass; 0 = the task's own
  int classes = 50;                  // of zeroshot
  std::string captions = "natural";  // or a number of tokens
  std::string labels_file;           // class names for zeroshot and captions
  std::vector<std::string> images;   // of preprocess and embed
  std::string index, queries;        // of search; vectors as .npy, or else random ones
  size_t width = 0;                  // of search in the index's graph; 0 = what its test chose
  bool exact = false;                // search past the graph
};

/// A call that can be repeated, and how much one call does.
struct BenchWork {
  std::function<void()> call;
  double items = 0;  // pictures, captions or prompts
  double flops = 0;  // of the towers, counting real tokens alone; 0 where no tower runs
  int batch = 1;
};

/// The names of the tasks, for help and errors.
std::string bench_tasks();

/// What the task loads of a model; nullopt for none.
std::optional<Towers> bench_towers(const std::string& task);

/// Prepares inputs: all that is not to be timed. model: null where bench_towers() says none.
/// Throws: UsageError for tasks that are unknown or lack what they need; NotFound without the
/// tokenizer that zeroshot needs; errors of reading.
BenchWork make_bench_work(const Context& context, const ModelSource& source,
                          std::shared_ptr<const Model> model, const BenchRequest& request);

}  // namespace openclip
