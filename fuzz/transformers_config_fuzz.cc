// Any bytes as the config.json of a CLIPModel or a text encoder, as a preprocessor_config.json
// beside a good one, and as diffusers' model_index.json: a config whose table of tensors can be
// made, or an error.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "models/config/tensor_table.h"
#include "models/config/transformers_config.h"
#include "models/diffusers.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace openclip;
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const TransformersConfig& files :
       {TransformersConfig{text, ""}, TransformersConfig{R"({"model_type": "clip"})", text}}) {
    try {
      const ModelConfig config = parse_transformers_config(files, "fuzz", "fuzz", "");
      // A table of this many tensors is checked against the file's, whatever it says.
      if (config.text.layers + config.vision.layers < 1000 && model_tensors(config).empty())
        std::abort();
    } catch (const Error&) {
    }
  }
  try {
    parse_model_index(text, "fuzz");
  } catch (const Error&) {
  }
  return 0;
}
