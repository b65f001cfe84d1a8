// Which parts of a picture speak for a text, and which words of it for the picture. Rank 5.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "image/preprocess.h"
#include "models/dense.h"
#include "models/model.h"
#include "tasks/heat_map.h"
#include "text/tokenizer.h"

namespace openclip {

/// How parts are asked; none needs gradients, so all work with every image tower that has them.
enum class ExplainMethod {
  windows,   // how like the text the windows around a place are
  dense,     // how like the text the feature of a place is (models/dense.h)
  occlusion  // how much less like the text the picture is with the surroundings of a place greyed
};

struct ExplainOptions {
  ExplainMethod method = ExplainMethod::windows;
  DenseReading reading = DenseReading::automatic;
  std::function<void()> between_passes{};  // as in DetectOptions
};

/// A model with its tokenizer, to ask why.
struct ExplainModel {
  const Model& model;
  const Tokenizer& tokenizer;
  PreprocessConfig preprocess;
};

/// heat: differences of cosine similarity (windows and dense: cosine with the text less the mean
/// cosine with unrelated texts, which takes out what every text finds there).
struct Explanation {
  double similarity = 0;  // cosine of the whole picture and the text
  HeatMap heat;
};

/// Throws: Unsupported where the model is not read in the way that is asked for.
Explanation explain_image(const Context& context, const ExplainModel& asked, const Image& image,
                          const std::string& text, const ExplainOptions& options = {});

/// A word of a text, and by how much the cosine with the picture falls without it.
struct WordWeight {
  std::string word;
  double weight = 0;
};

/// Words are what stands between blanks; of a text without any, and with letters that are not
/// written with blanks (Chinese, kana), each such letter. A text of one word is compared with the
/// empty text.
std::vector<WordWeight> explain_words(const Context& context, const ExplainModel& asked,
                                      const Image& image, const std::string& text);

/// The picture as RGB with the heat laid over it, from the coldest to the hottest place.
Image heat_overlay(const Image& image, const HeatMap& heat);

}  // namespace openclip
