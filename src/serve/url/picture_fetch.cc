#include "serve/url/picture_fetch.h"

#include <algorithm>

#include "base/text.h"
#include "io/http/session.h"
#include "io/http/url.h"

namespace openclip {
namespace {

// Stops a transfer at a point in time.
class Alarm : public DownloadObserver {
 public:
  explicit Alarm(Clock::time_point end) : end_(end) {}
  bool cancelled() override { return Clock::now() > end_; }

 private:
  Clock::time_point end_;
};

class BytesSink : public HttpSink {
 public:
  explicit BytesSink(size_t max_bytes) : max_bytes_(max_bytes) {}
  void begin(const HttpResponse&) override { bytes_.clear(); }
  void write(std::string_view bytes) override {
    if (bytes_.size() + bytes.size() > max_bytes_)
      throw CallError(413,
                      fmt::format("the picture of the URL has more than {} bytes", max_bytes_));
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  std::vector<uint8_t> take() { return std::move(bytes_); }

 private:
  size_t max_bytes_;
  std::vector<uint8_t> bytes_;
};

void check_url(const std::string& url, const UrlPolicy& policy) {
  const std::string origin = url_origin(url);  // "https://host:443"
  const size_t host_at = origin.find("//") + 2, colon = origin.rfind(':');
  const std::string host = origin.substr(host_at, colon - host_at);
  const int port = std::stoi(origin.substr(colon + 1));
  if (std::find(policy.ports.begin(), policy.ports.end(), port) == policy.ports.end())
    throw CallError(400, fmt::format("pictures are not fetched from port {}", port));
  if (!host_allowed(host, policy.hosts))
    throw CallError(400, "pictures are not fetched from this host");
}

}  // namespace

bool host_allowed(const std::string& host, const std::vector<std::string>& hosts) {
  if (hosts.empty()) return true;
  const std::string asked = ascii_lower(host);
  return std::any_of(hosts.begin(), hosts.end(), [&](const std::string& entry) {
    const std::string allowed = ascii_lower(entry);
    if (!allowed.starts_with("*.")) return asked == allowed;
    return asked.ends_with(allowed.substr(1)) && asked.size() > allowed.size() - 1;
  });
}

std::vector<uint8_t> fetch_picture(const std::string& url, const UrlPolicy& policy,
                                   size_t max_bytes, Clock::time_point deadline) {
  if (!policy.allowed)
    throw CallError(400,
                    "pictures are not fetched by URL here (serve --allow-urls would); send base64 "
                    "or a data: URL");
  try {
    Alarm alarm(std::min(deadline, Clock::now() + policy.timeout));
    HttpClient client(alarm);
    std::string at = url;
    for (int redirects = 0;; ++redirects) {
      check_url(at, policy);
      BytesSink sink(max_bytes);
      const HttpResponse response =
          client.perform({.url = at,
                          .timeout_seconds = static_cast<int>(policy.timeout.count()),
                          .judge = &policy.judge},
                         &sink);
      if (response.status / 100 == 2) return sink.take();
      if (!is_redirect(response) || redirects == policy.max_redirects)
        throw CallError(
            400, fmt::format("the URL of the picture answers with status {}", response.status));
      at = resolve_url(at, std::string(response.headers.get("Location")));
    }
  } catch (const NetworkError&) {
    // What exactly went wrong would tell a stranger about networks that only this server sees.
    throw CallError(400, "the URL of the picture cannot be fetched");
  } catch (const Cancelled&) {
    throw CallError(400, "the URL of the picture did not answer in time");
  }
}

}  // namespace openclip
