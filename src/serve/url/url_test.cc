#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <thread>

#include "serve/http/server.h"
#include "serve/url/picture_fetch.h"
#include "serve/url/public_address.h"

namespace openclip {
namespace {

bool is_public(const char* text) {
  sockaddr_storage storage{};
  auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
  if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
    storage.ss_family = AF_INET;
  } else {
    EXPECT_EQ(inet_pton(AF_INET6, text, &v6->sin6_addr), 1) << text;
    storage.ss_family = AF_INET6;
  }
  return is_public_address(reinterpret_cast<const sockaddr&>(storage));
}

// Python's ipaddress.ip_address(x).is_global says the same of all of these, but for multicast,
// which it calls global, and NAT64, 6to4 and Teredo, which it judges by the outer address.
TEST(PublicAddress, KnowsSpecialNetworks) {
  for (const char* address : {"1.1.1.1", "8.8.8.8", "172.15.255.255", "172.32.0.0", "100.63.0.1",
                              "100.128.0.1", "11.0.0.1", "169.253.0.1", "192.167.1.1", "198.20.0.1",
                              "223.255.255.255", "2606:4700::1111", "2a00:1450::1"})
    EXPECT_TRUE(is_public(address)) << address;
  for (const char* address : {"0.0.0.0",      "10.1.2.3",         "100.64.0.1",
                              "127.0.0.1",    "127.255.255.255",  "169.254.169.254",
                              "172.16.0.1",   "172.31.255.255",   "192.0.0.1",
                              "192.0.2.1",    "192.168.1.1",      "198.18.0.1",
                              "198.51.100.7", "203.0.113.9",      "224.0.0.1",
                              "240.0.0.1",    "255.255.255.255",  "::",
                              "::1",          "::ffff:127.0.0.1", "::ffff:8.8.8.8",
                              "::127.0.0.1",  "64:ff9b::7f00:1",  "100::1",
                              "2001::1",      "2001:db8::1",      "2002:7f00:1::1",
                              "3fff::1",      "fc00::1",          "fd12::1",
                              "fe80::1",      "fec0::1",          "ff02::1"})
    EXPECT_FALSE(is_public(address)) << address;
}

TEST(PictureFetch, HostLists) {
  EXPECT_TRUE(host_allowed("a.example", {}));
  EXPECT_TRUE(host_allowed("A.Example", {"a.example"}));
  EXPECT_TRUE(host_allowed("x.cdn.example", {"*.cdn.example"}));
  for (const char* host : {"cdn.example", "evilcdn.example", "x.cdn.example.evil", ".cdn.example"})
    EXPECT_FALSE(host_allowed(host, {"*.cdn.example"})) << host;
}

std::string refusal(const std::string& url, const UrlPolicy& policy) {
  try {
    fetch_picture(url, policy, 100, Clock::now() + std::chrono::seconds(2));
  } catch (const CallError& error) {
    return fmt::format("{} {}", error.status(), error.what());
  }
  return "fetched";
}

TEST(PictureFetch, RefusesBeforeItConnects) {
  EXPECT_NE(refusal("http://1.1.1.1/", {}).find("--allow-urls"), std::string::npos);
  const UrlPolicy on{.allowed = true};
  for (const char* url : {"http://127.0.0.1/", "http://localhost/", "http://[::1]/",
                          "http://2130706433/", "http://0x7f.1/", "http://[::ffff:127.0.0.1]/",
                          "http://169.254.169.254/x", "http://user@127.0.0.1/", "ftp://1.1.1.1/"})
    EXPECT_EQ(refusal(url, on), "400 the URL of the picture cannot be fetched") << url;
  EXPECT_EQ(refusal("http://1.1.1.1:22/", on), "400 pictures are not fetched from port 22");
  EXPECT_EQ(refusal("http://1.1.1.1/", {.allowed = true, .hosts = {"b.example"}}),
            "400 pictures are not fetched from this host");
}

// A server of our own to fetch from; /again leads back to itself.
struct Origin {
  Metrics metrics;
  Router router;
  std::unique_ptr<Server> server;
  std::thread thread;

  Origin() {
    const auto add = [&](const char* path, Reply reply) {
      router.add(
          {"GET", path, [reply](const Call&) { return reply; }, Access::open, Place::at_once});
    };
    add("/picture", {.body = std::string(100, 'x')});
    add("/large", {.body = std::string(101, 'x')});
    add("/moved", {.status = 302, .headers = {{"Location", "/picture"}}});
    add("/again", {.status = 302, .headers = {{"Location", "/again"}}});
    add("/inner", {.status = 302, .headers = {{"Location", "http://127.0.0.2/"}}});
    server = std::make_unique<Server>(router, metrics, ServerSettings{});
    thread = std::thread([this] { server->run(); });
  }
  ~Origin() {
    server->stop();
    thread.join();
  }
  std::string url(const char* path) const { return server->address() + path; }

  // Only this server's own address passes.
  UrlPolicy policy() const {
    UrlPolicy policy{.allowed = true};
    policy.ports = {80, std::stoi(server->address().substr(server->address().rfind(':') + 1))};
    policy.judge = [](const sockaddr& address) {
      const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
      return address.sa_family == AF_INET && ntohl(v4.sin_addr.s_addr) == INADDR_LOOPBACK;
    };
    return policy;
  }
};

TEST(PictureFetch, FetchesWhatIsAllowed) {
  const Origin origin;
  const auto end = Clock::now() + std::chrono::seconds(5);
  EXPECT_EQ(fetch_picture(origin.url("/picture"), origin.policy(), 100, end).size(), 100u);
  EXPECT_EQ(fetch_picture(origin.url("/moved"), origin.policy(), 100, end).size(), 100u);
  EXPECT_EQ(refusal(origin.url("/large"), origin.policy()),
            "413 the picture of the URL has more than 100 bytes");
  EXPECT_EQ(refusal(origin.url("/again"), origin.policy()),
            "400 the URL of the picture answers with status 302");
  EXPECT_EQ(refusal(origin.url("/nothing"), origin.policy()),
            "400 the URL of the picture answers with status 404");
  // A redirect is judged like the first address.
  EXPECT_EQ(refusal(origin.url("/inner"), origin.policy()),
            "400 the URL of the picture cannot be fetched");
}

}  // namespace
}  // namespace openclip
