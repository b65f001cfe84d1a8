#include "io/http/session.h"

#include <ctime>

#include "io/http/url.h"

namespace openclip {
namespace {

class TextSink : public HttpSink {
 public:
  TextSink(const std::string& url, size_t max_bytes) : url_(url), max_bytes_(max_bytes) {}
  void begin(const HttpResponse&) override { text_.clear(); }
  void write(std::string_view bytes) override {
    if (text_.size() + bytes.size() > max_bytes_)
      throw TransferError(fmt::format("{}: the answer is longer than {} bytes", url_, max_bytes_),
                          false);
    text_ += bytes;
  }
  std::string take() { return std::move(text_); }

 private:
  const std::string& url_;
  size_t max_bytes_;
  std::string text_;
};

[[noreturn]] void too_many_redirects(const std::string& url) {
  throw TransferError(fmt::format("{}: more than {} redirects", url, HttpSession::kMaxRedirects),
                      false);
}

std::string redirect_target(const std::string& url, const HttpResponse& response) {
  const std::string target = resolve_url(url, std::string(response.headers.get("Location")));
  if (url.starts_with("https:") && !target.starts_with("https:"))
    throw TransferError(
        fmt::format("{}: redirects from https to an address without encryption", url_origin(url)),
        false);
  return target;
}

}  // namespace

void Backoff::failed(const TransferError& error) {
  const uint64_t asked = error.retry_after.value_or(0);
  if (!error.retry || ++failures_ == kMaxFailures) throw TransferError(error);
  if (asked > kMaxRetryAfter)
    throw TransferError(fmt::format("{}; try again in {} seconds", error.what(), asked), false);
  const double seconds =
      error.retry_after ? static_cast<double>(asked) : 0.25 * static_cast<double>(1 << failures_);
  observer_.note(fmt::format("{}; trying again in {:.1f} s", error.what(), seconds));
  sleep_watching(observer_, seconds);
}

void throw_if_busy(const HttpResponse& response, const std::string& url) {
  const int status = response.status;
  if (status != 408 && status != 429 && status / 100 != 5) return;
  throw TransferError(
      fmt::format("{}: {} (HTTP {})", url_origin(url),
                  status == 429 ? "too many requests" : "the server cannot answer now", status),
      true, parse_retry_after(response.headers.get("Retry-After"), std::time(nullptr)));
}

bool is_redirect(const HttpResponse& response) {
  const int status = response.status;
  return (status == 301 || status == 302 || status == 303 || status == 307 || status == 308) &&
         !response.headers.get("Location").empty();
}

HttpSession::HttpSession(DownloadObserver& observer, const std::string& home, std::string token)
    : observer_(observer),
      client_(observer),
      home_origin_(url_origin(home)),
      token_(std::move(token)) {}

std::string HttpSession::token_for(const std::string& url) const {
  return url_origin(url) == home_origin_ ? token_ : "";
}

HttpSession::Answer HttpSession::head(
    const std::string& url, int timeout_seconds,
    const std::function<bool(const Answer&, const std::string& target)>& follow) {
  Backoff backoff(observer_);
  Answer answer{.response = {}, .url = url};
  for (int redirects = 0; redirects <= kMaxRedirects;) {
    try {
      answer.response = client_.perform({.url = answer.url,
                                         .head = true,
                                         .bearer = token_for(answer.url),
                                         .timeout_seconds = timeout_seconds},
                                        nullptr);
      throw_if_busy(answer.response, answer.url);
    } catch (const TransferError& error) {
      backoff.failed(error);
      continue;
    }
    if (!is_redirect(answer.response)) return answer;
    std::string target = redirect_target(answer.url, answer.response);
    if (!follow(answer, target)) return answer;
    answer.url = std::move(target);
    ++redirects;
  }
  too_many_redirects(url);
}

HttpSession::Answer HttpSession::get(HttpRequest request, HttpSink& sink) {
  const std::string first = request.url;
  for (int redirects = 0; redirects <= kMaxRedirects; ++redirects) {
    request.bearer = token_for(request.url);
    HttpResponse response = client_.perform(request, &sink);
    if (!is_redirect(response)) return {std::move(response), request.url};
    request.url = redirect_target(request.url, response);
  }
  too_many_redirects(first);
}

std::string HttpSession::get_text(const std::string& url, int timeout_seconds, size_t max_bytes,
                                  Answer* answer) {
  Backoff backoff(observer_);
  for (;;) {
    try {
      TextSink sink(url, max_bytes);
      *answer = get({.url = url, .timeout_seconds = timeout_seconds}, sink);
      throw_if_busy(answer->response, answer->url);
      return sink.take();
    } catch (const TransferError& error) {
      backoff.failed(error);
    }
  }
}

}  // namespace openclip
