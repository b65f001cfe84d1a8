// Which network addresses are everybody's. Rank 6.
#pragma once

#include <sys/socket.h>

namespace openclip {

/// Whether an address lies in the public internet: not this machine, not a private, link-local
/// (cloud metadata), carrier, documentation, multicast or reserved network, and not one of those in
/// an IPv6 disguise (mapped, 6to4, NAT64, Teredo). Other address families are not public.
/// Source: IANA's IPv4 and IPv6 Special-Purpose Address Registries.
bool is_public_address(const sockaddr& address);

}  // namespace openclip
