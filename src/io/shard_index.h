// The index of a checkpoint in several files, as Hugging Face writes it. Rank 3.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace openclip {

/// Reads {"metadata": …, "weight_map": {tensor: file}}: names of the tensors by path of the file,
/// which lies beside the index. Throws: ParseError if it is malformed or a file name is no plain
/// one; NotFound, IoError.
std::map<std::string, std::vector<std::string>> read_shard_index(const std::string& path);

}  // namespace openclip
