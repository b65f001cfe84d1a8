// Errors of the C++ API. Whatever this library throws on purpose is one of these types, each with a
// code and one line of text that is fit for a user. std::bad_alloc passes as it is.
#pragma once

#include <stdexcept>
#include <string>

#include "openclip/namespace.h"

namespace openclip::v0 {

/// The kind of an error; the numbers are those of openclip_status in openclip.h.
enum class ErrorCode {
  invalid_argument = 1,  ///< a value that can never work: shape, range, name
  not_found = 2,         ///< a file, model, tag or tensor that does not exist
  unsupported = 3,       ///< valid, but not handled by this build or version
  io = 4,                ///< the operating system refused: read, write, map, disk full
  parse = 5,             ///< foreign bytes that do not follow their format
  out_of_memory = 6,     ///< std::bad_alloc, at the C API
  internal = 7,          ///< a bug in this library
  network = 8,           ///< a server that cannot be reached or contradicts itself
  cancelled = 9,         ///< the caller asked to stop
};

/// Root of all errors; what() names the file or value and says what to do.
class OPENCLIP_EXPORT Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& text) : std::runtime_error(text), code_(code) {}
  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

/// A type of its own for each code, so that callers can catch what they can handle.
template <ErrorCode kCode>
class OPENCLIP_EXPORT ErrorOf : public Error {
 public:
  explicit ErrorOf(const std::string& text) : Error(kCode, text) {}
};

using InvalidArgument = ErrorOf<ErrorCode::invalid_argument>;
using NotFound = ErrorOf<ErrorCode::not_found>;
using Unsupported = ErrorOf<ErrorCode::unsupported>;
using IoError = ErrorOf<ErrorCode::io>;
using ParseError = ErrorOf<ErrorCode::parse>;
using InternalError = ErrorOf<ErrorCode::internal>;
using NetworkError = ErrorOf<ErrorCode::network>;
using Cancelled = ErrorOf<ErrorCode::cancelled>;

}  // namespace openclip::v0
