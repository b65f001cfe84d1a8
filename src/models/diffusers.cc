#include "models/diffusers.h"

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "io/json.h"

namespace openclip {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxIndexBytes = size_t{1} << 20;

DiffusersModel::Encoder find_encoder(const fs::path& folder, const std::string& suffix) {
  const std::string name = "text_encoder" + suffix;
  DiffusersModel::Encoder encoder{.name = name,
                                  .source = find_model({(folder / name).string(), ""})};
  if (const fs::path tokenizer = folder / ("tokenizer" + suffix); is_folder(tokenizer)) {
    encoder.source.folder = tokenizer.string();
    encoder.source.config.text.hf_tokenizer_name = "tokenizer" + suffix;
    encoder.own_tokenizer = true;
  }
  return encoder;
}

}  // namespace

bool is_diffusers_folder(const std::string& folder) {
  return is_folder(fs::path(folder) / "text_encoder") ||
         is_folder(fs::path(folder) / "text_encoder_2");
}

bool parse_model_index(const std::string& json_text, const std::string& source) {
  return json_get_or(source, parse_json(source, json_text), "force_zeros_for_empty_prompt", true);
}

DiffusersModel find_diffusers_model(const std::string& folder) {
  DiffusersModel model;
  for (const char* suffix : {"", "_2"})
    if (is_folder(fs::path(folder) / (std::string("text_encoder") + suffix)))
      model.encoders.push_back(find_encoder(folder, suffix));
  if (model.encoders.empty())
    throw NotFound(folder + ": no text_encoder or text_encoder_2 in this folder");
  const fs::path index = fs::path(folder) / "model_index.json";
  if (is_file(index))
    model.force_zeros_for_empty_prompt =
        parse_model_index(read_text_file(index.string(), kMaxIndexBytes), index.string());
  return model;
}

}  // namespace openclip
