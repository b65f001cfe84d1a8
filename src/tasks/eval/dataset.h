// Labelled pictures in the layouts that benchmarks come in. Rank 5.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tasks/image_source.h"

namespace openclip {

/// What the labels of a data set are.
enum class EvalKind {
  classification,  // one class for each picture
  multilabel,      // any number of classes for each picture
  retrieval,       // captions
};

struct EvalSample {
  ImageRef image;                     // or its problem
  int32_t target = -1;                // classification
  std::vector<uint8_t> targets;       // multilabel: 0 or 1 for each class
  std::vector<std::string> captions;  // retrieval
};

/// Hands out the samples of a split in a fixed order. Not thread-safe.
class EvalSamples {
 public:
  virtual ~EvalSamples() = default;
  virtual std::optional<EvalSample> next() = 0;
};

/// A data set that has been found; no picture has been read.
struct EvalDataset {
  std::string name;  // last part of the path
  EvalKind kind = EvalKind::classification;
  std::vector<std::string> classes;  // names of the classes; empty for retrieval
  std::vector<std::string>
      templates;  // the data set's own prompts, "{}" in place of CLIP_benchmark's
                  // "{c}"; may be empty
  std::unique_ptr<EvalSamples> samples;
};

struct EvalDatasetOptions {
  std::string split = "test";
  std::string classes_file;  // names for class folders: lines, or a JSON object {folder: name}
  std::string images;        // folder of the pictures that a caption file names
};

/// Opens one of these, told apart by what is there:
/// - CLIP_benchmark's webdatasets: FOLDER/SPLIT/nshards.txt and 0.tar…, FOLDER/classnames.txt,
///   zeroshot_classification_templates.txt, dataset_type.txt; samples of a picture and .cls, .npy
///   (one or zero for each class) or .txt (a caption a line);
/// - class folders, as ImageNet's: FOLDER[/SPLIT]/CLASS/PICTURE. Classes in the order of the
/// folders'
///   names, numbers in that of numbers (ImageNetV2). Their names are those of the classes file, of
///   FOLDER/classnames.txt, or the folders' own, underscores as blanks. A JSON object may name more
///   folders than there are (ImageNet-A and -R have 200 of the 1,000); a list of lines must be as
///   long as the folders' numbers or their count ask for;
/// - COCO's captions: a JSON file, Karpathy's ({"images": [{"filename", "filepath", "split",
///   "sentences": [{"raw"}]}]}) or COCO's own ({"images": [{"id", "file_name"}], "annotations":
///   [{"image_id", "caption"}]}).
/// Throws: NotFound, ParseError, InvalidArgument with what was expected.
EvalDataset open_eval_dataset(const std::string& path, const EvalDatasetOptions& options);

}  // namespace openclip
