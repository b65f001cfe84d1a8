// What the connections of one server share. Only server.cc and session.cc include this: Boost's
// headers are heavy. Rank 6.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <unordered_map>

#include "serve/http/body_budget.h"
#include "serve/http/server.h"

namespace openclip {

using Tcp = boost::asio::ip::tcp;

struct Server::State {
  State(const Router& router_in, Metrics& metrics_in, ServerSettings settings_in)
      : router(router_in),
        metrics(metrics_in),
        settings(std::move(settings_in)),
        keys(settings.api_keys),
        bodies(settings.limits.body_budget_bytes) {}

  void listen();
  boost::asio::awaitable<void> accept_loop();
  void begin_stop();

  const Router& router;
  Metrics& metrics;
  const ServerSettings settings;
  const ApiKeys keys;
  BodyBudget bodies;
  std::atomic<bool> stopping{false};
  bool running = false;  // io.run() has not returned
  size_t connections = 0;
  // Connections between two requests, which a stop may close at once.
  std::unordered_map<const void*, std::function<void()>> idle;
  boost::asio::io_context io{1};  // after what connections use: its end is theirs
  Tcp::acceptor acceptor{io};
  Tcp::endpoint endpoint;
  boost::asio::signal_set signals{io};
  boost::asio::steady_timer drain{io};
  std::optional<CallQueue> queue;  // last: its threads post to io
};

/// Serves one connection to its end. Counts itself in state.connections.
boost::asio::awaitable<void> serve_connection(Server::State& state, Tcp::socket socket);

}  // namespace openclip
