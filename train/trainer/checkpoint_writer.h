// Checkpoints written while training goes on.
#pragma once

#include <exception>
#include <functional>
#include <string>
#include <thread>

#include "trainer/checkpoint.h"

namespace openclip::train {

/// One checkpoint at a time, on a thread of its own. Errors reach the caller at the next call.
class CheckpointWriter {
 public:
  /// `done` is called, on the writer's thread, with the name of each checkpoint that is in place.
  CheckpointWriter(std::string folder, std::function<void(const std::string&)> done);
  ~CheckpointWriter();

  /// Waits until the one before is written. `replaces`: a checkpoint to remove after this one is in
  /// place; empty = none.
  void write(std::string name, Snapshot snapshot, std::string replaces = {});

  /// Returns when everything is on the disk.
  void wait();

 private:
  const std::string folder_;
  const std::function<void(const std::string&)> done_;
  std::exception_ptr failure_;
  std::jthread thread_;  // last: joined before the others go
};

}  // namespace openclip::train
