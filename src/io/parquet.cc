#include "io/parquet.h"

#include <array>
#include <filesystem>

#include "base/error.h"
#include "base/shared_library.h"
#include "io/parquet_module.h"

namespace openclip {
namespace {

struct Module {
  decltype(&::openclip_parquet_open) open;
  decltype(&::openclip_parquet_rows) rows;
  decltype(&::openclip_parquet_read) read;
  decltype(&::openclip_parquet_close) close;
  decltype(&::openclip_parquet_write) write;
};

Module load_module() {
  const SharedLibrary library({"openclip_parquet.so"},
                              "this openclip was built without Parquet (Apache Arrow); write the "
                              "table as JSON lines: python3 -c \"import pandas; "
                              "pandas.read_parquet('F.parquet').to_json('F.jsonl', "
                              "orient='records', lines=True)\"");
  Module module{};
  library.bind("openclip_parquet_open", module.open);
  library.bind("openclip_parquet_rows", module.rows);
  library.bind("openclip_parquet_read", module.read);
  library.bind("openclip_parquet_close", module.close);
  library.bind("openclip_parquet_write", module.write);
  return module;
}

const Module& module_of(const std::string& path) {
  try {
    static const Module module = load_module();
    return module;
  } catch (const Unsupported& error) {
    throw Unsupported(fmt::format("{}: {}", path, error.what()));
  }
}

using ErrorText = std::array<char, 512>;

}  // namespace

ParquetReader::ParquetReader(const std::string& path) : path_(path) {
  ErrorText error{};
  reader_ = module_of(path).open(path.c_str(), error.data(), error.size());
  if (reader_ == nullptr) throw ParseError(path, error.data());
}

ParquetReader::~ParquetReader() { module_of(path_).close(reader_); }

int64_t ParquetReader::rows() const { return module_of(path_).rows(reader_); }

std::optional<std::string_view> ParquetReader::next() {
  if (lines_.empty()) {
    ErrorText error{};
    const char* text = nullptr;
    size_t bytes = 0;
    const int64_t rows = module_of(path_).read(reader_, &text, &bytes, error.data(), error.size());
    if (rows < 0) throw ParseError(path_, error.data());
    if (rows == 0) return std::nullopt;
    lines_ = {text, bytes};
  }
  const size_t end = lines_.find('\n');
  const std::string_view line = lines_.substr(0, end);
  lines_.remove_prefix(end + 1);
  return line;
}

void write_parquet(const std::string& jsonl_path, const std::string& path) {
  ErrorText error{};
  const std::string part = path + ".part";
  if (module_of(path).write(jsonl_path.c_str(), part.c_str(), error.data(), error.size()) != 0) {
    std::error_code ec;
    std::filesystem::remove(part, ec);
    throw IoError(fmt::format("{}: cannot write: {}", path, error.data()));
  }
  std::filesystem::rename(part, path);
}

}  // namespace openclip
