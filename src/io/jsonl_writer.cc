#include "io/jsonl_writer.h"

namespace openclip {

std::string json_line(const OrderedJson& value) {
  return value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

void JsonlWriter::write(const OrderedJson& value) {
  file_.stream() << json_line(value) << '\n';
  file_.check();
}

}  // namespace openclip
