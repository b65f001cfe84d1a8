// Errors as answers. Rank 6.
#pragma once

#include <exception>
#include <string_view>

#include "serve/http/call.h"

namespace openclip {

/// {"error": {"message", "type", "param", "code"}}, OpenAI's shape, with Retry-After where known.
Reply error_reply(int status, std::string_view message, std::string_view param = "",
                  int retry_after = 0);

/// The answer to what a handler threw: a CallError's own status, 400 for what the client wrote, 404
/// for what is not there, 501 for what this build lacks, else 500, whose text tells no internals.
Reply error_reply(const std::exception_ptr& error);

/// "Not Found"; "Unknown" for numbers that HTTP does not have.
std::string_view reason_phrase(int status);

}  // namespace openclip
