// One connection. Beast reads and writes the messages; what may be asked is decided elsewhere
// (head_check, router, call_queue).
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "base/text.h"
#include "serve/http/error_reply.h"
#include "serve/http/head_check.h"
#include "serve/http/server_state.h"

namespace openclip {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Parser = http::request_parser<http::string_body>;
using boost::system::error_code;

// The most that is kept of a message that is not understood yet: a head, a chunk's extensions, the
// fields behind a body. Beast throws at a field of 64 KiB.
constexpr size_t kReadBuffer = size_t{48} << 10;
constexpr size_t kMaxLinger = size_t{4} << 20;  // bytes read after a refusal, so that it arrives
constexpr std::chrono::seconds kLingerTime{2};
constexpr std::chrono::milliseconds kCancelAgain{50};

auto into(error_code& ec) { return asio::redirect_error(asio::use_awaitable, ec); }

class Session {
 public:
  Session(Server::State& state, Tcp::socket socket)
      : state_(state), limits_(state.settings.limits), socket_(std::move(socket)) {
    error_code ec;
    const Tcp::endpoint peer = socket_.remote_endpoint(ec);
    client_ = ec ? "?" : peer.address().to_string();
    socket_.set_option(Tcp::no_delay(true), ec);
    ++state_.connections;
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    *alive_ = false;
    if (--state_.connections == 0 && state_.stopping && state_.running) state_.io.stop();
  }

  asio::awaitable<void> serve() {
    if (state_.connections > limits_.max_connections) {
      co_await send(refusal(503, "too many connections", 1), false, false);
      co_return co_await linger();
    }
    while (true) {
      const bool came = co_await wait_for_request();
      if (!came) break;
      const bool more = co_await one_request();
      if (!more) break;
    }
    error_code ec;
    socket_.shutdown(Tcp::socket::shutdown_send, ec);
  }

 private:
  // False when the connection ends: closed, idle for too long, or the server stops.
  asio::awaitable<bool> wait_for_request() {
    if (buffer_.size() > 0) co_return true;  // pipelined
    if (state_.stopping) co_return false;
    state_.idle[this] = [this] {
      error_code ignored;
      socket_.cancel(ignored);
    };
    limit_time(limits_.idle_timeout);
    error_code ec;
    const size_t size = co_await socket_.async_read_some(buffer_.prepare(kReadBuffer), into(ec));
    state_.idle.erase(this);
    buffer_.commit(size);
    co_return !ec;
  }

  // Whether another request may follow.
  asio::awaitable<bool> one_request() {
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(limits_.max_header_bytes));
    parser.body_limit(limits_.max_body_bytes);
    limit_time(limits_.header_timeout);
    const Clock::time_point arrived = Clock::now();
    error_code ec;
    co_await http::async_read_header(socket_, buffer_, parser, into(ec));
    if (ec) co_return co_await refuse_broken(ec, arrived);

    const auto call = std::make_shared<Call>();
    call->arrived = arrived;
    call->client = client_;
    BodyBudget::Lease lease;
    const Route* route = nullptr;
    std::optional<Reply> reply = accept_head(parser, *call, &route, &lease);
    if (reply) {
      co_await finish(*call, std::move(*reply), false, false);
      co_await linger();
      co_return false;
    }
    if (call->header("expect") == "100-continue") {
      http::response<http::empty_body> go_on(http::status::continue_, 11);
      co_await http::async_write(socket_, go_on, into(ec));
    }
    limit_time(limits_.body_timeout);
    if (!parser.is_done()) co_await http::async_read(socket_, buffer_, parser, into(ec));
    if (ec) co_return co_await refuse_broken(ec, arrived);
    call->body = std::move(parser.get().body());
    call->deadline = call->arrived + state_.settings.queue.request_timeout;
    const bool keep_alive = parser.get().keep_alive() && !state_.stopping;
    const bool head_only = call->method == "HEAD";
    if (route == nullptr)
      reply = preflight(*call);
    else
      reply = co_await answer(*route, call);
    co_return co_await finish(*call, std::move(*reply), keep_alive && !state_.stopping, head_only);
  }

