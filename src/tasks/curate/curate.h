// Filtering of picture-text pairs in webdataset shards, as LAION was filtered. Rank 5.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/context.h"
#include "models/model.h"
#include "tasks/curate/rules.h"
#include "text/tokenizer.h"

namespace openclip {

struct CurateRequest {
  std::vector<std::string> shards;  // tars; folders stand for the tars in them
  std::string out;                  // folder, made if it is not there
  CurateRules rules;
  std::string aesthetic_head, unsafe_head;  // files for FeatureHead; empty = none
  std::vector<std::string> tags;           // zero-shot prompts; the best two of a picture are noted
  std::vector<std::string> rejected_tags;  // of these: a picture whose best tag is one is left out
  std::string decontaminate;               // .npy of a test set's picture features, or empty
  std::string image_key = "jpg;jpeg;png;webp";  // open_clip's flag: alternatives, first found
  std::string text_key = "txt";
  int part = 0, parts = 1;  // this process takes the shards whose number is `part` modulo `parts`
  size_t batch = 64;
  bool parquet = false;  // the columns as Parquet, too
};

struct CurateListener {
  std::function<void(const std::string& problem)> on_problem;
  std::function<void(int64_t pairs)> on_pairs;  // number so far, without those of finished shards
};

struct CurateSummary {
  int64_t shards = 0, resumed_shards = 0;  // the latter were finished by an earlier run
  int64_t pairs = 0, kept = 0, problems = 0;
  std::map<std::string, int64_t> left_out;  // by reason
};

/// Writes for each shard NAME.tar
/// - OUT/shards/NAME.tar, the kept samples with all their members, bytes unchanged;
/// - OUT/columns/NAME.jsonl, a line for every sample: what is known of it, and why it was left out;
///   with `parquet` also OUT/columns/NAME.parquet, unless the shard has no sample;
/// - OUT/features/NAME.npy, float32 [kept, embed_dim], where near-duplicates are looked for.
/// The columns appear last: a shard that has them is finished, and a run that was killed goes on
/// behind it, with the same result. OUT/rules.json holds the settings; another run with others is
/// refused. Pairs are judged in order, so of near-duplicates the first that passes all other rules
/// is kept. Memory: the features of what is kept (where near-duplicates are looked for) and two
/// batches. Throws: InvalidArgument, NotFound, IoError; errors of the heads and of the towers.
CurateSummary curate(const Context& context, const Model& model, const Tokenizer& tokenizer,
                     const CurateRequest& request, const CurateListener& listener = {});

}  // namespace openclip
