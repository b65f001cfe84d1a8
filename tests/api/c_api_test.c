/* The C API from C11: every function, its errors, and one model in several threads.
   Arguments: the root of the repository. */
#include <openclip/openclip.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;

#define CHECK(condition)                                                     \
  do {                                                                       \
    if (!(condition)) {                                                      \
      printf("%s:%d: %s (last error: %s)\n", __FILE__, __LINE__, #condition, \
             openclip_last_error());                                         \
      ++failures;                                                            \
    }                                                                        \
  } while (0)

enum { DIM = 16, SIDE = 32, CONTEXT = 16, PIXELS = 3 * SIDE * SIDE };

static char tiny[1024], cat[1024];
static openclip_model* model = NULL;
static openclip_preprocess* preprocess = NULL;
static openclip_tokenizer* tokenizer = NULL;

static void load(void) {
  openclip_model_options options = {.struct_size = sizeof options, .threads = 2};
  CHECK(openclip_create_model_and_transforms(tiny, &options, &model, &preprocess) == OPENCLIP_OK);
  CHECK(openclip_get_tokenizer(tiny, &tokenizer) == OPENCLIP_OK);
  CHECK(openclip_model_embed_dim(model) == DIM);
  CHECK(openclip_model_image_size(model) == SIDE);
  CHECK(openclip_model_context_length(model) == CONTEXT);
  CHECK(openclip_tokenizer_context_length(tokenizer) == CONTEXT);
  CHECK(openclip_tokenizer_vocab_size(tokenizer) > 500);
  CHECK(openclip_preprocess_size(preprocess) == PIXELS);
  CHECK(strcmp(openclip_model_name(model), "tiny_model") == 0);
  CHECK(openclip_model_logit_scale(model) > 2.9f && openclip_model_logit_scale(model) < 3.1f);
  CHECK(openclip_model_logit_bias(model, NULL) == 0);
}

static void versions_and_names(void) {
  size_t count = 0, pretrained = 0, i, seen = 0;
  const char *const *names, *const *models, *const *tags;
  CHECK(strcmp(openclip_version(), OPENCLIP_VERSION) == 0);
  CHECK(openclip_version_number() == OPENCLIP_VERSION_NUMBER);
  CHECK(strcmp(openclip_status_name(OPENCLIP_PARSE), "OPENCLIP_PARSE") == 0);
  CHECK(strcmp(openclip_status_name(999), "unknown status") == 0);
  CHECK(openclip_list_models(&names, &count) == OPENCLIP_OK && count > 10);
  CHECK(openclip_list_pretrained(&models, &tags, &pretrained) == OPENCLIP_OK && pretrained > count);
  for (i = 0; i < pretrained; ++i)
    seen += strcmp(models[i], "ViT-B-32") == 0 && strcmp(tags[i], "laion2b_s34b_b79k") == 0;
  CHECK(seen == 1);
}

/* A file, its bytes and its pixels give the same numbers. */
static void pictures(void) {
  static unsigned char bytes[1 << 16], rgb[2][3] = {{250, 10, 30}, {250, 10, 30}};
  float from_file[PIXELS], from_bytes[PIXELS], from_pixels[PIXELS];
  openclip_image image = {.struct_size = sizeof image,
                          .pixels = rgb[0],
                          .width = 2,
                          .height = 1,
                          .format = OPENCLIP_PIXELS_RGB8};
  FILE* file = fopen(cat, "rb");
  size_t size;
  CHECK(file != NULL);
  if (file == NULL) return;
  size = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  CHECK(openclip_preprocess_file(preprocess, cat, from_file, PIXELS) == OPENCLIP_OK);
  CHECK(openclip_preprocess_bytes(preprocess, bytes, size, from_bytes, PIXELS) == OPENCLIP_OK);
  CHECK(memcmp(from_file, from_bytes, sizeof from_file) == 0);
  CHECK(openclip_preprocess_pixels(preprocess, &image, from_pixels, PIXELS) == OPENCLIP_OK);
  CHECK(from_pixels[0] == (250 / 255.0f - 0.5f) / 0.5f);
  CHECK(from_pixels[PIXELS - 1] == (30 / 255.0f - 0.5f) / 0.5f);

  image.format = 99;
  CHECK(openclip_preprocess_pixels(preprocess, &image, from_pixels, PIXELS) ==
        OPENCLIP_INVALID_ARGUMENT);
  CHECK(openclip_preprocess_file(preprocess, "/nowhere.png", from_file, PIXELS) ==
        OPENCLIP_NOT_FOUND);
  CHECK(strstr(openclip_last_error(), "/nowhere.png") != NULL);
  CHECK(openclip_preprocess_bytes(preprocess, "GIF89a", 6, from_file, PIXELS) == OPENCLIP_PARSE);
  CHECK(openclip_preprocess_file(preprocess, cat, from_file, PIXELS - 1) ==
        OPENCLIP_INVALID_ARGUMENT);
}