  // Fills the call from the head; a reply when the request is refused.
  std::optional<Reply> accept_head(const Parser& parser, Call& call, const Route** route,
                                   BodyBudget::Lease* lease) {
    const auto& message = parser.get();
    call.method = std::string(message.method_string());
    for (const auto& field : message) {
      call.headers.emplace_back(ascii_lower(std::string(field.name_string())),
                                std::string(field.value()));
    }
    try {
      const std::string_view target(message.target().data(), message.target().size());
      check_head({.target = target,
                  .version = static_cast<int>(message.version()),
                  .headers = &call.headers},
                 {.max_headers = limits_.max_headers,
                  .loopback_only = state_.endpoint.address().is_loopback(),
                  .host_names = &state_.settings.host_names});
      split_target(target, &call.path, &call.query);
      if (call.method == "OPTIONS") {
        if (state_.router.methods(call.path).empty()) throw CallError(404, "there is no such path");
      } else {
        *route = &state_.router.find(call.method, call.path, &call.parameter);
        if ((*route)->access == Access::keyed) state_.keys.check(call);
      }
      take_memory(parser, lease);
      return std::nullopt;
    } catch (const CallError& error) {
      Reply reply = error_reply(std::current_exception());
      if (error.status() == 405)
        reply.headers.emplace_back("Allow", state_.router.methods(call.path));
      return reply;
    }
  }

  void take_memory(const Parser& parser, BodyBudget::Lease* lease) {
    const auto length = parser.content_length();
    if (length && *length > limits_.max_body_bytes) throw too_large();
    const size_t bytes = length             ? static_cast<size_t>(*length)
                         : parser.chunked() ? limits_.max_body_bytes
                                            : 0;
    auto taken = state_.bodies.take(bytes);
    if (!taken) throw busy_error("the bodies of other requests fill the memory for them");
    *lease = std::move(*taken);
  }

  CallError too_large() const {
    return {413, fmt::format("the body is over the limit of {} bytes", limits_.max_body_bytes)};
  }

  asio::awaitable<Reply> answer(const Route& route, std::shared_ptr<Call> call) {
    if (route.place == Place::at_once) {
      try {
        co_return route.handler(*call);
      } catch (...) {
        co_return error_reply(std::current_exception());
      }
    }
    unlimited_time();  // the queue has deadlines of its own
    watch(call);
    // A timer that never fires by itself, but is cancelled when the answer is there.
    asio::steady_timer ready(state_.io, asio::steady_timer::time_point::max());
    const auto reply = std::make_shared<std::optional<Reply>>();
    const bool taken = state_.queue->push(
        call, [&route](const Call& c) { return route.handler(c); },
        [this, reply, &ready](Reply made) {
          asio::post(state_.io, [reply, &ready, made = std::move(made)]() mutable {
            *reply = std::move(made);
            ready.cancel();
          });
        });
    if (!taken) {
      stop_watching();
      co_return refusal(429, "too many requests wait already", 1);
    }
    error_code ec;
    while (!*reply) co_await ready.async_wait(into(ec));
    stop_watching();
    co_return std::move(**reply);
  }

  // Ends what the socket does after a time; the connection can still be written to then. Repeats,
  // since a step that just completed is not what a cancel finds.
  void limit_time(Clock::duration time) {
    timed_out_ = false;
    timer_.expires_after(time);
    await_timer(++phase_);
  }

  void await_timer(size_t phase) {
    timer_.async_wait([this, alive = alive_, phase](error_code ec) {
      if (ec || !*alive || phase != phase_) return;
      timed_out_ = true;
      socket_.cancel(ec);
      timer_.expires_after(kCancelAgain);
      await_timer(phase);
    });
  }

  void unlimited_time() {
    ++phase_;
    timer_.cancel();
  }

