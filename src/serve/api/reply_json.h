// JSON answers. Rank 6.
#pragma once

#include "io/json.h"
#include "serve/http/call.h"

namespace openclip {

/// Texts that are not UTF-8 (file names may be any bytes) get U+FFFD.
inline Reply json_reply(const OrderedJson& json) {
  return {.body = json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace)};
}

}  // namespace openclip
