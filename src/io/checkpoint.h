// A set of named tensors, in whichever file format they were saved. Rank 3.
#pragma once

#include <string>

#include "io/lazy_tensor.h"

namespace openclip {

/// The tensors of a checkpoint under the names that the file gives them. Formats are told apart by
/// content, not by name: safetensors; zip archives of torch.save; its legacy format; TorchScript
/// archives. A path that ends with `.index.json` is the index of several such files.
/// Nothing but headers is read until a tensor's bytes are touched. Immutable, thread-safe.
class Checkpoint {
 public:
  /// Throws: NotFound (also for a missing shard), IoError, ParseError, Unsupported.
  static Checkpoint open(const std::string& path);

  const LazyTensors& tensors() const { return tensors_; }
  const StringMap& metadata() const { return metadata_; }
  const std::string& path() const { return path_; }

 private:
  void add_file(const std::string& path);
  void add_shards(const std::string& path);

  std::string path_;
  LazyTensors tensors_;
  StringMap metadata_;
};

}  // namespace openclip
