#include "io/tar_writer.h"

#include <archive.h>
#include <archive_entry.h>

#include "base/atomic_file.h"
#include "base/error.h"
#include "io/tar.h"

namespace openclip {
namespace {

struct EntryFree {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};

la_ssize_t write_bytes(archive*, void* file, const void* bytes, size_t count) {
  std::ostream& out = static_cast<AtomicFile*>(file)->stream();
  out.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(count));
  return out ? static_cast<la_ssize_t>(count) : -1;
}

}  // namespace

struct TarWriter::State {
  explicit State(const std::string& path) : file(path), out(archive_write_new()) {
    if (out == nullptr) throw Internal("[tar] libarchive gave no writer");
    archive_write_set_format_pax_restricted(out);
    check(archive_write_open(out, &file, nullptr, write_bytes, nullptr));
  }
  ~State() { archive_write_free(out); }

  void check(int64_t result) {
    if (result >= ARCHIVE_OK || result == ARCHIVE_WARN) return;
    file.check();  // says why, where writing the bytes failed
    const char* text = archive_error_string(out);
    throw IoError(fmt::format("{}: cannot be written: {}", file.path(),
                              text != nullptr ? text : "unknown reason"));
  }

  AtomicFile file;
  archive* out;
};

TarWriter::TarWriter(const std::string& path) : state_(std::make_unique<State>(path)) {}
TarWriter::~TarWriter() = default;

void TarWriter::add(const std::string& name, std::span<const uint8_t> bytes) {
  check_arg(is_safe_member_name(name), "'{}' is no name for a member of an archive", name);
  const std::unique_ptr<archive_entry, EntryFree> entry(archive_entry_new());
  // Names in UTF-8 whatever the locale; others keep their bytes.
  if (!archive_entry_update_pathname_utf8(entry.get(), name.c_str()))
    archive_entry_set_pathname(entry.get(), name.c_str());
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0644);
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes.size()));
  state_->check(archive_write_header(state_->out, entry.get()));
  state_->check(archive_write_data(state_->out, bytes.data(), bytes.size()));
}

void TarWriter::finish() {
  state_->check(archive_write_close(state_->out));
  state_->file.commit();
}

}  // namespace openclip
