#include "serve/api/embedding_inputs.h"

#include "serve/formats/data_url.h"
#include "serve/formats/json_body.h"
#include "serve/http/call.h"

namespace openclip {
namespace {

enum class Modality { automatic, text, image };

[[noreturn]] void fail(const std::string& text) { throw CallError(400, text, "input"); }

EmbeddingInput string_input(const std::string& text, Modality modality) {
  if (modality == Modality::image || (modality == Modality::automatic && is_data_url(text)))
    return PictureText{text};
  return text;
}

std::string string_of(const Json& value) {
  if (!value.is_string()) fail("an entry's text or image must be a string");
  return value.get<std::string>();
}

EmbeddingInput object_input(const Json& item) {
  if (const Json* text = json_find(item, "text")) return string_of(*text);
  if (const Json* image = json_find(item, "image")) return PictureText{string_of(*image)};
  if (const Json* image = json_find(item, "image_url")) {
    const Json* url = json_find(*image, "url");
    return PictureText{string_of(url != nullptr ? *url : *image)};
  }
  fail("an entry must have 'text' or 'image'");
}

TokenIds token_ids(const Json& list) {
  TokenIds ids;
  for (const Json& id : list) {
    if (!id.is_number_integer() || id.get<int64_t>() < 0 || id.get<int64_t>() > INT32_MAX)
      fail("token ids must be whole numbers");
    ids.push_back(id.get<int32_t>());
  }
  return ids;
}

EmbeddingInput one_input(const Json& item, Modality modality) {
  if (item.is_string()) return string_input(item.get<std::string>(), modality);
  if (item.is_object()) return object_input(item);
  if (item.is_array()) return token_ids(item);
  fail("expected texts, pictures or lists of token ids");
}

Modality modality_of(const Json& body) {
  const std::string name = json_get_or<std::string>(kBody, body, "modality", "");
  if (name.empty()) return Modality::automatic;
  if (name == "text") return Modality::text;
  if (name == "image") return Modality::image;
  throw CallError(400, "'modality' must be text or image", "modality");
}

}  // namespace

EmbeddingsRequest read_embeddings_request(const Json& body, const RequestLimits& limits) {
  EmbeddingsRequest request;
  request.model = json_get_or<std::string>(kBody, body, "model", "");
  const std::string format = json_get_or<std::string>(kBody, body, "encoding_format", "float");
  if (format != "float" && format != "base64")
    throw CallError(400, "'encoding_format' must be float or base64", "encoding_format");
  request.base64 = format == "base64";
  const int64_t dimensions = json_get_or<int64_t>(kBody, body, "dimensions", 0);
  if (dimensions < 0) throw CallError(400, "'dimensions' must not be negative", "dimensions");
  request.dimensions = static_cast<size_t>(dimensions);

  const Modality modality = modality_of(body);
  const Json* input = json_find(body, "input");
  if (input == nullptr) fail("'input' is missing");
  const bool list = input->is_array() && (input->empty() || !(*input)[0].is_number());
  if (!list) {
    request.inputs.push_back(one_input(*input, modality));
    return request;
  }
  if (input->empty()) fail("'input' is empty");
  if (input->size() > limits.max_texts)
    throw CallError(
        413,
        fmt::format("{} inputs; the limit of a request is {}", input->size(), limits.max_texts),
        "input");
  for (const Json& item : *input) request.inputs.push_back(one_input(item, modality));
  return request;
}

}  // namespace openclip
