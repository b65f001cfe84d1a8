// A request as handlers see it, and its answer; nothing here knows sockets. Rank 6.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace openclip {

using Clock = std::chrono::steady_clock;

/// One request, read completely and within limits.
struct Call {
  std::string method;
  std::string path;                                          // decoded, without the query
  std::string query;                                         // as sent, without '?'
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  std::string client;     // address of the other side
  std::string parameter;  // what stands for {…} in the route's path
  Clock::time_point arrived = Clock::now();
  Clock::time_point deadline = Clock::time_point::max();  // nobody waits for work after this
  std::shared_ptr<std::atomic<bool>> gone = std::make_shared<std::atomic<bool>>(false);

  /// Value of a header (name in lower case), or "".
  std::string_view header(std::string_view name) const {
    for (const auto& [key, value] : headers)
      if (key == name) return value;
    return {};
  }
  bool abandoned() const { return gone->load(std::memory_order_relaxed); }
};

struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body{};
  std::string_view fixed_body{};  // in place of `body`: bytes that outlive the server
  std::vector<std::pair<std::string, std::string>> headers{};

  std::string_view bytes() const { return body.empty() ? fixed_body : std::string_view(body); }
};

/// A request that cannot be answered as asked; what() is one line for the client.
class CallError : public Error {
 public:
  CallError(int status, const std::string& text, std::string param = "", int retry_after = 0)
      : Error(text), status_(status), param_(std::move(param)), retry_after_(retry_after) {}
  int status() const { return status_; }
  const std::string& param() const { return param_; }  // the member at fault, may be empty
  int retry_after() const { return retry_after_; }     // seconds, 0 = not said

 private:
  int status_;
  std::string param_;
  int retry_after_;
};

/// The deadline passed, or the queue was full: the same request may succeed a moment later.
inline CallError busy_error(const std::string& text) { return {503, text, "", 1}; }

/// The client closed the connection; nobody will read the answer.
inline CallError gone_error() { return {499, "the client closed the connection"}; }

}  // namespace openclip
