// Errors and version of the C API. Rank 6.
#include <exception>
#include <new>

#include "api/c_support.h"

namespace openclip::capi {
namespace {

// A buffer of fixed size, since keeping an error must not need memory: it may be what ran out.
constexpr size_t kMaxErrorBytes = 4096;
thread_local char last_error[kMaxErrorBytes] = "";

openclip_status keep(openclip_status status, const char* text) noexcept {
  const size_t size = std::min(std::strlen(text), kMaxErrorBytes - 1);
  std::memcpy(last_error, text, size);
  last_error[size] = '\0';
  return status;
}

}  // namespace

openclip_status keep_error() noexcept {
  try {
    throw;
  } catch (const v0::Error& error) {
    return keep(static_cast<openclip_status>(error.code()), error.what());
  } catch (const std::bad_alloc&) {
    return keep(OPENCLIP_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return keep(OPENCLIP_INTERNAL, error.what());
  } catch (...) {
    return keep(OPENCLIP_INTERNAL, "unknown error");
  }
}

}  // namespace openclip::capi

extern "C" {

const char* openclip_last_error(void) { return openclip::capi::last_error; }

const char* openclip_status_name(openclip_status status) {
  switch (status) {
    case OPENCLIP_OK:
      return "OPENCLIP_OK";
    case OPENCLIP_INVALID_ARGUMENT:
      return "OPENCLIP_INVALID_ARGUMENT";
    case OPENCLIP_NOT_FOUND:
      return "OPENCLIP_NOT_FOUND";
    case OPENCLIP_UNSUPPORTED:
      return "OPENCLIP_UNSUPPORTED";
    case OPENCLIP_IO:
      return "OPENCLIP_IO";
    case OPENCLIP_PARSE:
      return "OPENCLIP_PARSE";
    case OPENCLIP_OUT_OF_MEMORY:
      return "OPENCLIP_OUT_OF_MEMORY";
    case OPENCLIP_INTERNAL:
      return "OPENCLIP_INTERNAL";
    case OPENCLIP_NETWORK:
      return "OPENCLIP_NETWORK";
    case OPENCLIP_CANCELLED:
      return "OPENCLIP_CANCELLED";
  }
  return "unknown status";
}

const char* openclip_version(void) { return OPENCLIP_VERSION; }
int32_t openclip_version_number(void) { return OPENCLIP_VERSION_NUMBER; }

}  // extern "C"

// The two APIs count errors alike.
using openclip::v0::ErrorCode;
static_assert(OPENCLIP_INVALID_ARGUMENT == static_cast<int>(ErrorCode::invalid_argument));
static_assert(OPENCLIP_NOT_FOUND == static_cast<int>(ErrorCode::not_found));
static_assert(OPENCLIP_UNSUPPORTED == static_cast<int>(ErrorCode::unsupported));
static_assert(OPENCLIP_IO == static_cast<int>(ErrorCode::io));
static_assert(OPENCLIP_PARSE == static_cast<int>(ErrorCode::parse));
static_assert(OPENCLIP_OUT_OF_MEMORY == static_cast<int>(ErrorCode::out_of_memory));
static_assert(OPENCLIP_INTERNAL == static_cast<int>(ErrorCode::internal));
static_assert(OPENCLIP_NETWORK == static_cast<int>(ErrorCode::network));
static_assert(OPENCLIP_CANCELLED == static_cast<int>(ErrorCode::cancelled));
