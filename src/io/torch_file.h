// Files of torch.save and torch.jit.save. Rank 3.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "io/lazy_tensor.h"

namespace openclip {

/// The tensors of a zip archive: torch.save since PyTorch 1.6 (NAME/data.pkl, NAME/data/KEY) or a
/// TorchScript archive, such as OpenAI's original CLIP files (NAME/constants.pkl and NAME/code
/// beside). Nothing in the file is executed, and tensors are read where they lie.
/// `holder` keeps `file` alive. Throws: ParseError, Unsupported.
LazyTensors read_torch_zip(const std::string& source, std::span<const uint8_t> file,
                           std::shared_ptr<const void> holder);

/// The same of torch.save's older format: five pickles, then the storages one after the other.
LazyTensors read_torch_legacy(const std::string& source, std::span<const uint8_t> file,
                              std::shared_ptr<const void> holder);

}  // namespace openclip
