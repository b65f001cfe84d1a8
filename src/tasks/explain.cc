#include "tasks/explain.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "image/convert.h"
#include "image/draw.h"
#include "image/font.h"
#include "tasks/dense_map.h"
#include "tasks/features.h"
#include "tasks/prepare_picture.h"
#include "tasks/window_reader.h"

namespace openclip {
namespace {

constexpr int kHeatPlaces = 48;     // of the map, along the shorter side of the picture
constexpr double kSmallest = 0.25;  // windows, as a part of the shorter side
constexpr double kPatch = 0.25;     // what is greyed, as a part of the shorter side

// What every text finds in a picture is no reason for a single one.
const std::vector<std::string> kUnrelated = {"",        "a picture", "background", "something",
                                             "a thing", "nothing",   "texture",    "a colour"};

// The text's direction less the mean of unrelated ones, so that one product gives the difference of
// cosines.
std::vector<float> direction_of(const Context& context, const ExplainModel& asked,
                                const std::string& text) {
  std::vector<std::string> texts{text};
  texts.insert(texts.end(), kUnrelated.begin(), kUnrelated.end());
  const std::vector<float> features = encode_texts(context, asked.model, asked.tokenizer, texts);
  const size_t dim = features.size() / texts.size();
  std::vector<float> out(features.begin(), features.begin() + static_cast<long>(dim));
  for (size_t i = dim; i < features.size(); ++i)
    out[i % dim] -= features[i] / static_cast<float>(kUnrelated.size());
  return out;
}

// For each row of features, of any length: its direction times `direction`.
std::vector<double> products(const std::vector<float>& features, std::span<const float> direction) {
  const size_t dim = direction.size();
  std::vector<double> out;
  for (size_t begin = 0; begin < features.size(); begin += dim) {
    const auto row = std::span(features).subspan(begin, dim);
    const double length = std::sqrt(std::inner_product(row.begin(), row.end(), row.begin(), 0.0));
    out.push_back(std::inner_product(row.begin(), row.end(), direction.begin(), 0.0) /
                  std::max(length, 1e-12));
  }
  return out;
}

HeatMap by_windows(const Context& context, const ExplainModel& asked, const Image& image,
                   std::span<const float> direction, const ExplainOptions& options) {
  const WindowReader reader(context, asked.model, asked.preprocess, image, options.between_passes);
  const std::vector<BoxCorners> windows = window_pyramid(image.width, image.height, kSmallest);
  HeatMap map = map_for(image.width, image.height, kHeatPlaces);
  spread_windows(map, windows, products(reader.features(windows), direction), image.width,
                 image.height);
  return map;
}

HeatMap by_places(const Context& context, const ExplainModel& asked, const Image& image,
                  std::span<const float> direction, const ExplainOptions& options) {
  HeatMap sum = map_for(image.width, image.height, kHeatPlaces);
  for (const double size : kDenseSizes) {
    if (options.between_passes) options.between_passes();
    const int side = static_cast<int>(std::lround(size * asked.preprocess.height));
    const DenseMap dense =
        dense_map(context, asked.model, asked.preprocess, image, side, options.reading);
    HeatMap map(dense.rows, dense.cols);
    const std::vector<double> values = products(dense.features, direction);
    for (size_t i = 0; i < values.size(); ++i)
      map.values[i] = static_cast<float>(values[i] / std::size(kDenseSizes));
    add_interpolated(sum, map);
  }
  return sum;
}

// The picture's mean colour, as grey as the picture allows without becoming a shape of its own.
Color mean_color(const Image& image) {
  double sums[3] = {};
  for (size_t i = 0; i < image.pixels.size(); ++i) sums[i % 3] += image.pixels[i];
  const double count = static_cast<double>(image.pixels.size()) / 3;
  return {static_cast<uint8_t>(sums[0] / count), static_cast<uint8_t>(sums[1] / count),
          static_cast<uint8_t>(sums[2] / count)};
}

HeatMap by_occlusion(const Context& context, const ExplainModel& asked, const Image& image,
                     std::span<const float> direction, const ExplainOptions& options) {
  const Image rgb = convert_to_rgb(image);
  const Color grey = mean_color(rgb);
  const double side = kPatch * std::min(image.width, image.height);
  std::vector<BoxCorners> patches;
  for (const BoxCorners& box : window_pyramid(image.width, image.height, kPatch))
    if (std::abs(box[2] - box[0] - side) < 1e-6 * side) patches.push_back(box);
  const BoxCorners whole{0, 0, static_cast<double>(image.width), static_cast<double>(image.height)};
  const auto read = [&](const Image& picture) {
    const WindowReader reader(context, asked.model, asked.preprocess, picture,
                              options.between_passes);
    return products(reader.features({whole}), direction)[0];
  };
  const double all = read(rgb);
  std::vector<double> drops;
  for (const BoxCorners& box : patches) {
    Image without = rgb;
    const auto at = [&](size_t i) { return static_cast<int>(std::lround(box[i])); };
    fill_rect(without, {at(0), at(1), at(2), at(3)}, grey);
    drops.push_back(all - read(without));
  }
  HeatMap map = map_for(image.width, image.height, kHeatPlaces);
  spread_windows(map, patches, drops, image.width, image.height);
  return map;
}

std::vector<float> whole_feature(const Context& context, const ExplainModel& asked,
                                 const Image& image) {
  const std::vector<float> pixels = tower_pixels(image, asked.preprocess);
  std::vector<float> feature(static_cast<size_t>(asked.model.config().embed_dim));
  asked.model.encode_image(context, pixels.data(), 1, feature.data());
  return feature;
}

// Chinese characters and kana, between which no blanks are written.
bool stands_alone(char32_t code) {
  return (code >= 0x3041 && code <= 0x30FF) || (code >= 0x3400 && code <= 0x9FFF) ||
         (code >= 0xF900 && code <= 0xFAFF) || (code >= 0x20000 && code <= 0x3FFFF);
}

struct Word {
  size_t begin, end;  // bytes of the text
};

std::vector<Word> words_of(const std::string& text) {
  std::vector<Word> words;
  std::string_view rest = text;
  bool inside = false;
  while (!rest.empty()) {
    const size_t begin = text.size() - rest.size();
    const char32_t code = take_code_point(rest);
    const size_t end = text.size() - rest.size();
    if (code == ' ' || code == '\t' || code == '\n' || code == '\r') {
      inside = false;
    } else if (stands_alone(code)) {
      words.push_back({begin, end});
      inside = false;
    } else if (inside) {
      words.back().end = end;
    } else {
      words.push_back({begin, end});
      inside = true;
    }
  }
  return words;
}

}  // namespace

Explanation explain_image(const Context& context, const ExplainModel& asked, const Image& image,
                          const std::string& text, const ExplainOptions& options) {
  Explanation out;
  out.similarity = cosine(whole_feature(context, asked, image),
                          encode_texts(context, asked.model, asked.tokenizer, {&text, 1}));
  const std::vector<float> direction = direction_of(context, asked, text);
  switch (options.method) {
    case ExplainMethod::windows:
      out.heat = by_windows(context, asked, image, direction, options);
      break;
    case ExplainMethod::dense:
      out.heat = by_places(context, asked, image, direction, options);
      break;
    case ExplainMethod::occlusion:
      out.heat = by_occlusion(context, asked, image, direction, options);
      break;
  }
  return out;
}

std::vector<WordWeight> explain_words(const Context& context, const ExplainModel& asked,
                                      const Image& image, const std::string& text) {
  const std::vector<Word> words = words_of(text);
  std::vector<std::string> texts{text};
  for (const Word& word : words) {
    std::string without = text.substr(0, word.begin) + text.substr(word.end);
    texts.push_back(std::move(without));
  }
  const std::vector<float> feature = whole_feature(context, asked, image);
  const std::vector<float> features = encode_texts(context, asked.model, asked.tokenizer, texts);
  const size_t dim = feature.size();
  const auto similarity = [&](size_t i) {
    return cosine(feature, std::span(features).subspan(i * dim, dim));
  };
  std::vector<WordWeight> out;
  for (size_t i = 0; i < words.size(); ++i)
    out.push_back({text.substr(words[i].begin, words[i].end - words[i].begin),
                   similarity(0) - similarity(i + 1)});
  return out;
}

Image heat_overlay(const Image& image, const HeatMap& heat) {
  Image out = convert_to_rgb(image);
  const auto [least, most] = std::minmax_element(heat.values.begin(), heat.values.end());
  const float range = std::max(*most - *least, 1e-12f);
  std::vector<float> values;
  for (const float value : heat.values) values.push_back((value - *least) / range);
  blend_heat(out, values, heat.rows, heat.cols);
  return out;
}

}  // namespace openclip
