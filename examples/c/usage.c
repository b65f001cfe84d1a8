/* open_clip's usage example in C11.
     usage [MODEL [PRETRAINED [IMAGE [LABEL...]]]] */
#include <openclip/openclip.h>
#include <stdio.h>
#include <stdlib.h>

static void check(openclip_status status) {
  if (status == OPENCLIP_OK) return;
  fprintf(stderr, "usage: %s\n", openclip_last_error());
  exit(1);
}

static void* allocate(size_t count, size_t size) {
  void* memory = calloc(count, size);
  if (memory == NULL) exit(1);
  return memory;
}

int main(int argc, char** argv) {
  const char* defaults[] = {"a diagram", "a dog", "a cat"};
  const char* name = argc > 1 ? argv[1] : "ViT-B-32";
  const char* picture = argc > 3 ? argv[3] : "docs/CLIP.png";
  const char* const* labels = argc > 4 ? (const char* const*)argv + 4 : defaults;
  const size_t count = argc > 4 ? (size_t)argc - 4 : 3;
  openclip_model_options options = {.struct_size = sizeof options};
  options.pretrained = argc > 2 ? argv[2] : argc > 1 ? NULL : "laion2b_s34b_b79k";

  openclip_model* model;
  openclip_preprocess* preprocess;
  openclip_tokenizer* tokenizer;
  check(openclip_create_model_and_transforms(name, &options, &model, &preprocess));
  check(openclip_get_tokenizer(name, &tokenizer));

  const size_t dim = openclip_model_embed_dim(model);
  const size_t context = (size_t)openclip_tokenizer_context_length(tokenizer);
  const size_t pixels = openclip_preprocess_size(preprocess);
  float* image = allocate(pixels, sizeof *image);
  int32_t* text = allocate(count * context, sizeof *text);
  check(openclip_preprocess_file(preprocess, picture, image, pixels));
  check(openclip_tokenize(tokenizer, labels, count, text, count * context, NULL));

  float* image_features = allocate(dim, sizeof *image_features);
  float* text_features = allocate(count * dim, sizeof *text_features);
  check(openclip_encode_image(model, image, 1, 0, image_features, dim));
  check(openclip_encode_text(model, text, count, context, 0, text_features, count * dim));
  check(openclip_normalize(image_features, 1, dim));
  check(openclip_normalize(text_features, count, dim));

  float* text_probs = allocate(count, sizeof *text_probs);
  for (size_t i = 0; i < count; ++i) {
    double dot = 0;
    for (size_t j = 0; j < dim; ++j) dot += (double)image_features[j] * text_features[i * dim + j];
    text_probs[i] = (float)(100.0 * dot);
  }
  check(openclip_softmax(text_probs, 1, count));

  printf("Label probs: [["); /* prints: [[1., 0., 0.]] */
  for (size_t i = 0; i < count; ++i) printf(" %.8g", text_probs[i]);
  printf(" ]]\n");

  free(text_probs);
  free(text_features);
  free(image_features);
  free(text);
  free(image);
  openclip_tokenizer_free(tokenizer);
  openclip_preprocess_free(preprocess);
  openclip_model_free(model);
  return 0;
}
