// What stands behind the handles of the C++ API. Rank 6.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "image/preprocess.h"
#include "models/factory.h"
#include "openclip/model.h"
#include "openclip/preprocess.h"
#include "openclip/tokenizer.h"

namespace openclip::v0 {

struct Model::Impl {
  ModelSource source;
  Context context;
  Towers towers;
  std::shared_ptr<const openclip::Model> model;

  /// Pictures in so many numbers. op: the function's name. Throws: InvalidArgument unless they are
  /// whole ones.
  size_t count_pictures(const char* op, size_t numbers) const;
};

struct Tokenizer::Impl {
  std::shared_ptr<const openclip::Tokenizer> tokenizer;
};

struct Preprocess::Impl {
  PreprocessOptions options;
  PreprocessConfig config;
};

}  // namespace openclip::v0
