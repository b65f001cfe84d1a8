#include "serve/http/server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>

#include "serve/http/server_state.h"

namespace openclip {
namespace {

namespace asio = boost::asio;

// Out of file descriptors or memory: a pause instead of a busy loop.
constexpr std::chrono::milliseconds kAcceptPause{50};

Tcp::endpoint resolve(asio::io_context& io, const std::string& host, uint16_t port) {
  boost::system::error_code ec;
  const asio::ip::address address = asio::ip::make_address(host, ec);
  if (!ec) return {address, port};
  Tcp::resolver resolver(io);
  const auto found = resolver.resolve(host, std::to_string(port), ec);
  if (ec || found.empty())
    throw IoError(fmt::format("--host {}: {}", host, ec ? ec.message() : "no address"));
  return found.begin()->endpoint();
}

}  // namespace

void Server::State::listen() {
  endpoint = resolve(io, settings.host, settings.port);
  boost::system::error_code ec;
  const auto check = [&](const char* what) {
    if (ec)
      throw IoError(fmt::format("cannot {} {}, port {}: {}", what, settings.host, settings.port,
                                ec.message()));
  };
  acceptor.open(endpoint.protocol(), ec);
  check("open");
  acceptor.set_option(Tcp::acceptor::reuse_address(true), ec);
  check("prepare");
  acceptor.bind(endpoint, ec);
  check("listen on");
  acceptor.listen(asio::socket_base::max_listen_connections, ec);
  check("listen on");
  endpoint = acceptor.local_endpoint(ec);
  check("listen on");
}

asio::awaitable<void> Server::State::accept_loop() {
  asio::steady_timer pause(io);
  while (!stopping) {
    boost::system::error_code ec;
    Tcp::socket socket =
        co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, ec));
    if (stopping) co_return;
    if (ec) {
      pause.expires_after(kAcceptPause);
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ec));
      continue;
    }
    asio::co_spawn(io, serve_connection(*this, std::move(socket)), asio::detached);
  }
}

void Server::State::begin_stop() {
  if (stopping.exchange(true)) return io.stop();  // asked twice: now
  boost::system::error_code ignored;
  acceptor.close(ignored);
  for (const auto& [key, close] : idle) close();
  drain.expires_after(settings.limits.drain_timeout);
  drain.async_wait([this](boost::system::error_code ec) {
    if (!ec) io.stop();
  });
  if (connections == 0) io.stop();
}

Server::Server(const Router& router, Metrics& metrics, ServerSettings settings)
    : state_(std::make_unique<State>(router, metrics, std::move(settings))) {
  state_->listen();
  state_->queue.emplace(state_->settings.queue);
  State& state = *state_;
  metrics.gauge("openclip_connections", "Open connections.",
                [&state] { return static_cast<double>(state.connections); });
  metrics.gauge("openclip_queue_waiting", "Requests that wait for a thread.",
                [&state] { return static_cast<double>(state.queue->waiting()); });
  metrics.gauge("openclip_requests_in_work", "Requests that a thread works on.",
                [&state] { return static_cast<double>(state.queue->in_work()); });
}

Server::~Server() {
  // The threads first: what they still answer goes to an io_context that no longer runs.
  state_->queue.reset();
}

std::string Server::address() const {
  const asio::ip::address address = state_->endpoint.address();
  const std::string host = address.to_string();
  return fmt::format("http://{}:{}", address.is_v6() ? "[" + host + "]" : host,
                     state_->endpoint.port());
}

void Server::run() {
  State& state = *state_;
  state.signals.add(SIGINT);
  state.signals.add(SIGTERM);
  std::function<void()> wait_for_signal = [&] {
    state.signals.async_wait([&](boost::system::error_code ec, int) {
      if (ec) return;
      state.begin_stop();
      wait_for_signal();
    });
  };
  wait_for_signal();
  asio::co_spawn(state.io, state.accept_loop(), asio::detached);
  state.running = true;
  while (true) {
    try {
      state.io.run();
      break;
    } catch (const std::exception&) {
      // Thrown between two steps of one connection, which has ended by it; the others go on.
    }
  }
  state.running = false;
  state.signals.clear();
}

void Server::stop() {
  asio::post(state_->io, [this] { state_->begin_stop(); });
}

bool Server::stopping() const { return state_->stopping; }

const CallQueue& Server::queue() const { return *state_->queue; }

}  // namespace openclip