  // Tells the call when the client closes the connection, so that nobody works for it.
  void watch(const std::shared_ptr<Call>& call) {
    watching_ = std::make_shared<bool>(true);
    const int handle = socket_.native_handle();
    socket_.async_wait(Tcp::socket::wait_read,
                       [watching = watching_, gone = call->gone, handle](error_code ec) {
                         if (ec || !*watching) return;
                         char byte;
                         const auto got = ::recv(handle, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
                         if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
                           *gone = true;
                       });
  }

  void stop_watching() {
    *watching_ = false;
    error_code ec;
    socket_.cancel(ec);
  }

  // CORS: browsers ask before they send JSON from another origin.
  Reply preflight(const Call& call) const {
    Reply reply{.status = 204, .content_type = ""};
    reply.headers.emplace_back("Allow", state_.router.methods(call.path));
    if (!allowed_origin(call).empty()) {
      reply.headers.emplace_back("Access-Control-Allow-Methods", state_.router.methods(call.path));
      reply.headers.emplace_back("Access-Control-Allow-Headers",
                                 "authorization, content-type, x-api-key");
      reply.headers.emplace_back("Access-Control-Max-Age", "600");
    }
    return reply;
  }

  std::string allowed_origin(const Call& call) const {
    const std::string_view origin = call.header("origin");
    for (const std::string& allowed : state_.settings.cors_origins)
      if (allowed == "*" || allowed == origin) return allowed;
    return "";
  }

  Reply refusal(int status, std::string_view text, int retry_after = 0) const {
    return error_reply(status, text, "", retry_after);
  }

  // A head or body that could not be read to its end.
  asio::awaitable<bool> refuse_broken(error_code ec, Clock::time_point arrived) {
    std::optional<Reply> reply;
    if (timed_out_)
      reply = refusal(408, "the request took too long to arrive");
    else if (ec == http::error::header_limit || ec == http::error::buffer_overflow)
      reply = refusal(
          431, fmt::format("the header is over the limit of {} bytes", limits_.max_header_bytes));
    else if (ec == http::error::body_limit)
      reply = error_reply(413, too_large().what());
    else if (ec.category() == http::make_error_code(http::error::bad_value).category() &&
             ec != http::error::end_of_stream && ec != http::error::partial_message)
      reply = refusal(400, "this is not HTTP/1.1: " + ec.message());
    if (!reply) co_return false;  // the client has gone
    Call call;
    call.method = call.path = "?";
    call.arrived = arrived;
    co_await finish(call, std::move(*reply), false, false);
    co_await linger();
    co_return false;
  }

  asio::awaitable<bool> finish(const Call& call, Reply reply, bool keep_alive, bool head_only) {
    if (const std::string origin = allowed_origin(call); !origin.empty()) {
      reply.headers.emplace_back("Access-Control-Allow-Origin", origin);
      if (origin != "*") reply.headers.emplace_back("Vary", "Origin");
    }
    const int status = reply.status;
    const size_t bytes = reply.bytes().size();
    const bool sent = status != 499 && co_await send(std::move(reply), keep_alive, head_only);
    const double seconds = std::chrono::duration<double>(Clock::now() - call.arrived).count();
    count(call, status, seconds);
    if (state_.settings.on_access)
      state_.settings.on_access({.client = client_,
                                 .method = call.method,
                                 .path = call.path,
                                 .status = status,
                                 .bytes = bytes,
                                 .seconds = seconds});
    co_return sent&& keep_alive;
  }

  // Unknown paths share one label, so that clients cannot make metrics without end.
  void count(const Call& call, int status, double seconds) {
    std::string path = "other";
    for (const Route& route : state_.router.routes())
      if (route.path == call.path ||
          (!call.parameter.empty() &&
           call.path.starts_with(route.path.substr(0, route.path.find('{')))))
        path = route.path;
    const std::string labels = metric_label("path", path);
    state_.metrics
        .counter("openclip_requests_total", "Requests answered.",
                 labels + "," + metric_label("status", std::to_string(status)))
        .add();
    state_.metrics
        .histogram("openclip_request_duration_seconds",
                   "Seconds from a request's first byte to its answer.", duration_bounds(), labels)
        .observe(seconds);
  }

  asio::awaitable<bool> send(Reply reply, bool keep_alive, bool head_only) {
    http::response<http::span_body<const char>> message;
    message.version(11);
    message.result(static_cast<unsigned>(reply.status));
    message.reason(
        beast::string_view(reason_phrase(reply.status).data(), reason_phrase(reply.status).size()));
    if (!reply.content_type.empty()) message.set(http::field::content_type, reply.content_type);
    message.set("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : reply.headers) message.set(name, value);
    message.keep_alive(keep_alive);
    const std::string_view bytes = reply.bytes();
    if (reply.status != 204) message.content_length(bytes.size());
    if (!head_only) message.body() = beast::span<const char>(bytes.data(), bytes.size());
    limit_time(limits_.write_timeout);
    http::response_serializer<http::span_body<const char>> serializer(message);
    serializer.split(head_only);
    error_code ec;
    if (head_only)
      co_await http::async_write_header(socket_, serializer, into(ec));
    else
      co_await http::async_write(socket_, serializer, into(ec));
    co_return !ec;
  }

  // Closing with unread bytes would reset the connection and take the answer with it.
  asio::awaitable<void> linger() {
    error_code ec;
    socket_.shutdown(Tcp::socket::shutdown_send, ec);
    limit_time(kLingerTime);
    buffer_.clear();
    for (size_t total = 0; !ec && total < kMaxLinger;) {
      total += co_await socket_.async_read_some(buffer_.prepare(kReadBuffer), into(ec));
    }
  }

  Server::State& state_;
  const HttpLimits& limits_;
  Tcp::socket socket_;
  asio::steady_timer timer_{state_.io};
  size_t phase_ = 0;  // a new one for each time limit
  bool timed_out_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  beast::flat_buffer buffer_{kReadBuffer};
  std::string client_;
  std::shared_ptr<bool> watching_;
};

}  // namespace

asio::awaitable<void> serve_connection(Server::State& state, Tcp::socket socket) {
  Session session(state, std::move(socket));
  try {
    co_await session.serve();
  } catch (const std::exception&) {
    // Out of memory while a message was read: this connection ends, the others go on.
  }
}

}  // namespace openclip
