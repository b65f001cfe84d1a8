// open_clip's usage example in C++.
//   usage [MODEL [PRETRAINED [IMAGE [LABEL...]]]]
#include <openclip/clip.h>

#include <cstdio>
#include <string>
#include <vector>

int main(int argc, char** argv) try {
  const std::string name = argc > 1 ? argv[1] : "ViT-B-32";
  const std::string pretrained = argc > 2 ? argv[2] : argc > 1 ? "" : "laion2b_s34b_b79k";
  const std::string picture = argc > 3 ? argv[3] : "docs/CLIP.png";
  std::vector<std::string> labels(argv + (argc > 4 ? 4 : argc), argv + argc);
  if (labels.empty()) labels = {"a diagram", "a dog", "a cat"};

  auto [model, preprocess] =
      openclip::create_model_and_transforms(name, {.pretrained = pretrained});
  auto tokenizer = openclip::get_tokenizer(name);

  auto image = preprocess(picture);
  auto text = tokenizer(labels);

  auto image_features = model.encode_image(image);
  auto text_features = model.encode_text(text);
  openclip::normalize(image_features);
  openclip::normalize(text_features);

  auto text_probs = openclip::similarity(image_features, text_features, 100.0f);
  openclip::softmax(text_probs);

  std::printf("Label probs: [[");  // prints: [[1., 0., 0.]]
  for (const float p : text_probs.row(0)) std::printf(" %.8g", p);
  std::printf(" ]]\n");
} catch (const openclip::Error& error) {
  std::fprintf(stderr, "usage: %s\n", error.what());
  return 1;
}
