/*
 * The C API of openclip: pictures and texts as vectors of one space. docs/api.md has examples.
 *
 * Stability: functions, struct fields and numbers of enums never change meaning within a major
 *   version. Structs that the caller fills begin with struct_size, so that later versions can
 * append fields; what a shorter struct lacks is taken as zero, the documented default. Errors:
 * functions return openclip_status; openclip_last_error() is the text, kept for each thread. On an
 * error nothing is written to handles; numeric outputs may be partly written. No C++ exception
 * leaves the library, and it never prints, exits or aborts. Ownership: what a function creates
 * through an openclip_X** is the caller's, to be given to openclip_X_free; every _free takes NULL.
 * A classifier and a preprocess keep what they need alive, so handles may be freed in any order.
 * Strings that are returned belong to the library, and live as long as the handle they came from,
 * or for ever where there is none. Threads: every handle may be used by any number of threads at
 * once; freeing it needs all others to have returned. Strings and paths are UTF-8, ended by zero.
 * Matrices are in C order. Sizes of buffers are counted in elements, and must be exact.
 */
#ifndef OPENCLIP_OPENCLIP_H
#define OPENCLIP_OPENCLIP_H

#include <stddef.h>
#include <stdint.h>

#include "openclip/export.h"
#include "openclip/version.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- errors and version ---- */

typedef int32_t openclip_status;
enum {
  OPENCLIP_OK = 0,
  OPENCLIP_INVALID_ARGUMENT = 1, /* a value that can never work: shape, range, name, NULL */
  OPENCLIP_NOT_FOUND = 2,        /* a file, model, tag or tensor that does not exist */
  OPENCLIP_UNSUPPORTED = 3,      /* valid, but not handled by this build or version */
  OPENCLIP_IO = 4,               /* the operating system refused: read, map, disk full */
  OPENCLIP_PARSE = 5,            /* foreign bytes that do not follow their format */
  OPENCLIP_OUT_OF_MEMORY = 6,
  OPENCLIP_INTERNAL = 7, /* a bug in this library */
  OPENCLIP_NETWORK = 8,  /* a server that cannot be reached or contradicts itself */
  OPENCLIP_CANCELLED = 9 /* the caller asked to stop */
};

/* One line about the last call of this thread that failed; "" before the first. It stays valid
   until the next call of this thread that fails. */
OPENCLIP_EXPORT const char* openclip_last_error(void);

/* "OPENCLIP_NOT_FOUND" and so on; "unknown status" for other numbers. */
OPENCLIP_EXPORT const char* openclip_status_name(openclip_status status);

/* The library that runs, as OPENCLIP_VERSION and OPENCLIP_VERSION_NUMBER are the header. */
OPENCLIP_EXPORT const char* openclip_version(void);
OPENCLIP_EXPORT int32_t openclip_version_number(void);

/* ---- models ---- */

typedef struct openclip_model openclip_model;
typedef struct openclip_preprocess openclip_preprocess;
typedef struct openclip_tokenizer openclip_tokenizer;
typedef struct openclip_classifier openclip_classifier;

enum { OPENCLIP_TOWERS_BOTH = 0, OPENCLIP_TOWERS_IMAGE = 1, OPENCLIP_TOWERS_TEXT = 2 };

/* All zero but struct_size is a fine set of options. */
typedef struct openclip_model_options {
  size_t struct_size;       /* sizeof(openclip_model_options) */
  const char* pretrained;   /* a tag of the model, or a weights file or folder; NULL: none given */
  const char* precision;    /* "fp32", "bf16" or "int8"; NULL: fp32 */
  const char* cache_dir;    /* of the hub; NULL: HF_HUB_CACHE, HF_HOME, ~/.cache/... */
  int32_t threads;          /* that a call may use; 0: all cores of the process */
  int32_t towers;           /* OPENCLIP_TOWERS_...: which to load */
  int32_t force_quick_gelu; /* not 0: whatever the config says */
  int32_t reserved;         /* 0 */
} openclip_model_options;

/* Finds and loads a model.
   name: a name that openclip_list_models() has, "hf-hub:ORG/REPO", "local-dir:FOLDER", or the path
     of a folder or of a .json config; NULL or "": the small model that ships with openclip.
     What is not on this machine is downloaded into the hub's cache, unless HF_HUB_OFFLINE is set.
   options: NULL for all defaults.
   preprocess: NULL where it is not wanted. */
OPENCLIP_EXPORT openclip_status
openclip_create_model_and_transforms(const char* name, const openclip_model_options* options,
                                     openclip_model** model, openclip_preprocess** preprocess);
