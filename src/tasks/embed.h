// Features of many pictures and texts, written to a .npy file as they are made. Rank 5.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "models/model.h"
#include "tasks/features.h"
#include "text/tokenizer.h"

namespace openclip {

struct EmbedRequest {
  std::vector<std::string> images;  // files, folders, tar archives
  std::vector<std::string> texts;
  std::string out;  // F.npy; F.jsonl is written beside it
  bool normalize = true;
  std::optional<TokenStates> tokens{};  // the states of all tokens in place of the features
  size_t batch = 32;                    // pictures of one pass through the tower
};

/// Whom to tell while it runs; either may be null.
struct EmbedListener {
  std::function<void(const std::string& problem)> on_skipped;
  std::function<void(int64_t rows)> on_rows;  // number of rows so far
};

struct EmbedResult {
  int64_t rows = 0;
  int64_t skipped = 0;  // inputs that could not be read
  CutTexts cut{};       // texts that were longer than the context
};

/// Shape of one row: [embed_dim], or where `tokens` is asked for [tokens, width], as
/// Model::encode_text_tokens and encode_image_tokens.
/// Throws: InvalidArgument if the rows of pictures and texts differ.
std::vector<int64_t> row_shape(const ModelConfig& config, const EmbedRequest& request);

/// Writes F.npy, float32 [rows, …] of row_shape, pictures then texts in the order of the inputs,
/// and F.jsonl with one line for each row: {"row", "image"} (and {"archive", "member"}) or {"row",
/// "text"}. Memory does not grow with the number of pictures. Both files appear at the end or not
/// at all. Throws: IoError if they cannot be written; errors of the towers.
EmbedResult embed(const Context& context, const Model& model, const Tokenizer* tokenizer,
                  const EmbedRequest& request, const EmbedListener& listener = {});

/// "x.npy" -> "x.jsonl"; other names get ".jsonl" appended.
std::string rows_path(const std::string& npy_path);

}  // namespace openclip
