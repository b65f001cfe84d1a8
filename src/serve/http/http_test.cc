#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "serve/http/api_keys.h"
#include "serve/http/body_budget.h"
#include "serve/http/call_queue.h"
#include "serve/http/error_reply.h"
#include "serve/http/head_check.h"
#include "serve/http/metrics.h"
#include "serve/http/router.h"
#include "serve/test_util.h"

namespace openclip {
namespace {

using namespace std::chrono_literals;
using Headers = std::vector<std::pair<std::string, std::string>>;

int head_status(const Headers& headers, int version = 11, HeadRules rules = {}) {
  return status_of(
      [&] { check_head({.target = "/", .version = version, .headers = &headers}, rules); });
}

TEST(HeadCheck, RefusesWhatCouldBeReadInTwoWays) {
  EXPECT_EQ(head_status({{"host", "a"}}), 200);
  EXPECT_EQ(head_status({}), 400);
  EXPECT_EQ(head_status({}, 10), 200);
  EXPECT_EQ(head_status({{"host", "a"}, {"host", "a"}}), 400);
  EXPECT_EQ(head_status({{"host", "a"}, {"content-length", "1"}, {"content-length", "1"}}), 400);
  EXPECT_EQ(head_status({{"host", "a"}, {"content-length", "5, 5"}}), 400);
  EXPECT_EQ(head_status({{"host", "a"}, {"transfer-encoding", "Chunked"}}), 200);
  EXPECT_EQ(head_status({{"host", "a"}, {"transfer-encoding", "chunked"}}, 10), 400);
  EXPECT_EQ(head_status({{"host", "a"}, {"transfer-encoding", "gzip, chunked"}}), 501);
  EXPECT_EQ(
      head_status(
          {{"host", "a"}, {"transfer-encoding", "chunked"}, {"transfer-encoding", "chunked"}}),
      501);
  EXPECT_EQ(head_status({{"host", "a"}, {"content-encoding", "gzip"}}), 415);
  EXPECT_EQ(head_status(Headers(101, {"x", "y"})), 431);
}

TEST(HeadCheck, KnowsItsHosts) {
  const std::vector<std::string> names = {"pictures.lan"};
  const HeadRules rules{.loopback_only = true, .host_names = &names};
  for (const char* host :
       {"localhost", "localhost:8080", "127.0.0.1:1", "[::1]:80", "a.localhost", "pictures.lan:3"})
    EXPECT_EQ(head_status({{"host", host}}, 11, rules), 200) << host;
  for (const char* host :
       {"evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "", "a"})
    EXPECT_EQ(head_status({{"host", host}}, 11, rules), 421) << host;
}

std::string path_of(std::string_view target) {
  std::string path, query;
  split_target(target, &path, &query);
  return path + "|" + query;
}

TEST(HeadCheck, SplitsTargets) {
  EXPECT_EQ(path_of("/a%20b?c=%20"), "/a b|c=%20");
  EXPECT_EQ(path_of("http://host:1/x?y"), "/x|y");
  EXPECT_EQ(path_of("http://host"), "/|");
  for (const char* target :
       {"a", "", "/../etc/passwd", "/%2e%2e/x", "/a/%2E%2E", "/a%00b", "/..%5c", "host:443"})
    EXPECT_EQ(status_of([&] { path_of(target); }), 400) << target;
}

TEST(Router, FindsRoutes) {
  Router router;
  const auto handler = [](const Call&) { return Reply{}; };
  router.add({"GET", "/a", handler});
  router.add({"POST", "/a", handler});
  router.add({"GET", "/p/{id}", handler});
  std::string parameter;
  EXPECT_EQ(router.find("HEAD", "/a", &parameter).method, "GET");
  EXPECT_EQ(router.find("POST", "/a", &parameter).method, "POST");
  EXPECT_EQ(router.find("GET", "/p/17", &parameter).path, "/p/{id}");
  EXPECT_EQ(parameter, "17");
  for (const char* path : {"/b", "/a/", "/p/", "/p/1/2", "/p"})
    EXPECT_EQ(status_of([&] { router.find("GET", path, nullptr); }), 404) << path;
  EXPECT_EQ(status_of([&] { router.find("PUT", "/a", nullptr); }), 405);
  EXPECT_EQ(router.methods("/a"), "GET, HEAD, POST, OPTIONS");
}

TEST(ApiKeys, Checks) {
  Call call;
  EXPECT_EQ(status_of([&] { ApiKeys({}).check(call); }), 200);
  const ApiKeys keys({"one", "two"});
  EXPECT_EQ(status_of([&] { keys.check(call); }), 401);
  call.headers = {{"authorization", "Bearer two"}};
  EXPECT_EQ(status_of([&] { keys.check(call); }), 200);
  for (const char* value : {"Bearer on", "Bearer onee", "one", "Bearer ", "Basic one"}) {
    call.headers = {{"authorization", value}};
    EXPECT_EQ(status_of([&] { keys.check(call); }), 401) << value;
  }
  call.headers = {{"x-api-key", "one"}};
  EXPECT_EQ(status_of([&] { keys.check(call); }), 200);
}

TEST(BodyBudget, GivesBack) {
  BodyBudget budget(10);
  {
    const auto lease = budget.take(8);
    EXPECT_TRUE(lease);
    EXPECT_FALSE(budget.take(3));
    EXPECT_TRUE(budget.take(2));
  }
  EXPECT_TRUE(budget.take(10));
}

TEST(ErrorReply, HasOpenAisShape) {
  const Reply reply = error_reply(429, "a \"b\"\xFF", "input", 2);
  EXPECT_EQ(reply.body,
            "{\"error\":{\"message\":\"a \\\"b\\\"\xEF\xBF\xBD\",\"type\":\"overloaded_error\","
            "\"param\":\"input\",\"code\":429}}");
  EXPECT_THAT(reply.headers, testing::ElementsAre(testing::Pair("Retry-After", "2")));
  EXPECT_EQ(error_reply(std::make_exception_ptr(ParseError("a", "b"))).status, 400);
  EXPECT_EQ(error_reply(std::make_exception_ptr(NotFound("a"))).status, 404);
  const Reply internal = error_reply(std::make_exception_ptr(std::runtime_error("/secret")));
  EXPECT_EQ(internal.status, 500);
  EXPECT_THAT(internal.body, testing::Not(testing::HasSubstr("secret")));
}

TEST(Metrics, TextFormat) {
  Metrics metrics;
  metrics.counter("c_total", "Counts.", metric_label("path", "/\"\\\n")).add(3);
  metrics.gauge("g", "Gauges.", [] { return 2.5; });
  constexpr double kBounds[] = {1, 2};
  Histogram& histogram = metrics.histogram("h", "Times.", kBounds);
  for (const double value : {0.5, 1.0, 1.5, 9.0}) histogram.observe(value);
  EXPECT_EQ(metrics.text(),
            "# HELP c_total Counts.\n# TYPE c_total counter\nc_total{path=\"/\\\"\\\\\\n\"} 3\n"
            "# HELP g Gauges.\n# TYPE g gauge\ng 2.5\n"
            "# HELP h Times.\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"2\"} 3\n"
            "h_bucket{le=\"+Inf\"} 4\nh_sum 12\nh_count 4\n");
}

struct Held {
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  CallQueue::Work work() {
    return [f = released](const Call&) {
      f.wait();
      return Reply{};
    };
  }
};

TEST(CallQueue, RefusesWhatDoesNotFit) {
  Held held;
  std::vector<int> statuses;
  {
    CallQueue queue({.max_requests = 2, .workers = 1});
    std::mutex mutex;
    const auto done = [&](Reply reply) {
      const std::lock_guard lock(mutex);
      statuses.push_back(reply.status);
    };
    EXPECT_TRUE(queue.push(std::make_shared<Call>(), held.work(), done));
    EXPECT_TRUE(queue.push(std::make_shared<Call>(), held.work(), done));
    EXPECT_FALSE(queue.push(std::make_shared<Call>(), held.work(), done));
    EXPECT_TRUE(queue.full());
    held.release.set_value();
    while (queue.waiting() + queue.in_work() > 0) std::this_thread::yield();
    EXPECT_TRUE(queue.push(std::make_shared<Call>(), held.work(), done));
    while (queue.waiting() + queue.in_work() > 0) std::this_thread::yield();
  }
  EXPECT_EQ(statuses, (std::vector<int>{200, 200, 200}));
}

TEST(CallQueue, DropsLateAndAbandonedCalls) {
  CallQueue queue({.workers = 1, .queue_timeout = 10ms});
  const auto ask = [&](std::shared_ptr<Call> call) {
    std::promise<int> status;
    queue.push(
        call, [](const Call&) -> Reply { throw NotFound("x"); },
        [&](Reply reply) { status.set_value(reply.status); });
    return status.get_future().get();
  };
  auto late = std::make_shared<Call>();
  late->arrived -= 1s;
  EXPECT_EQ(ask(late), 503);
  auto left = std::make_shared<Call>();
  *left->gone = true;
  EXPECT_EQ(ask(left), 499);
  EXPECT_EQ(ask(std::make_shared<Call>()), 404);
}

TEST(CallQueue, AnswersWhatWaitsAtItsEnd) {
  Held held;
  std::vector<int> statuses;
  auto queue = std::make_unique<CallQueue>(QueueLimits{.workers = 1});
  const auto done = [&](Reply reply) { statuses.push_back(reply.status); };
  queue->push(std::make_shared<Call>(), held.work(), done);
  while (queue->in_work() == 0) std::this_thread::yield();
  queue->push(std::make_shared<Call>(), held.work(), done);
  std::thread ending([&] { queue.reset(); });
  std::this_thread::sleep_for(20ms);
  held.release.set_value();
  ending.join();
  EXPECT_EQ(statuses, (std::vector<int>{200, 503}));
}

}  // namespace
}  // namespace openclip
