#include "serve/api/mixed_embed.h"

#include <algorithm>

#include "tasks/features.h"

namespace openclip {
namespace {

// Puts rows of a part back where their inputs stood.
void scatter(std::span<const float> rows, std::span<const size_t> places, size_t dim, float* out) {
  for (size_t i = 0; i < places.size(); ++i)
    std::copy_n(rows.data() + i * dim, dim, out + places[i] * dim);
}

}  // namespace

std::vector<float> embed_inputs(const Call& call, Backend& backend,
                                std::span<const EmbeddingInput> inputs, TextUsage* usage) {
  Engine& engine = backend.engine();
  const size_t dim = engine.dim();
  std::vector<std::string> texts;
  std::vector<std::vector<uint8_t>> pictures;
  std::vector<TokenIds> ids;
  std::vector<size_t> text_places, picture_places, id_places;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (const auto* text = std::get_if<std::string>(&inputs[i])) {
      texts.push_back(*text);
      text_places.push_back(i);
    } else if (const auto* picture = std::get_if<PictureText>(&inputs[i])) {
      if (pictures.size() == backend.limits().max_images)
        throw CallError(413, fmt::format("more than {} pictures", pictures.size()), "input");
      pictures.push_back(backend.picture(call, picture->text, fmt::format("input {}", i)));
      picture_places.push_back(i);
    } else {
      ids.push_back(std::get<TokenIds>(inputs[i]));
      id_places.push_back(i);
      if (usage != nullptr) usage->tokens += static_cast<int64_t>(ids.back().size());
    }
  }
  std::vector<float> out(inputs.size() * dim);
  scatter(engine.embed_texts(call, texts, usage), text_places, dim, out.data());
  scatter(engine.embed_ids(call, std::move(ids)), id_places, dim, out.data());
  scatter(engine.embed_images(call, pictures), picture_places, dim, out.data());
  return out;
}

std::vector<float> shorten_rows(std::vector<float> rows, size_t dim, size_t dimensions) {
  if (dimensions == 0 || dimensions == dim) return rows;
  if (dimensions > dim)
    throw CallError(400, fmt::format("the model has {} dimensions, not {}", dim, dimensions),
                    "dimensions");
  const size_t count = rows.size() / dim;
  for (size_t i = 0; i < count; ++i)
    std::copy_n(rows.data() + i * dim, dimensions, rows.data() + i * dimensions);
  rows.resize(count * dimensions);
  normalize_rows(rows, static_cast<int64_t>(dimensions));
  return rows;
}

}  // namespace openclip
