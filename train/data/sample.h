// One training pair, before and after decoding.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/random.h"
#include "image/image.h"

namespace openclip::train {

/// The captions of a sample that one text key holds: a string, or a list of alternatives of which
/// the first is the best.
using Captions = std::vector<std::string>;

/// Everything known about a picture besides its pixels.
struct SampleText {
  std::vector<Captions> by_key;  // parallel to CaptionOptions::keys; empty where a key is missing
  int64_t label = -1;            // --label-key; -1 = none
  bool flip = false;             // the picture may be mirrored
  bool recolour = true;          // its colours may be changed without making the caption wrong
};

/// A sample as it lies on disk.
struct RawSample {
  std::string key;             // where it came from, for messages
  std::vector<uint8_t> bytes;  // encoded picture
  SampleText text;
};

/// Which of a sample's texts become captions.
struct CaptionOptions {
  std::vector<std::string> keys;      // of the .json part, in order of priority
  std::vector<double> probabilities;  // parallel to keys; empty = the first key that is present
  double first_probability = 0.5;     // of the first entry of a list
  std::string label_key;  // member of the .json part that holds an integer; empty = none
};

/// The caption for one visit of a sample. Among keys that are present one is drawn by its
/// probability; of a list the first entry is taken with first_probability, else one of the others.
/// Returns null if the sample has no caption.
const std::string* choose_caption(const SampleText& text, const CaptionOptions& options,
                                  Random& random);

/// Reads captions, label and permissions from a sample's .json part.
/// Throws: ParseError for malformed JSON or captions that are neither text nor lists of it.
SampleText parse_sample_json(const std::string& source, const std::vector<uint8_t>& json,
                             const CaptionOptions& options);

}  // namespace openclip::train
