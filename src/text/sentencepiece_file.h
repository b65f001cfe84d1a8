// The model files of sentencepiece (spiece.model, tokenizer.model, …). Rank 3.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace openclip {

/// A piece's type, as numbered in the file.
enum class PieceType {
  normal = 1,
  unknown = 2,
  control = 3,
  user_defined = 4,
  unused = 5,
  byte = 6
};

/// sentencepiece's ModelProto, without what only its trainer needs.
struct SentencePieceFile {
  enum class Algorithm { unigram = 1, bpe = 2 };
  struct Piece {
    std::string_view text;  // of the bytes that were parsed
    float score = 0;
    PieceType type = PieceType::normal;
  };
  std::vector<Piece> pieces{};
  Algorithm algorithm = Algorithm::unigram;
  int32_t unknown_id = 0;
  bool byte_fallback = false;
  std::string_view charsmap{};  // precompiled_charsmap; may be empty
};

/// The views point into `bytes`. Read by hand, as a protobuf of four messages: the library of
/// Debian's sentencepiece brings libprotobuf and absl, which every start of the program would load.
/// Throws: ParseError for malformed bytes, an empty vocabulary, more than 2^22 pieces;
/// Unsupported for word and character models. `source` names the file.
/// Source: sentencepiece_model.proto of google/sentencepiece.
SentencePieceFile parse_sentencepiece(const std::string& source, std::string_view bytes);

}  // namespace openclip
