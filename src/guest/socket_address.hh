// SPDX-License-Identifier: Apache-2.0
// Endpoints as sockaddr_in and sockaddr_in6, with the mapped forms of ipv6(7).
#pragma once

#include <sys/socket.h>

#include <cstdint>

#include "core/error.hh"
#include "wire/address.hh"

namespace lanyard::guest {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

// As a socket of `family` (AF_INET, AF_INET6) shows it: an IPv4 address on an IPv6 socket is
// mapped.
[[nodiscard]] SocketAddress to_sockaddr(const Endpoint& endpoint, int family);
// What a program gave. Errors: invalid (too short), family_not_supported.
[[nodiscard]] Result<Endpoint> from_sockaddr(const sockaddr_storage& storage, socklen_t size,
                                             int family);

}  // namespace lanyard::guest
