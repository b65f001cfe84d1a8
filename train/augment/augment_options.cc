#include <charconv>

#include "augment/augment.h"
#include "base/error.h"

namespace openclip::train {
namespace {

// "0.9", "0.9,1.0" or "(0.9, 1.0)".
std::vector<double> numbers(const std::string& flag, const std::string& key, std::string text) {
  std::vector<double> values;
  for (char& c : text)
    if (c == '(' || c == ')' || c == '[' || c == ']' || c == ',') c = ' ';
  const char* at = text.data();
  const char* end = at + text.size();
  while (true) {
    while (at != end && *at == ' ') ++at;
    if (at == end) break;
    double value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    check_arg(error == std::errc(), "{} {}={}: not a number", flag, key, text);
    values.push_back(value);
    at = next;
  }
  return values;
}

}  // namespace

AugmentOptions AugmentOptions::simclr() {
  AugmentOptions options;
  options.scale = {0.08, 1.0};
  options.color_jitter = {0.8, 0.8, 0.8, 0.2};
  options.color_jitter_prob = 0.8;
  options.gray_scale_prob = 0.2;
  options.flip_prob = 0.5;
  options.blur_prob = 0.5;
  return options;
}

void AugmentOptions::parse(const std::vector<std::string>& assignments, const std::string& flag) {
  for (const std::string& assignment : assignments) {
    const size_t equals = assignment.find('=');
    check_arg(equals != std::string::npos, "{} {}: must be key=value", flag, assignment);
    const std::string key = assignment.substr(0, equals);
    const std::vector<double> v = numbers(flag, key, assignment.substr(equals + 1));
    const auto need = [&](bool ok, const char* what) {
      check_arg(ok, "{} {}: {} needs {}", flag, assignment, key, what);
    };
    const auto probability = [&] {
      need(v.size() == 1 && v[0] >= 0 && v[0] <= 1, "a number from 0 to 1");
      return v[0];
    };
    const auto pair = [&] {
      need(v.size() == 2 && v[0] > 0 && v[0] <= v[1], "two numbers, the smaller first");
      return std::array<double, 2>{v[0], v[1]};
    };
    const auto positive = [&] {
      need(v.size() == 1 && v[0] >= 0, "a number of at least 0");
      return v[0];
    };
    if (key == "scale") {
      scale = pair();
      need(scale[1] <= 1, "numbers up to 1");
    } else if (key == "ratio") {
      ratio = pair();
    } else if (key == "color_jitter") {
      need(v.size() == 1 || v.size() == 3 || v.size() == 4, "one, three or four numbers");
      for (size_t i = 0; i < 4; ++i)
        color_jitter[i] = v.size() == 1 ? (i < 3 ? v[0] : 0) : i < v.size() ? v[i] : 0;
    } else if (key == "color_jitter_prob") {
      color_jitter_prob = probability();
    } else if (key == "gray_scale_prob") {
      gray_scale_prob = probability();
    } else if (key == "flip_prob") {
      flip_prob = probability();
    } else if (key == "blur_prob") {
      blur_prob = probability();
    } else if (key == "style") {
      style.probability = probability();
      style.enabled = true;
    } else if (key == "style_scale") {
      style.geometry.scale_low = pair()[0];
      style.geometry.scale_high = pair()[1];
    } else if (key == "style_rotate") {
      style.geometry.rotate_degrees = positive();
    } else if (key == "style_shear") {
      style.geometry.shear = positive();
    } else if (key == "style_translate") {
      style.geometry.translate = positive();
    } else {
      throw InvalidArgument(fmt::format(
          "{} {}: unknown key; known are scale, ratio, color_jitter, color_jitter_prob, "
          "gray_scale_prob, flip_prob, blur_prob, style, style_scale, style_rotate, style_shear, "
          "style_translate",
          flag, assignment));
    }
  }
}

}  // namespace openclip::train
