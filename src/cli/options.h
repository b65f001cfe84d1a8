// Options that several subcommands share. Rank 7.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "base/context.h"
#include "base/error.h"
#include "cli/parser.h"
#include "models/factory.h"
#include "tasks/features.h"

namespace openclip {

/// The command line asks for something that can never work: exit code 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// Calls `fn`; its InvalidArgument is about what the user wrote, so it becomes a UsageError.
template <class Fn>
auto usage(Fn&& fn) {
  try {
    return std::forward<Fn>(fn)();
  } catch (const InvalidArgument& error) {
    throw UsageError(error.what());
  }
}

struct CommonOptions {
  ModelRequest model;
  std::string precision;  // empty: f32, or what the folder was quantised to
  int threads = 0;
  bool json = false;
  bool quiet = false;

  Context context() const { return Context(threads); }
};

/// Adds --model, --pretrained, --precision, --threads, --json and --quiet.
void add_common_options(Command& command, CommonOptions& options);

/// Adds --image-size, for commands that look at pictures.
void add_image_size(Command& command, CommonOptions& options);

/// Adds --context-length, for commands that read texts.
void add_context_length(Command& command, CommonOptions& options);

/// Adds --dense-reading, for commands that look at places of pictures.
void add_dense_reading(Command& command, std::string& reading);

/// What a command needs of a model; what is missing is downloaded first.
enum class Need { config, weights };

/// Finds the model that the options name, downloads what is missing with a progress bar, and tells
/// the model's notes and what precision `auto` picked on stderr, unless quiet.
/// Throws: UsageError and as find_model.
ModelSource find_model(const CommonOptions& options, Need need);

/// The model's tokenizer, fetched first where it is not here, with a progress bar.
/// Throws: as openclip::load_tokenizer.
std::unique_ptr<const Tokenizer> load_tokenizer(const CommonOptions& options,
                                                const ModelSource& source);

/// Fetches the tokenizer's files where they are not here and the config names some.
void fetch_tokenizer(const CommonOptions& options, const ModelSource& source);

/// One line on stderr about texts that were cut to `context_length` tokens, if there were any.
void tell_cut(const CutTexts& cut, int context_length);

/// --text T… and --text-file F together, in this order. Throws: errors of reading.
std::vector<std::string> collect_texts(const std::vector<std::string>& texts,
                                       const std::string& text_file);

}  // namespace openclip
