// The whole C++ API of openclip; openclip.h is the C API. docs/api.md has examples.
//
//   auto [model, preprocess] = openclip::create_model_and_transforms(
//       "ViT-B-32", {.pretrained = "laion2b_s34b_b79k"});
//   auto tokenizer = openclip::get_tokenizer("ViT-B-32");
//   auto image_features = model.encode_image(preprocess("cat.png"));
//   auto text_features = model.encode_text(tokenizer({"a cat", "a dog"}));
//
// Errors are exceptions derived from openclip::Error. The library never prints, exits or aborts.
#pragma once

#include "openclip/error.h"
#include "openclip/matrix.h"
#include "openclip/model.h"
#include "openclip/preprocess.h"
#include "openclip/tokenizer.h"
#include "openclip/version.h"
#include "openclip/zero_shot.h"
