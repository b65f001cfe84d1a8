// Which states of a tower's tokens are asked for. Part of rank 4.
#pragma once

#include <cstdint>

#include "base/error.h"

namespace openclip {

/// The tokens after the first blocks of a tower.
struct TokenStates {
  /// transformers' index of hidden_states: how many blocks the tokens have passed, 0 = none (the
  /// embeddings), negative from the end, -1 = all.
  int layer = -1;
  bool final_norm = true;  // the norm that follows the last block, whatever the layer

  /// How many of `layers` blocks to run. Throws: InvalidArgument for layers that are not there.
  int64_t block_count(int layers) const {
    check_arg(layer >= -(layers + 1) && layer <= layers,
              "there is no hidden layer {}: the tower has {} blocks, so 0 to {}, or -1 to {} from "
              "the end",
              layer, layers, layers, -(layers + 1));
    return layer < 0 ? layers + 1 + layer : layer;
  }
};

}  // namespace openclip
