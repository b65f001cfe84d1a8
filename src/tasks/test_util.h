// Models for the tests of src/tasks.
#pragma once

#include <memory>
#include <string>

#include "base/context.h"
#include "base/file.h"
#include "models/model.h"

namespace openclip {

/// A tower of tests/golden/towers, small and with weights of its own.
inline std::shared_ptr<const Model> golden_model(const std::string& name,
                                                 Towers towers = Towers::both) {
  const std::string stem = std::string(OPENCLIP_SOURCE_DIR) + "/tests/golden/towers/" + name;
  const ModelConfig config =
      parse_model_config(read_text_file(stem + ".json", 1 << 20), name, name);
  return Model::load(Context(1), config, stem + ".safetensors", {.towers = towers});
}

}  // namespace openclip
