// SPDX-License-Identifier: Apache-2.0
#include "guest/socket_address.hh"

#include <netinet/in.h>

#include <cstddef>
#include <cstring>

namespace lanyard::guest {

namespace {

constexpr socklen_t v6_size_least = 24;  // RFC 2133's, without a scope: Linux still takes it

const std::uint8_t* bytes_at(const void* from) {
  return static_cast<const std::uint8_t*>(from);
}

}  // namespace

SocketAddress to_sockaddr(const Endpoint& endpoint, int family) {
  SocketAddress address;
  std::uint8_t port[2];
  store16(port, endpoint.port);
  if (family == AF_INET) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    std::memcpy(&in.sin_port, port, sizeof port);
    if (endpoint.address.is_v4())
      std::memcpy(&in.sin_addr, endpoint.address.wire_bytes().data(), sizeof in.sin_addr);
    std::memcpy(&address.storage, &in, sizeof in);
    address.size = sizeof in;
    return address;
  }
  sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  std::memcpy(&in.sin6_port, port, sizeof port);
  // An IpAddress holds IPv4 as the mapped form already.
  std::memcpy(&in.sin6_addr, endpoint.address.bytes().data(), sizeof in.sin6_addr);
  in.sin6_scope_id = endpoint.interface;
  std::memcpy(&address.storage, &in, sizeof in);
  address.size = sizeof in;
  return address;
}

Result<Endpoint> from_sockaddr(const sockaddr_storage& storage, socklen_t size, int family) {
  Endpoint endpoint;
  if (family == AF_INET || storage.ss_family == AF_INET) {
    sockaddr_in in{};
    if (size < sizeof in) return unexpected(Errno::invalid);
    std::memcpy(&in, &storage, sizeof in);
    // ip(7): bind takes AF_UNSPEC with the wildcard for AF_INET.
    const bool is_wildcard = in.sin_family == AF_UNSPEC && in.sin_addr.s_addr == INADDR_ANY;
    if (in.sin_family != AF_INET && !is_wildcard) return unexpected(Errno::family_not_supported);
    if (family == AF_INET6) return unexpected(Errno::invalid);
    endpoint.address = IpAddress::from_v4_bytes(bytes_at(&in.sin_addr));
    endpoint.port = load16(bytes_at(&in.sin_port));
    return endpoint;
  }
  if (size < v6_size_least) return unexpected(Errno::invalid);
  sockaddr_in6 in{};
  std::memcpy(&in, &storage, std::min<std::size_t>(size, sizeof in));
  if (in.sin6_family != AF_INET6) return unexpected(Errno::family_not_supported);
  endpoint.address = IpAddress::from_v6_bytes(bytes_at(&in.sin6_addr));
  endpoint.port = load16(bytes_at(&in.sin6_port));
  endpoint.interface = in.sin6_scope_id;
  return endpoint;
}

}  // namespace lanyard::guest
