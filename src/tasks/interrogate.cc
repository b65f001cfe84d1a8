#include "tasks/interrogate.h"

#include <algorithm>

#include "base/error.h"
#include "tasks/features.h"
#include "tasks/label_vectors.h"

namespace openclip {
namespace {

std::vector<float> vectors_of(const Context& context, const ModelSource& source, const Model& model,
                              const Tokenizer& tokenizer, const std::vector<std::string>& words) {
  const std::string key = label_vectors_key(source, words, {"{}"});
  if (auto kept = find_label_vectors(source, key, words.size())) return *kept;
  std::vector<float> vectors = encode_texts(context, model, tokenizer, words);
  keep_label_vectors(source, key, vectors);
  return vectors;
}

}  // namespace

Interrogator::Interrogator(const Context& context, const ModelSource& source, const Model& model,
                           const Tokenizer& tokenizer, std::vector<WordList> lists)
    : model_(model), tokenizer_(tokenizer), lists_(std::move(lists)) {
  check_arg(!lists_.empty(), "there is no list of words");
  for (const WordList& list : lists_) {
    check_arg(!list.words.empty(), "the list of words '{}' is empty", list.name);
    vectors_.push_back(vectors_of(context, source, model, tokenizer, list.words));
  }
}

std::vector<Interrogator::Ranked> Interrogator::rank(std::span<const float> image,
                                                     size_t list) const {
  std::vector<Ranked> ranked;
  for (size_t i = 0; i < lists_[list].words.size(); ++i)
    ranked.push_back(
        {lists_[list].words[i],
         cosine(image, std::span(vectors_[list]).subspan(i * image.size(), image.size()))});
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const Ranked& a, const Ranked& b) { return a.score > b.score; });
  return ranked;
}

std::vector<double> Interrogator::similarities(const Context& context, std::span<const float> image,
                                               const std::vector<std::string>& texts) const {
  const std::vector<float> features = encode_texts(context, model_, tokenizer_, texts);
  std::vector<double> out;
  for (size_t i = 0; i < texts.size(); ++i)
    out.push_back(cosine(image, std::span(features).subspan(i * image.size(), image.size())));
  return out;
}

// Whether nothing is cut off: another word would change nothing but the last tokens.
bool Interrogator::fits(const std::string& prompt) const {
  const int length = model_.config().text.context_length;
  return tokenizer_.encode(prompt, length).size() < static_cast<size_t>(length);
}

std::string Interrogator::improved(const Context& context, std::span<const float> image,
                                   std::string prompt, std::vector<Ranked> words,
                                   const InterrogateOptions& options) const {
  double best = similarities(context, image, {prompt})[0];
  for (size_t count = 1; count < options.most_words && !words.empty(); ++count) {
    std::vector<std::string> longer;
    for (const Ranked& word : words) longer.push_back(prompt + ", " + word.word);
    const std::vector<double> scores = similarities(context, image, longer);
    const auto found = std::max_element(scores.begin(), scores.end());
    const auto number = found - scores.begin();
    if (*found <= best || !fits(longer[static_cast<size_t>(number)])) break;
    best = *found;
    prompt = longer[static_cast<size_t>(number)];
    words.erase(words.begin() + number);
  }
  return prompt;
}

Interrogation Interrogator::interrogate(const Context& context, std::span<const float> image,
                                        const InterrogateOptions& options,
                                        const std::string& start) const {
  check_arg(image.size() == static_cast<size_t>(model_.config().embed_dim),
            "[interrogate] {} numbers are no feature of this model", image.size());
  Interrogation out;
  std::vector<Ranked> all;
  std::string classic = start;
  for (size_t list = 0; list < lists_.size(); ++list) {
    std::vector<Ranked> ranked = rank(image, list);
    NearestWords nearest{lists_[list].name, {}};
    for (size_t i = 0; i < std::min(options.top, ranked.size()); ++i)
      nearest.words.push_back({ranked[i].word, ranked[i].score});
    out.nearest.push_back(std::move(nearest));
    const bool begins = list == 0 && start.empty();
    if (list > 0 || begins) classic += (classic.empty() ? "" : ", ") + ranked[0].word;
    if (begins) ranked.erase(ranked.begin());
    all.insert(all.end(), ranked.begin(), ranked.end());
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Ranked& a, const Ranked& b) { return a.score > b.score; });
  const std::string first = start.empty() ? out.nearest[0].words[0].label : start;
  out.prompt = classic;
  if (options.mode != PromptMode::classic) {
    std::string fast = first;
    for (size_t i = 0; i + 1 < options.most_words && i < all.size(); ++i)
      if (std::string longer = fast + ", " + all[i].word; fits(longer)) fast = std::move(longer);
    out.prompt = fast;
    if (options.mode == PromptMode::best) {
      all.resize(std::min(all.size(), options.shortlist));
      const std::vector<std::string> candidates = {
          improved(context, image, first, std::move(all), options), fast, classic, first};
      const std::vector<double> scores = similarities(context, image, candidates);
      out.prompt = candidates[static_cast<size_t>(std::max_element(scores.begin(), scores.end()) -
                                                  scores.begin())];
    }
  }
  out.similarity = similarities(context, image, {out.prompt})[0];
  return out;
}

}  // namespace openclip