OPENCLIP_EXPORT void openclip_model_free(openclip_model* model);

OPENCLIP_EXPORT const char* openclip_model_name(const openclip_model* model);
OPENCLIP_EXPORT size_t openclip_model_embed_dim(const openclip_model* model);
OPENCLIP_EXPORT int32_t openclip_model_image_size(const openclip_model* model); /* pixels a side */
OPENCLIP_EXPORT int32_t openclip_model_context_length(const openclip_model* model);
/* The logarithm of what cosine similarities are multiplied with before the softmax, as open_clip's
   parameter of this name. */
OPENCLIP_EXPORT float openclip_model_logit_scale(const openclip_model* model);
/* 1, and *bias is set, for models with a sigmoid loss; else 0. */
OPENCLIP_EXPORT int32_t openclip_model_logit_bias(const openclip_model* model, float* bias);

/* Features of `count` pictures. pixels: [count, 3, image_size, image_size] as
   openclip_preprocess_... makes them; out: [count, embed_dim]; out_size: count * embed_dim.
   normalize: not 0 for rows of length 1. */
OPENCLIP_EXPORT openclip_status openclip_encode_image(const openclip_model* model,
                                                      const float* pixels, size_t count,
                                                      int32_t normalize, float* out,
                                                      size_t out_size);

/* Features of `count` texts. ids: [count, context_length] as openclip_tokenize makes them. */
OPENCLIP_EXPORT openclip_status openclip_encode_text(const openclip_model* model,
                                                     const int32_t* ids, size_t count,
                                                     size_t context_length, int32_t normalize,
                                                     float* out, size_t out_size);

enum {
  OPENCLIP_GENERATE_BEAM_SEARCH = 0,
  OPENCLIP_GENERATE_TOP_P = 1,
  OPENCLIP_GENERATE_TOP_K = 2
};

/* All zero but struct_size is a fine set of options: beam search with open_clip's defaults. */
typedef struct openclip_generate_options {
  size_t struct_size;        /* sizeof(openclip_generate_options) */
  int32_t generation_type;   /* OPENCLIP_GENERATE_... */
  int32_t seq_len;           /* tokens at most, start and end token included; 0: 30 */
  int32_t min_seq_len;       /* no end token before so many; 0: 5, below 0: none */
  int32_t top_k;             /* draw from the k best words; 0: 1, the greedy caption */
  int32_t num_beams;         /* 0: 6 */
  int32_t num_beam_groups;   /* 0: 3 */
  int32_t sot_token_id;      /* 0: 49406 */
  int32_t eos_token_id;      /* 0: 49407 */
  double temperature;        /* 0: 1 */
  double top_p;              /* draw from the words of this probability together; 0: 0.1 */
  double repetition_penalty; /* 0: 1, none */
  uint64_t seed;             /* of drawing */
  uint64_t reserved;         /* 0 */
} openclip_generate_options;

/* Captions that a CoCa writes about `count` pictures, as token ids from the start token on.
   pixels: as of openclip_encode_image; options: NULL for all defaults; ids: [count, seq_len],
   padded with 0; ids_size: count * seq_len. OPENCLIP_INVALID_ARGUMENT for other models. */
OPENCLIP_EXPORT openclip_status openclip_generate(const openclip_model* model, const float* pixels,
                                                  size_t count,
                                                  const openclip_generate_options* options,
                                                  int32_t* ids, size_t ids_size);

/* Scales each of the rows [count, dim] to length 1. */
OPENCLIP_EXPORT openclip_status openclip_normalize(float* rows, size_t count, size_t dim);

/* exp(x) / sum(exp(x)) of each of the rows [count, dim], in place. */
OPENCLIP_EXPORT openclip_status openclip_softmax(float* rows, size_t count, size_t dim);

/* Models that are known by name, and (model, tag) of the published checkpoints. The arrays belong
   to the library and live for ever. *tags, where wanted, is as long as the array of models. */
OPENCLIP_EXPORT openclip_status openclip_list_models(const char* const** names, size_t* count);
OPENCLIP_EXPORT openclip_status openclip_list_pretrained(const char* const** models,
                                                         const char* const** tags, size_t* count);

/* ---- texts ---- */

/* The tokenizer of a model, named as above; its weights are not needed. */
OPENCLIP_EXPORT openclip_status openclip_get_tokenizer(const char* name,
                                                       openclip_tokenizer** tokenizer);
