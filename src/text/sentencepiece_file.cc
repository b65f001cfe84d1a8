#include "text/sentencepiece_file.h"

#include "base/error.h"
#include "text/protobuf.h"

namespace openclip {
namespace {

constexpr size_t kMaxPieces = size_t{1} << 22;

// Field numbers of sentencepiece_model.proto.
enum ModelField : uint32_t { kPieces = 1, kTrainerSpec = 2, kNormalizerSpec = 3 };
enum PieceField : uint32_t { kPiece = 1, kScore = 2, kType = 3 };
enum TrainerField : uint32_t { kModelType = 3, kByteFallback = 35, kUnkId = 40 };
enum NormalizerField : uint32_t { kCharsmap = 2 };

class Parser {
 public:
  explicit Parser(const std::string& source) : source_(source) {}

  SentencePieceFile parse(std::string_view bytes) {
    ProtobufReader reader(source_, bytes);
    for (ProtobufField field; reader.next(&field);) {
      if (field.number == kPieces)
        read_piece(field.bytes);
      else if (field.number == kTrainerSpec)
        read_trainer(field.bytes);
      else if (field.number == kNormalizerSpec)
        read_normalizer(field.bytes);
    }
    if (file_.pieces.empty())
      throw ParseError(source_, "is no sentencepiece model: it has no pieces");
    if (file_.unknown_id < 0 || static_cast<size_t>(file_.unknown_id) >= file_.pieces.size())
      throw ParseError(source_, fmt::format("unk_id {} is no piece", file_.unknown_id));
    return std::move(file_);
  }

 private:
  void read_piece(std::string_view bytes) {
    if (file_.pieces.size() == kMaxPieces) throw ParseError(source_, "more than 2^22 pieces");
    SentencePieceFile::Piece piece;
    ProtobufReader reader(source_, bytes);
    for (ProtobufField field; reader.next(&field);) {
      if (field.number == kPiece) piece.text = field.bytes;
      if (field.number == kScore) piece.score = field.as_float();
      if (field.number == kType) piece.type = type_of(field.value);
    }
    if (piece.text.empty())
      throw ParseError(source_, fmt::format("piece {} is empty", file_.pieces.size()));
    if (!(piece.score > -1e30f && piece.score < 1e30f))
      throw ParseError(source_, fmt::format("piece {} has no score", file_.pieces.size()));
    file_.pieces.push_back(piece);
  }

  PieceType type_of(uint64_t value) const {
    if (value < 1 || value > 6) throw ParseError(source_, fmt::format("a piece of type {}", value));
    return static_cast<PieceType>(value);
  }

  void read_trainer(std::string_view bytes) {
    ProtobufReader reader(source_, bytes);
    for (ProtobufField field; reader.next(&field);) {
      if (field.number == kModelType) {
        if (field.value != 1 && field.value != 2)
          throw Unsupported(fmt::format(
              "{}: a sentencepiece model of words or characters; only unigram and BPE are known",
              source_));
        file_.algorithm = static_cast<SentencePieceFile::Algorithm>(field.value);
      }
      if (field.number == kByteFallback) file_.byte_fallback = field.value != 0;
      if (field.number == kUnkId) file_.unknown_id = static_cast<int32_t>(field.value);
    }
  }

  void read_normalizer(std::string_view bytes) {
    ProtobufReader reader(source_, bytes);
    for (ProtobufField field; reader.next(&field);)
      if (field.number == kCharsmap) file_.charsmap = field.bytes;
  }

  const std::string& source_;
  SentencePieceFile file_;
};

}  // namespace

SentencePieceFile parse_sentencepiece(const std::string& source, std::string_view bytes) {
  return Parser(source).parse(bytes);
}

}  // namespace openclip
