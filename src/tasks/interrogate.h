// Words and a prompt for a picture. Rank 5.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "models/factory.h"
#include "models/model.h"
#include "tasks/word_lists.h"
#include "tasks/zero_shot.h"
#include "text/tokenizer.h"

namespace openclip {

/// How a prompt is put together. Source of the ideas: clip-interrogator (pharmapsychotic).
enum class PromptMode {
  classic,  // the best word of each list
  fast,     // the best words of all lists together
  best      // words added one by one, each the one that makes the whole prompt most alike
};

struct InterrogateOptions {
  PromptMode mode = PromptMode::best;
  size_t top = 5;          // words told of each list
  size_t most_words = 12;  // of a prompt
  size_t shortlist = 64;   // words that `best` tries, the best of all lists
};

/// Words of one list, best first; score = cosine similarity with the picture.
struct NearestWords {
  std::string list;
  std::vector<ScoredLabel> words;
};

struct Interrogation {
  std::vector<NearestWords> nearest;
  std::string prompt;
  double similarity = 0;  // cosine of the picture and the prompt
};

/// A model with word lists, ready for any number of pictures. The first list holds subjects, with
/// whose best word each prompt begins. Immutable, thread-safe; keeps references to model and
/// tokenizer.
class Interrogator {
 public:
  /// Vectors of the lists are kept on disk (tasks/label_vectors.h). Throws: InvalidArgument for no
  /// list or an empty one.
  Interrogator(const Context& context, const ModelSource& source, const Model& model,
               const Tokenizer& tokenizer, std::vector<WordList> lists);

  /// image_features: [embed_dim], normalised or not. start: what the prompt begins with in place of
  /// a subject, such as a caption; empty = a subject.
  /// The prompt of `best` ends where no word makes it more alike, where it has most_words, or where
  /// it would not fit the text tower.
  Interrogation interrogate(const Context& context, std::span<const float> image_features,
                            const InterrogateOptions& options, const std::string& start = "") const;

 private:
  struct Ranked {
    std::string word;
    double score;
  };
  std::vector<Ranked> rank(std::span<const float> image, size_t list) const;
  std::vector<double> similarities(const Context& context, std::span<const float> image,
                                   const std::vector<std::string>& texts) const;
  bool fits(const std::string& prompt) const;
  std::string improved(const Context& context, std::span<const float> image, std::string prompt,
                       std::vector<Ranked> words, const InterrogateOptions& options) const;

  const Model& model_;
  const Tokenizer& tokenizer_;
  std::vector<WordList> lists_;
  std::vector<std::vector<float>> vectors_;  // of each list, [words, embed_dim]
};

}  // namespace openclip
