// Typed errors of the library. Rank 0: everything may throw these; the edges (CLI, C API, HTTP)
// turn them into exit codes, error codes and statuses. The library never prints, exits or aborts.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace openclip {

/// Root of all errors this library throws on purpose; what() is one line fit for a user.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The caller passed a value that can never work (shape, range, name).
class InvalidArgument : public Error {
 public:
  using Error::Error;
};

/// A file, model, tag or tensor that was asked for does not exist.
class NotFound : public Error {
 public:
  using Error::Error;
};

/// Valid input that this build or version does not handle.
class Unsupported : public Error {
 public:
  using Error::Error;
};

/// The operating system refused: open, read, write, map, disk full.
class IoError : public Error {
 public:
  using Error::Error;
};

/// A bug in this library.
class Internal : public Error {
 public:
  using Error::Error;
};

/// Foreign bytes that do not follow their format; names the source and, where known, the offset.
class ParseError : public Error {
 public:
  ParseError(const std::string& source, const std::string& problem)
      : Error(source + ": " + problem) {}
};

/// Throws InvalidArgument with a formatted one-line text unless `ok`.
/// Form of the text: "[op] what was expected, got what".
template <class... Args>
void check_arg(bool ok, fmt::format_string<Args...> text, Args&&... args) {
  if (!ok) throw InvalidArgument(fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace openclip
