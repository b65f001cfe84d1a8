// The text encoders in a model directory of diffusers. Rank 4.
#pragma once

#include <string>
#include <vector>

#include "models/factory.h"

namespace openclip {

struct DiffusersModel {
  /// text_encoder and text_encoder_2, those that are there, in this order. The tokenizer of each is
  /// that of the directory (tokenizer, tokenizer_2) where there is one: own_tokenizer.
  struct Encoder {
    std::string name;
    ModelSource source;
    bool own_tokenizer = false;
  };
  std::vector<Encoder> encoders;
  /// model_index.json: without a negative prompt its vectors are zeros, not those of "".
  bool force_zeros_for_empty_prompt = true;
};

/// Whether `folder` holds text_encoder or text_encoder_2.
bool is_diffusers_folder(const std::string& folder);

/// Reads no weights. Throws: NotFound if the folder holds no encoder; errors of find_model for each
/// encoder; ParseError for a bad model_index.json.
DiffusersModel find_diffusers_model(const std::string& folder);

/// force_zeros_for_empty_prompt of the text of a model_index.json. Throws: ParseError.
bool parse_model_index(const std::string& json_text, const std::string& source);

}  // namespace openclip
