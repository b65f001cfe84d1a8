#include "index/index_writer.h"

namespace openclip {

std::string fields_text(const Item& item) {
  return item.fields.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace openclip