OPENCLIP_EXPORT void openclip_tokenizer_free(openclip_tokenizer* tokenizer);
OPENCLIP_EXPORT int32_t openclip_tokenizer_context_length(const openclip_tokenizer* tokenizer);
OPENCLIP_EXPORT int32_t openclip_tokenizer_vocab_size(const openclip_tokenizer* tokenizer);

/* Token ids of `count` texts with start, end and padding. ids: [count, context_length] of the
   tokenizer; ids_size: its elements. truncated: NULL, or `count` bytes that become 1 where a text
   was too long and was cut, else 0. */
OPENCLIP_EXPORT openclip_status openclip_tokenize(const openclip_tokenizer* tokenizer,
                                                  const char* const* texts, size_t count,
                                                  int32_t* ids, size_t ids_size,
                                                  uint8_t* truncated);

/* The text that `count` ids stand for, ended by zero. length: NULL, or set to its bytes without the
   zero, also where text_size is too small. text may be NULL with a text_size of 0, to ask for it.
 */
OPENCLIP_EXPORT openclip_status openclip_decode(const openclip_tokenizer* tokenizer,
                                                const int32_t* ids, size_t count, char* text,
                                                size_t text_size, size_t* length);

/* ---- pictures ---- */

/* Layout of decoded pixels, with Pillow's names. A picture is resized in its own layout and made
   RGB afterwards, as open_clip does. */
enum {
  OPENCLIP_PIXELS_GRAY8 = 1,       /* L */
  OPENCLIP_PIXELS_GRAY_ALPHA8 = 2, /* LA */
  OPENCLIP_PIXELS_RGB8 = 3,        /* RGB */
  OPENCLIP_PIXELS_RGBA8 = 4,       /* RGBA, not premultiplied */
  OPENCLIP_PIXELS_CMYK8 = 5,       /* CMYK, 255 is full ink */
  OPENCLIP_PIXELS_GRAY16 = 6,      /* I;16, native byte order; clipped, not scaled, to 8 bits */
  OPENCLIP_PIXELS_PALETTE8 = 7,    /* P */
  OPENCLIP_PIXELS_BILEVEL8 = 8     /* 1, a byte of 0 or 255 each */
};

typedef struct openclip_image {
  size_t struct_size;     /* sizeof(openclip_image) */
  const uint8_t* pixels;  /* top row first */
  size_t row_bytes;       /* from row to row; 0: rows without padding */
  const uint8_t* palette; /* PALETTE8: RGB entries, else NULL */
  size_t palette_entries; /* up to 256; absent ones are black */
  int32_t width;
  int32_t height;
  int32_t format;   /* OPENCLIP_PIXELS_... */
  int32_t reserved; /* 0 */
} openclip_image;

OPENCLIP_EXPORT void openclip_preprocess_free(openclip_preprocess* preprocess);
/* Numbers of one picture: 3 * height * width. */
OPENCLIP_EXPORT size_t openclip_preprocess_size(const openclip_preprocess* preprocess);

/* One picture as the image tower sees it, [3, height, width]; out_size: openclip_preprocess_size.
   JPEG, PNG, WebP, GIF and BMP. From a file, from a whole file in memory, from decoded pixels. */
OPENCLIP_EXPORT openclip_status openclip_preprocess_file(const openclip_preprocess* preprocess,
                                                         const char* path, float* out,
                                                         size_t out_size);
OPENCLIP_EXPORT openclip_status openclip_preprocess_bytes(const openclip_preprocess* preprocess,
                                                          const void* bytes, size_t size,
                                                          float* out, size_t out_size);
OPENCLIP_EXPORT openclip_status openclip_preprocess_pixels(const openclip_preprocess* preprocess,
                                                           const openclip_image* image, float* out,
                                                           size_t out_size);

/* ---- zero-shot classification ---- */

/* Labels turned into vectors, ready for any number of pictures.
   templates: every "{}" of each stands for the label; NULL and 0: the label itself is the prompt.
 */
OPENCLIP_EXPORT openclip_status openclip_classifier_create(
    const openclip_model* model, const openclip_tokenizer* tokenizer, const char* const* labels,
    size_t label_count, const char* const* templates, size_t template_count,
    openclip_classifier** classifier);
OPENCLIP_EXPORT void openclip_classifier_free(openclip_classifier* classifier);

/* softmax(exp(logit_scale) * cosine) over the labels, in their order.
   image_features: [count, embed_dim], normalised or not; out: [count, labels]. */
OPENCLIP_EXPORT openclip_status openclip_classify(const openclip_classifier* classifier,
                                                  const float* image_features, size_t count,
                                                  double* out, size_t out_size);

#ifdef __cplusplus
}
#endif

#endif /* OPENCLIP_OPENCLIP_H */
