// Any bytes as what a client of the server may send: the first one chooses the reader. A value or a
// refusal of the client, nothing else.
#include <cstdint>
#include <cstdlib>

#include "serve/api/embedding_inputs.h"
#include "serve/formats/base64.h"
#include "serve/formats/data_url.h"
#include "serve/formats/json_body.h"
#include "serve/formats/multipart.h"
#include "serve/http/call.h"
#include "serve/http/head_check.h"

namespace openclip {
namespace {

constexpr size_t kMaxBytes = 1 << 16;

void check(bool ok) {
  if (!ok) std::abort();
}

void read_embeddings(std::string_view text) {
  const RequestLimits limits;
  const EmbeddingsRequest request = read_embeddings_request(parse_json_body(text, limits), limits);
  check(!request.inputs.empty() && request.inputs.size() <= limits.max_texts);
}

void read_base64(std::string_view text) {
  const std::vector<uint8_t> bytes = base64_decode(text, "fuzz", kMaxBytes);
  check(base64_decode(base64_encode(bytes), "fuzz", kMaxBytes) == bytes);
}

void read_form(std::string_view text) {
  for (const FormPart& part : parse_multipart("multipart/form-data; boundary=B", text))
    check(part.data.empty() ||
          (part.data.data() >= text.data() && part.data.end() <= text.data() + text.size()));
}

// A first line names the boundary.
void read_form_with_boundary(std::string_view text) {
  const size_t line = std::min(text.find('\n'), text.size());
  parse_multipart(text.substr(0, line), text.substr(std::min(line + 1, text.size())));
}

void read_target(std::string_view text) {
  std::string path, query;
  split_target(text, &path, &query);
  check(path.find('\0') == std::string::npos && path.find("/../") == std::string::npos);
}

void read_host(std::string_view text) {
  const std::vector<std::pair<std::string, std::string>> headers = {{"host", std::string(text)}};
  check_head({.target = "/", .headers = &headers}, {.loopback_only = true});
}

}  // namespace
}  // namespace openclip

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace openclip;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    switch (data[0]) {
      case 'E':
        read_embeddings(text);
        break;
      case 'B':
        read_base64(text);
        break;
      case 'D':
        read_data_url(text, "fuzz", kMaxBytes);
        break;
      case 'F':
        read_form(text);
        break;
      case 'C':
        read_form_with_boundary(text);
        break;
      case 'T':
        read_target(text);
        break;
      case 'H':
        read_host(text);
        break;
      default:
        break;
    }
  } catch (const ParseError&) {
  } catch (const CallError& error) {
    check(error.status() >= 400 && error.status() < 600);
  }
  return 0;
}
