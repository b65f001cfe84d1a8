#include "serve/url/public_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <cstring>

namespace openclip {
namespace {

struct Network4 {
  uint32_t address;
  int bits;
};

constexpr uint32_t ipv4(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

constexpr Network4 kSpecial4[] = {
    {ipv4(0, 0, 0, 0), 8},      {ipv4(10, 0, 0, 0), 8},     {ipv4(100, 64, 0, 0), 10},
    {ipv4(127, 0, 0, 0), 8},    {ipv4(169, 254, 0, 0), 16}, {ipv4(172, 16, 0, 0), 12},
    {ipv4(192, 0, 0, 0), 24},   {ipv4(192, 0, 2, 0), 24},   {ipv4(192, 88, 99, 0), 24},
    {ipv4(192, 168, 0, 0), 16}, {ipv4(198, 18, 0, 0), 15},  {ipv4(198, 51, 100, 0), 24},
    {ipv4(203, 0, 113, 0), 24}, {ipv4(224, 0, 0, 0), 4},    {ipv4(240, 0, 0, 0), 4},
};

bool is_public4(uint32_t address) {
  for (const Network4& network : kSpecial4)
    if ((address ^ network.address) >> (32 - network.bits) == 0) return false;
  return true;
}

using Bytes16 = std::array<uint8_t, 16>;

// Of IPv6 only 2000::/3 is handed out to the public; parts of it are special.
bool is_public6(const Bytes16& b) {
  if ((b[0] & 0xE0) != 0x20) return false;  // also ::1, mapped, fc00::/7, fe80::/10, 64:ff9b::/96
  const int first = b[0] << 8 | b[1], second = b[2] << 8 | b[3];
  if (first == 0x2001 && (second < 0x0200 || second == 0x0DB8))
    return false;                                // Teredo, …, examples
  if (first == 0x2002) return false;             // 6to4
  return !(first == 0x3FFF && second < 0x1000);  // examples
}

}  // namespace

bool is_public_address(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address, sizeof v4);
    return is_public4(ntohl(v4.sin_addr.s_addr));
  }
  if (address.sa_family != AF_INET6) return false;
  sockaddr_in6 v6;
  std::memcpy(&v6, &address, sizeof v6);
  Bytes16 bytes;
  std::memcpy(bytes.data(), &v6.sin6_addr, sizeof bytes);
  return v6.sin6_scope_id == 0 && is_public6(bytes);
}

}  // namespace openclip