static void features_and_labels(void) {
  const char* labels[] = {"cat", "a red heart", "dog"};
  const char* templates[] = {"{}", "a photo of a {}."};
  const char* long_text[] = {"a", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"};
  int32_t ids[3 * CONTEXT];
  uint8_t cut[2] = {9, 9};
  float pixels[PIXELS], image[DIM], text[3 * DIM], logits[3], total = 0;
  double scores[3];
  openclip_classifier* classifier = NULL;
  size_t i, j;
  CHECK(openclip_preprocess_file(preprocess, cat, pixels, PIXELS) == OPENCLIP_OK);
  CHECK(openclip_encode_image(model, pixels, 1, 1, image, DIM) == OPENCLIP_OK);
  CHECK(openclip_tokenize(tokenizer, labels, 3, ids, 3 * CONTEXT, NULL) == OPENCLIP_OK);
  CHECK(openclip_encode_text(model, ids, 3, CONTEXT, 0, text, 3 * DIM) == OPENCLIP_OK);
  CHECK(openclip_normalize(text, 3, DIM) == OPENCLIP_OK);
  for (i = 0; i < 3; ++i) {
    logits[i] = 0;
    for (j = 0; j < DIM; ++j) logits[i] += 20.0f * image[j] * text[i * DIM + j];
  }
  CHECK(openclip_softmax(logits, 1, 3) == OPENCLIP_OK);
  CHECK(openclip_classifier_create(model, tokenizer, labels, 3, NULL, 0, &classifier) ==
        OPENCLIP_OK);
  CHECK(openclip_classify(classifier, image, 1, scores, 3) == OPENCLIP_OK);
  for (i = 0; i < 3; ++i) {
    total += (float)scores[i];
    CHECK(scores[i] - logits[i] < 1e-3 && logits[i] - scores[i] < 1e-3);
  }
  CHECK(total > 0.99999f && total < 1.00001f);
  openclip_classifier_free(classifier);
  CHECK(openclip_classifier_create(model, tokenizer, labels, 3, templates, 2, &classifier) ==
        OPENCLIP_OK);
  openclip_classifier_free(classifier);
  CHECK(openclip_tokenize(tokenizer, long_text, 2, ids, 2 * CONTEXT, cut) == OPENCLIP_OK);
  CHECK(cut[0] == 0 && cut[1] == 1);
}

static void refused(void) {
  /* Room behind the struct, as a caller of a later version would have. */
  struct {
    openclip_model_options options;
    size_t more;
  } later = {.options = {.struct_size = sizeof later}};
  struct {
    size_t struct_size;
    const char* pretrained;
  } earlier = {sizeof earlier, NULL};
  openclip_model_options options = {.struct_size = sizeof options, .towers = OPENCLIP_TOWERS_TEXT};
  openclip_model* made = NULL;
  float pixels[PIXELS] = {0}, out[DIM];
  CHECK(openclip_create_model_and_transforms("ViT-B-23", NULL, &made, NULL) == OPENCLIP_NOT_FOUND);
  CHECK(made == NULL && strstr(openclip_last_error(), "ViT-B-32") != NULL);
  CHECK(openclip_create_model_and_transforms(tiny, NULL, NULL, NULL) == OPENCLIP_INVALID_ARGUMENT);
  CHECK(openclip_encode_image(NULL, pixels, 1, 0, out, DIM) == OPENCLIP_INVALID_ARGUMENT);
  CHECK(openclip_encode_image(model, pixels, (size_t)-1, 0, out, DIM) == OPENCLIP_INVALID_ARGUMENT);
  CHECK(openclip_encode_image(model, pixels, 1, 0, out, DIM + 1) == OPENCLIP_INVALID_ARGUMENT);

  CHECK(openclip_create_model_and_transforms(tiny, &options, &made, NULL) == OPENCLIP_OK);
  CHECK(openclip_encode_image(made, pixels, 1, 0, out, DIM) == OPENCLIP_INVALID_ARGUMENT);
  openclip_model_free(made);
  made = NULL;
  options.struct_size = 0;
  CHECK(openclip_create_model_and_transforms(tiny, &options, &made, NULL) ==
        OPENCLIP_INVALID_ARGUMENT);
  CHECK(openclip_create_model_and_transforms(tiny,
                                             (const openclip_model_options*)(const void*)&earlier,
                                             &made, NULL) == OPENCLIP_OK);
  openclip_model_free(made);
  made = NULL;
  CHECK(openclip_create_model_and_transforms(tiny, &later.options, &made, NULL) == OPENCLIP_OK);
  openclip_model_free(made);
  made = NULL;
  later.more = 1;
  CHECK(openclip_create_model_and_transforms(tiny, &later.options, &made, NULL) ==
        OPENCLIP_UNSUPPORTED);

  openclip_model_free(NULL);
  openclip_preprocess_free(NULL);
  openclip_tokenizer_free(NULL);
  openclip_classifier_free(NULL);
}

/* Each thread has an error text of its own, and the shared handles give all the same numbers. */
static float expected[DIM];

static void* work(void* argument) {
  char wrong[32];
  float pixels[PIXELS], features[DIM];
  int round;
  long* bad = argument;
  snprintf(wrong, sizeof wrong, "/nowhere/%p", argument);
  for (round = 0; round < 20; ++round) {
    *bad += openclip_preprocess_file(preprocess, wrong, pixels, PIXELS) != OPENCLIP_NOT_FOUND;
    *bad += openclip_preprocess_file(preprocess, cat, pixels, PIXELS) != OPENCLIP_OK;
    *bad += openclip_encode_image(model, pixels, 1, 0, features, DIM) != OPENCLIP_OK;
    *bad += memcmp(features, expected, sizeof features) != 0;
    *bad += strstr(openclip_last_error(), wrong) == NULL;
  }
  return NULL;
}

static void threads(void) {
  pthread_t thread[4];
  long bad[4] = {0, 0, 0, 0};
  float pixels[PIXELS];
  int i;
  CHECK(openclip_preprocess_file(preprocess, cat, pixels, PIXELS) == OPENCLIP_OK);
  CHECK(openclip_encode_image(model, pixels, 1, 0, expected, DIM) == OPENCLIP_OK);
  for (i = 0; i < 4; ++i) CHECK(pthread_create(&thread[i], NULL, work, &bad[i]) == 0);
  for (i = 0; i < 4; ++i) CHECK(pthread_join(thread[i], NULL) == 0);
  for (i = 0; i < 4; ++i) CHECK(bad[i] == 0);
}

/* A tensor of a safetensors file: malloc'ed bytes. */
static void* tensor_of(const char* path, const char* name) {
  FILE* file = fopen(path, "rb");
  uint64_t length = 0;
  unsigned long begin = 0, end = 0;
  char *header, *entry, quoted[64];
  void* bytes = NULL;
  if (file == NULL || fread(&length, 8, 1, file) != 1) return NULL;
  header = calloc(1, (size_t)length + 1);
  snprintf(quoted, sizeof quoted, "\"%s\"", name);
  if (fread(header, 1, (size_t)length, file) == length &&
      (entry = strstr(header, quoted)) != NULL && (entry = strstr(entry, "data_offsets")) != NULL &&
      sscanf(entry, "data_offsets\":[%lu,%lu]", &begin, &end) == 2 &&
      fseek(file, (long)(8 + length + begin), SEEK_SET) == 0) {
    bytes = malloc(end - begin);
    if (fread(bytes, 1, end - begin, file) != end - begin) {
      free(bytes);
      bytes = NULL;
    }
  }
  free(header);
  fclose(file);
  return bytes;
}

/* Captions that Python's open_clip generates (tools/goldens/coca.py), padded there with -1. */
static void captions(const char* root) {
  enum { COUNT = 6, LENGTH = 16 };
  char config[1024], weights[1024], io[1024], text[64];
  openclip_model_options options = {.struct_size = sizeof options, .pretrained = weights};
  openclip_generate_options generation = {.struct_size = sizeof generation,
                                          .generation_type = OPENCLIP_GENERATE_TOP_K,
                                          .seq_len = LENGTH,
                                          .sot_token_id = 38,
                                          .eos_token_id = 39};
  openclip_model* coca = NULL;
  int32_t ids[COUNT * LENGTH], *want, pieces[16];
  float* pixels;
  size_t length = 0, i;
  snprintf(config, sizeof config, "%s/tests/golden/coca/pooled.json", root);
  snprintf(weights, sizeof weights, "%s/tests/golden/coca/pooled.safetensors", root);
  snprintf(io, sizeof io, "%s/tests/golden/coca/pooled.io.safetensors", root);
  pixels = tensor_of(io, "pixels");
  want = tensor_of(io, "generate.greedy");
  CHECK(pixels != NULL && want != NULL);
  CHECK(openclip_create_model_and_transforms(config, &options, &coca, NULL) == OPENCLIP_OK);
  if (failures > 0) return;
  CHECK(openclip_generate(coca, pixels, COUNT, &generation, ids, COUNT * LENGTH) == OPENCLIP_OK);
  for (i = 0; i < COUNT * LENGTH; ++i) CHECK(ids[i] == (want[i] < 0 ? 0 : want[i]));
  CHECK(openclip_generate(coca, pixels, COUNT, &generation, ids, 7) == OPENCLIP_INVALID_ARGUMENT);
  CHECK(strstr(openclip_last_error(), "ids must have 6 * 16 numbers") != NULL);
  generation.generation_type = 3;
  CHECK(openclip_generate(coca, pixels, COUNT, &generation, ids, COUNT * LENGTH) ==
        OPENCLIP_INVALID_ARGUMENT);
  generation.generation_type = OPENCLIP_GENERATE_BEAM_SEARCH;
  CHECK(openclip_generate(model, pixels, 0, &generation, ids, 0) == OPENCLIP_INVALID_ARGUMENT);
  CHECK(openclip_generate(NULL, pixels, 0, &generation, ids, 0) == OPENCLIP_INVALID_ARGUMENT);
  openclip_model_free(coca);
  free(pixels);
  free(want);

  const char* words[] = {"a cat"};
  int32_t row[CONTEXT];
  CHECK(openclip_tokenize(tokenizer, words, 1, row, CONTEXT, NULL) == OPENCLIP_OK);
  for (i = 0; i < 16; ++i) pieces[i] = row[i + 1 < CONTEXT ? i + 1 : i];
  for (length = 0; length < 15 && row[length + 2] != 0; ++length) continue; /* words alone */
  CHECK(openclip_decode(tokenizer, pieces, length, text, sizeof text, &i) == OPENCLIP_OK);
  CHECK(strncmp(text, "a cat", 5) == 0 && i == strlen(text));
  CHECK(openclip_decode(tokenizer, pieces, length, NULL, 0, &i) == OPENCLIP_OK && i >= 5);
  CHECK(openclip_decode(tokenizer, pieces, length, text, 3, NULL) == OPENCLIP_INVALID_ARGUMENT);
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  snprintf(tiny, sizeof tiny, "local-dir:%s/tests/golden/tiny_model", argv[1]);
  snprintf(cat, sizeof cat, "%s/samples/cat.png", argv[1]);
  CHECK(strcmp(openclip_last_error(), "") == 0);
  load();
  if (failures == 0) {
    versions_and_names();
    pictures();
    features_and_labels();
    refused();
    captions(argv[1]);
    threads();
  }
  openclip_model_free(model);
  openclip_preprocess_free(preprocess);
  openclip_tokenizer_free(tokenizer);
  printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
