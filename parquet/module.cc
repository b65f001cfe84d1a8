// The module that reads and writes Parquet by Apache Arrow; src/io/parquet_module.h says what for.
#include <arrow/api.h>
#include <arrow/io/api.h>
#include <arrow/json/api.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "io/parquet_module.h"

namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kRowsOfABatch = 4096;
constexpr int kDepth = 16;  // of lists in structs in lists …

struct Reader {
  std::unique_ptr<parquet::arrow::FileReader> file;
  std::shared_ptr<arrow::RecordBatchReader> batches;
  std::string text;
};

void check(const arrow::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.message());
}

template <typename T>
T take(arrow::Result<T> result) {
  check(result.status());
  return std::move(result).ValueUnsafe();
}

Json value_of(const arrow::Scalar& scalar, int depth);

Json list_of(const arrow::Array& values, int depth) {
  Json list = Json::array();
  for (int64_t i = 0; i < values.length(); ++i)
    list.push_back(value_of(*take(values.GetScalar(i)), depth));
  return list;
}

// Numbers, truths, texts, lists and structs as JSON has them; dates and the rest as Arrow writes
// them.
Json value_of(const arrow::Scalar& scalar, int depth) {
  using namespace arrow;
  if (!scalar.is_valid || depth == 0) return nullptr;
  switch (scalar.type->id()) {
    case Type::BOOL:
      return static_cast<const BooleanScalar&>(scalar).value;
    case Type::INT8:
      return static_cast<const Int8Scalar&>(scalar).value;
    case Type::INT16:
      return static_cast<const Int16Scalar&>(scalar).value;
    case Type::INT32:
      return static_cast<const Int32Scalar&>(scalar).value;
    case Type::INT64:
      return static_cast<const Int64Scalar&>(scalar).value;
    case Type::UINT8:
      return static_cast<const UInt8Scalar&>(scalar).value;
    case Type::UINT16:
      return static_cast<const UInt16Scalar&>(scalar).value;
    case Type::UINT32:
      return static_cast<const UInt32Scalar&>(scalar).value;
    case Type::UINT64:
      return static_cast<const UInt64Scalar&>(scalar).value;
    case Type::FLOAT:
      return static_cast<const FloatScalar&>(scalar).value;
    case Type::DOUBLE:
      return static_cast<const DoubleScalar&>(scalar).value;
    case Type::STRING:
    case Type::LARGE_STRING:
    case Type::BINARY:
    case Type::LARGE_BINARY:
      return std::string(static_cast<const BaseBinaryScalar&>(scalar).view());
    case Type::LIST:
    case Type::LARGE_LIST:
    case Type::FIXED_SIZE_LIST:
      return list_of(*static_cast<const BaseListScalar&>(scalar).value, depth - 1);
    case Type::DICTIONARY:
      return value_of(*take(static_cast<const DictionaryScalar&>(scalar).GetEncodedValue()),
                      depth - 1);
    case Type::STRUCT: {
      const auto& fields = static_cast<const StructScalar&>(scalar);
      Json object = Json::object();
      for (int i = 0; i < scalar.type->num_fields(); ++i)
        object[scalar.type->field(i)->name()] =
            value_of(*fields.value[static_cast<size_t>(i)], depth - 1);
      return object;
    }
    default:
      return scalar.ToString();
  }
}

std::unique_ptr<Reader> open(const char* path) {
  auto reader = std::make_unique<Reader>();
  auto input = take(arrow::io::ReadableFile::Open(path));
  reader->file = take(parquet::arrow::OpenFile(input, arrow::default_memory_pool()));
  reader->file->set_batch_size(kRowsOfABatch);
  reader->batches = take(reader->file->GetRecordBatchReader());
  return reader;
}

int64_t read(Reader& reader) {
  const std::shared_ptr<arrow::RecordBatch> batch = take(reader.batches->Next());
  if (!batch) return 0;
  check(batch->ValidateFull());  // a damaged file may hold offsets that lead anywhere
  reader.text.clear();
  for (int64_t row = 0; row < batch->num_rows(); ++row) {
    Json object = Json::object();
    for (int column = 0; column < batch->num_columns(); ++column)
      object[batch->column_name(column)] =
          value_of(*take(batch->column(column)->GetScalar(row)), kDepth);
    reader.text += object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  return batch->num_rows() == 0 ? read(reader) : batch->num_rows();
}

void write(const char* jsonl_path, const char* parquet_path) {
  arrow::MemoryPool* pool = arrow::default_memory_pool();
  const auto input = take(arrow::io::ReadableFile::Open(jsonl_path));
  const auto lines = take(arrow::json::TableReader::Make(
      pool, input, arrow::json::ReadOptions::Defaults(), arrow::json::ParseOptions::Defaults()));
  const std::shared_ptr<arrow::Table> table = take(lines->Read());
  const auto output = take(arrow::io::FileOutputStream::Open(parquet_path));
  const auto properties =
      parquet::WriterProperties::Builder().compression(parquet::Compression::ZSTD)->build();
  check(parquet::arrow::WriteTable(*table, pool, output, int64_t{1} << 16, properties));
  check(output->Close());
}

// Runs `work`; what it throws becomes the line in `error` and `failed`.
template <typename Result, typename Work>
Result guarded(Result failed, char* error, size_t size, const Work& work) {
  try {
    return work();
  } catch (const std::exception& problem) {
    std::string message = problem.what();
    std::replace(message.begin(), message.end(), '\n', ' ');
    if (size > 0) std::snprintf(error, size, "%s", message.c_str());
    return failed;
  }
}

}  // namespace

void* openclip_parquet_open(const char* path, char* error, size_t size) {
  return guarded<void*>(nullptr, error, size, [&] { return open(path).release(); });
}

int64_t openclip_parquet_rows(const void* reader) {
  return static_cast<const Reader*>(reader)->file->parquet_reader()->metadata()->num_rows();
}

int64_t openclip_parquet_read(void* reader, const char** text, size_t* bytes, char* error,
                              size_t size) {
  return guarded<int64_t>(-1, error, size, [&] {
    Reader& rows = *static_cast<Reader*>(reader);
    const int64_t count = read(rows);
    *text = rows.text.data();
    *bytes = rows.text.size();
    return count;
  });
}

void openclip_parquet_close(void* reader) { delete static_cast<Reader*>(reader); }

int openclip_parquet_write(const char* jsonl_path, const char* parquet_path, char* error,
                           size_t size) {
  return guarded<int>(-1, error, size, [&] {
    write(jsonl_path, parquet_path);
    return 0;
  });
}
