// One HTTP request and its answer. Rank 3.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "io/http/download_observer.h"
#include "io/http/errors.h"
#include "io/http/headers.h"

namespace openclip {

/// Judges the address of a connection before it is made: after the name was resolved, so that no
/// name can mean one address to the judge and another to the connection.
using AddressJudge = std::function<bool(const sockaddr&)>;

struct HttpRequest {
  std::string url;
  bool head = false;                    // HEAD, else GET
  std::string bearer{};                 // token for the Authorization header; empty = none
  uint64_t range_from = 0;              // bytes to leave out at the front
  int timeout_seconds = 10;             // to connect, and without any byte; of all for HEAD
  const AddressJudge* judge = nullptr;  // if given, proxies are not used
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers{};
};

/// A transfer that failed; `retry` says whether the same request may succeed a moment later.
class TransferError : public NetworkError {
 public:
  TransferError(const std::string& text, bool may_succeed_later,
                std::optional<uint64_t> wait_seconds = std::nullopt)
      : NetworkError(text), retry(may_succeed_later), retry_after(wait_seconds) {}
  bool retry;
  std::optional<uint64_t> retry_after;  // seconds that the server asks for
};

/// Takes the body of a 2xx answer; what it throws ends the transfer and reaches the caller.
class HttpSink {
 public:
  virtual ~HttpSink() = default;
  /// Once per answer, before its first byte.
  virtual void begin(const HttpResponse& response) = 0;
  virtual void write(std::string_view bytes) = 0;
};

/// Requests over http and https, with TLS certificates checked, through the proxies that the
/// environment names (https_proxy, http_proxy, no_proxy), with the certificate authorities of
/// SSL_CERT_FILE, CURL_CA_BUNDLE or REQUESTS_CA_BUNDLE where set. Connections are kept for the next
/// request. Follows no redirects. Not thread-safe.
class HttpClient {
 public:
  explicit HttpClient(DownloadObserver& observer);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Bodies of other answers than 2xx are dropped.
  /// Throws: TransferError, Cancelled, what the sink throws.
  HttpResponse perform(const HttpRequest& request, HttpSink* sink);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace openclip
