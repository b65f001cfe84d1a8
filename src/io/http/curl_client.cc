#include <sys/socket.h>

#include <exception>

#include "base/environment.h"
#include "io/http/client.h"
#include "io/http/curl_library.h"
#include "io/http/url.h"

namespace openclip {
namespace {

constexpr size_t kMaxErrorBody = size_t{64} << 10;

// The libcurl callbacks' view of one request. Exceptions may not cross C code, so they wait here.
struct Exchange {
  DownloadObserver& observer;
  HttpSink* sink;
  HttpResponse response{};
  bool headers_refused = false;
  bool body_began = false;
  bool cut_short = false;  // an error page that nobody reads to its end
  size_t dropped = 0;
  std::exception_ptr thrown{};

  bool wanted() const { return sink != nullptr && response.status / 100 == 2; }

  void begin_body() {
    if (!body_began) sink->begin(response);
    body_began = true;
  }

  size_t take_header(std::string_view line) {
    if (line.starts_with("HTTP/")) {
      const size_t blank = line.find(' ');
      const std::string_view code =
          blank == std::string_view::npos ? "" : line.substr(blank + 1, 3);
      response.status = static_cast<int>(parse_decimal(code).value_or(0));
    }
    headers_refused = !response.headers.add_line(line);
    return headers_refused ? 0 : line.size();
  }

  size_t take_body(std::string_view bytes) {
    if (!wanted()) {
      dropped += bytes.size();
      cut_short = dropped > kMaxErrorBody;
      return cut_short ? 0 : bytes.size();
    }
    try {
      begin_body();
      sink->write(bytes);
      return bytes.size();
    } catch (...) {
      thrown = std::current_exception();
      return 0;
    }
  }
};

size_t on_header(char* data, size_t size, size_t count, void* exchange) {
  return static_cast<Exchange*>(exchange)->take_header({data, size * count});
}

size_t on_body(char* data, size_t size, size_t count, void* exchange) {
  return static_cast<Exchange*>(exchange)->take_body({data, size * count});
}

int on_progress(void* exchange, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Exchange*>(exchange)->observer.cancelled() ? 1 : 0;
}

curl_socket_t on_open_socket(void* judge, curlsocktype, curl_sockaddr* address) {
  try {
    if (!(*static_cast<const AddressJudge*>(judge))(address->addr)) return CURL_SOCKET_BAD;
  } catch (...) {
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

bool may_succeed_later(CURLcode code, bool connected) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return connected;  // a host that does not answer at all is told at once
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_SSL_CONNECT_ERROR:
      return true;
    default:
      return false;
  }
}

std::string certificate_file() {
  for (const char* name : {"SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"})
    if (std::string file = environment(name); !file.empty()) return file;
  return "";
}

}  // namespace

struct HttpClient::Impl {
  explicit Impl(DownloadObserver& watcher)
      : curl(curl_library()), handle(curl.easy_init()), observer(watcher) {
    if (handle == nullptr) throw IoError("libcurl cannot begin a transfer");
  }
  ~Impl() {
    curl.slist_free_all(headers);
    curl.easy_cleanup(handle);
  }

  template <class Value>
  void set(CURLoption option, Value value) {
    if (curl.easy_setopt(handle, option, value) != CURLE_OK)
      throw Unsupported(
          "this libcurl is too old or built without http and https; install libcurl4");
  }

  void add_header(const std::string& line) {
    curl_slist* longer = curl.slist_append(headers, line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    headers = longer;
  }

  void prepare(const HttpRequest& request, Exchange& exchange);
  [[noreturn]] void fail(const HttpRequest& request, CURLcode code);

  const CurlLibrary& curl;
  CURL* handle;
  curl_slist* headers = nullptr;
  DownloadObserver& observer;
  char problem[CURL_ERROR_SIZE] = "";
};

void HttpClient::Impl::prepare(const HttpRequest& request, Exchange& exchange) {
  curl.easy_reset(handle);  // keeps connections
  curl.slist_free_all(headers);
  headers = nullptr;
  problem[0] = '\0';
  add_header("Accept-Encoding: identity");  // sizes and checksums are those of the file
  if (!request.bearer.empty()) add_header("Authorization: Bearer " + request.bearer);
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTPHEADER, headers);
  set(CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));  // a proxy gets none of them
  set(CURLOPT_USERAGENT, "openclip");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_NOBODY, request.head ? 1L : 0L);
  set(CURLOPT_ERRORBUFFER, problem);
  set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(request.timeout_seconds));
  if (request.head) set(CURLOPT_TIMEOUT, static_cast<long>(request.timeout_seconds));
  set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.timeout_seconds));
  if (request.range_from > 0) set(CURLOPT_RANGE, fmt::format("{}-", request.range_from).c_str());
  if (const std::string file = certificate_file(); !file.empty()) set(CURLOPT_CAINFO, file.c_str());
  if (request.judge != nullptr) {
    set(CURLOPT_PROXY, "");
    set(CURLOPT_OPENSOCKETFUNCTION, &on_open_socket);
    set(CURLOPT_OPENSOCKETDATA, const_cast<AddressJudge*>(request.judge));
  }
  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_HEADERDATA, &exchange);
  set(CURLOPT_WRITEFUNCTION, &on_body);
  set(CURLOPT_WRITEDATA, &exchange);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &on_progress);
  set(CURLOPT_XFERINFODATA, &exchange);
}

void HttpClient::Impl::fail(const HttpRequest& request, CURLcode code) {
  throw_if_cancelled(observer);
  double connect_seconds = 0;
  curl.easy_getinfo(handle, CURLINFO_CONNECT_TIME, &connect_seconds);
  const std::string reason = problem[0] != '\0' ? problem : curl.easy_strerror(code);
  throw TransferError(fmt::format("{}: {}", url_origin(request.url), reason),
                      may_succeed_later(code, connect_seconds > 0));
}

HttpClient::HttpClient(DownloadObserver& observer) : impl_(std::make_unique<Impl>(observer)) {}

HttpClient::~HttpClient() = default;

HttpResponse HttpClient::perform(const HttpRequest& request, HttpSink* sink) {
  throw_if_cancelled(impl_->observer);
  Exchange exchange{.observer = impl_->observer, .sink = sink};
  impl_->prepare(request, exchange);
  const CURLcode code = impl_->curl.easy_perform(impl_->handle);
  if (exchange.thrown) std::rethrow_exception(exchange.thrown);
  if (exchange.headers_refused)
    throw TransferError(url_origin(request.url) + ": the answer's header is too long", false);
  if (code != CURLE_OK && !exchange.cut_short) impl_->fail(request, code);
  if (exchange.wanted() && !request.head) exchange.begin_body();
  return std::move(exchange.response);
}

}  // namespace openclip
