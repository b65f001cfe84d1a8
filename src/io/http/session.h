// Requests to one service: redirects, the token, retries. Rank 3.
#pragma once

#include <functional>
#include <string>

#include "io/http/client.h"

namespace openclip {

/// Counts failures and waits between attempts: 0.5, 1, 2 and 4 seconds, or what Retry-After says.
class Backoff {
 public:
  static constexpr int kMaxFailures = 5;
  static constexpr uint64_t kMaxRetryAfter = 60;  // seconds; a longer wait is the user's to decide

  explicit Backoff(DownloadObserver& observer) : observer_(observer) {}
  /// Waits, or throws `error` on when another attempt is of no use.
  void failed(const TransferError& error);
  /// Something came across, so failures are counted from zero.
  void progressed() { failures_ = 0; }

 private:
  DownloadObserver& observer_;
  int failures_ = 0;
};

/// Throws TransferError with retry for the statuses that pass: 408, 429 and 5xx.
void throw_if_busy(const HttpResponse& response, const std::string& url);

bool is_redirect(const HttpResponse& response);

/// A client that sends its token to one origin only, wherever redirects lead. Not thread-safe.
class HttpSession {
 public:
  static constexpr int kMaxRedirects = 10;

  /// `token` (may be empty) goes to the origin of `home` and nowhere else.
  HttpSession(DownloadObserver& observer, const std::string& home, std::string token);

  struct Answer {
    HttpResponse response;
    std::string url;  // that gave the answer, after redirects
  };

  /// HEAD with retries. Redirects are followed where follow(answer, target) allows; otherwise the
  /// redirect itself is the answer. Throws: TransferError, Cancelled.
  Answer head(const std::string& url, int timeout_seconds,
              const std::function<bool(const Answer&, const std::string& target)>& follow);

  /// One GET, redirects followed (not from https to http). Throws: as head, what the sink throws.
  Answer get(HttpRequest request, HttpSink& sink);

  /// GET of a text of at most `max_bytes`, with retries; `answer` is set for every status, the text
  /// is empty unless it is 2xx.
  std::string get_text(const std::string& url, int timeout_seconds, size_t max_bytes,
                       Answer* answer);

  DownloadObserver& observer() { return observer_; }

 private:
  std::string token_for(const std::string& url) const;

  DownloadObserver& observer_;
  HttpClient client_;
  std::string home_origin_;
  std::string token_;
};

}  // namespace openclip
