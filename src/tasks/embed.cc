#include "tasks/embed.h"

#include <algorithm>
#include <cstdio>

#include "base/error.h"
#include "io/jsonl_writer.h"
#include "io/npy.h"
#include "models/preprocess_config.h"
#include "tasks/features.h"
#include "tasks/image_stream.h"
#include "tasks/picture_encoder.h"

namespace openclip {
namespace {

constexpr size_t kTextsAtOnce = 4096;
constexpr size_t kTokenTextsAtOnce = 64;  // whose rows are some hundred times longer

// The two output files and the count of their rows.
class RowWriter {
 public:
  RowWriter(const EmbedRequest& request, const std::vector<int64_t>& row,
            const EmbedListener& listener)
      : npy_path_(request.out),
        jsonl_path_(rows_path(request.out)),
        listener_(listener),
        npy_(npy_path_, DType::f32, row),
        jsonl_(jsonl_path_) {}

  void features(std::span<const float> rows) { npy_.append(rows); }

  void describe(OrderedJson rest) {
    OrderedJson line = {{"row", rows_++}};
    line.update(rest);
    jsonl_.write(line);
    if (listener_.on_rows) listener_.on_rows(rows_);
  }

  void finish() {
    jsonl_.finish();
    try {
      npy_.finish();
    } catch (...) {
      std::remove(jsonl_path_.c_str());  // names of rows that are nowhere
      throw;
    }
  }

  int64_t rows() const { return rows_; }

 private:
  std::string npy_path_, jsonl_path_;
  const EmbedListener& listener_;
  NpyWriter npy_;
  JsonlWriter jsonl_;
  int64_t rows_ = 0;
};

OrderedJson describe_image(const ImageRef& ref) {
  OrderedJson json = {{"image", ref.name}};
  if (!ref.archive.empty()) {
    json["archive"] = ref.archive;
    json["member"] = ref.member;
  }
  return json;
}

int64_t embed_images(const Context& context, const Model& model, const EmbedRequest& request,
                     const EmbedListener& listener, RowWriter& out) {
  const auto each = static_cast<size_t>(element_count(row_shape(model.config(), request)));
  ImageStream stream(context, preprocess_config(model.config()), request.images, 2 * request.batch);
  const auto encode = [&](const float* pixels, int64_t count, float* features) {
    if (request.tokens)
      model.encode_image_tokens(context, pixels, count, *request.tokens, features);
    else
      model.encode_image(context, pixels, count, features);
  };
  std::vector<float> row;
  const auto write = [&](const ImageRef& ref, std::span<const float> features) {
    row.assign(features.begin(), features.end());
    if (request.normalize && !request.tokens) normalize_rows(row, static_cast<int64_t>(each));
    out.features(row);
    out.describe(describe_image(ref));
  };
  PictureEncoder encoder(request.batch, each, encode, write);
  int64_t skipped = 0;
  while (std::optional<PreparedImage> image = stream.next()) {
    if (image->problem.empty()) {
      encoder.add(std::move(*image));
      continue;
    }
    ++skipped;
    if (listener.on_skipped) listener.on_skipped(image->problem);
  }
  encoder.finish();
  return skipped;
}

std::vector<float> text_token_states(const Context& context, const Model& model,
                                     const Tokenizer& tokenizer, std::span<const std::string> texts,
                                     const TokenStates& states) {
  std::vector<std::vector<int32_t>> ids;
  for (const std::string& text : texts) ids.push_back(tokenizer.encode_padded(text));
  const TextConfig& text = model.config().text;
  std::vector<float> out(texts.size() *
                         static_cast<size_t>(int64_t{text.context_length} * text.width));
  model.encode_text_tokens(context, ids, states, out.data());
  return out;
}

}  // namespace

std::vector<int64_t> row_shape(const ModelConfig& config, const EmbedRequest& request) {
  if (!request.tokens) return {config.embed_dim};
  const std::vector<int64_t> image = {config.vision.tokens(), config.vision.width};
  const std::vector<int64_t> text = {config.text.context_length, config.text.width};
  if (request.images.empty()) return text;
  check_arg(request.texts.empty() || image == text,
            "pictures have {} tokens of {}, texts {} of {}; embed them into files of their own",
            image[0], image[1], text[0], text[1]);
  return image;
}

std::string rows_path(const std::string& npy_path) {
  const std::string stem =
      npy_path.ends_with(".npy") ? npy_path.substr(0, npy_path.size() - 4) : npy_path;
  return stem + ".jsonl";
}

EmbedResult embed(const Context& context, const Model& model, const Tokenizer* tokenizer,
                  const EmbedRequest& request, const EmbedListener& listener) {
  check_arg(request.batch > 0, "[embed] batch must be above 0");
  check_arg(tokenizer != nullptr || request.texts.empty(), "[embed] texts need a tokenizer");
  RowWriter out(request, row_shape(model.config(), request), listener);
  EmbedResult result;
  if (!request.images.empty())
    result.skipped = embed_images(context, model, request, listener, out);
  const std::span<const std::string> texts = request.texts;
  const size_t at_once = request.tokens ? kTokenTextsAtOnce : kTextsAtOnce;
  for (size_t begin = 0; begin < texts.size(); begin += at_once) {
    const auto part = texts.subspan(begin, std::min(at_once, texts.size() - begin));
    out.features(request.tokens
                     ? text_token_states(context, model, *tokenizer, part, *request.tokens)
                     : encode_texts(context, model, *tokenizer, part, request.normalize,
                                    &result.cut));
    for (const std::string& text : part) out.describe({{"text", text}});
  }
  out.finish();
  result.rows = out.rows();
  return result;
}

}  // namespace openclip
