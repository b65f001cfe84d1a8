// What clients may put into an embeddings request. Rank 6.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "io/json.h"
#include "serve/http/limits.h"

namespace openclip {

struct PictureText {
  std::string text;  // data: URL, URL or base64
};
using TokenIds = std::vector<int32_t>;
using EmbeddingInput = std::variant<std::string, PictureText, TokenIds>;

struct EmbeddingsRequest {
  std::string model;  // may be empty
  std::vector<EmbeddingInput> inputs;
  bool base64 = false;
  size_t dimensions = 0;  // 0 = all
};

/// Reads OpenAI's request and what others made of it: `input` is a string or a list; entries are
/// texts, data: URLs of pictures, {"text": …}, {"image": …}, {"type": "image_url", "image_url":
/// {"url": …}} or lists of token ids; `modality` "image" makes all strings pictures, "text" none.
/// Throws: ParseError and CallError (413 for too many) naming the member.
EmbeddingsRequest read_embeddings_request(const Json& body, const RequestLimits& limits);

}  // namespace openclip
