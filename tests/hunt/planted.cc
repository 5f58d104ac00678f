// SPDX-License-Identifier: Apache-2.0
#include "planted.hh"

#include <array>
#include <cstdlib>

#include "application/resolver.hh"
#include "planted_parts.hh"

namespace lanyard::planted {

using socket::Process;
using socket::Socket;
using socket::Type;

Socket listen_on(Process& process, Port port) {
  Socket listener(process, Family::ipv6, Type::stream);
  (void)listener.set_option(socket::Option::reuse_address, std::int64_t{1});
  if (!listener.bind({IpAddress::any(Family::ipv6), port}) || !listener.listen(8)) std::abort();
  return listener;
}

Socket datagrams_on(Process& process, Port port, Duration timeout) {
  Socket socket(process, Family::ipv4, Type::datagram);
  if (!socket.bind({IpAddress::any(Family::ipv4), port})) std::abort();
  socket.set_timeout(timeout);
  return socket;
}

std::optional<Datagram> receive(Socket& socket) {
  std::array<std::uint8_t, 2048> buffer{};
  const auto received = socket.recvfrom(MutableBytes(buffer));
  if (!received) return {};
  return Datagram{std::string(buffer.begin(), buffer.begin() + received->bytes),
                  received->facts.peer};
}

std::optional<Datagram> receive_until(Process& process, Socket& socket, Instant end) {
  if (process.now() >= end) return {};
  socket.set_timeout(end - process.now());
  return receive(socket);
}

Endpoint endpoint_of(Process& process, const std::string& name, Port port) {
  for (const auto& [known, address] : process.names().hosts)
    if (known == name && address.family() == Family::ipv4) return {address, port};
  const auto parsed = IpAddress::parse(name);
  return {parsed ? *parsed : IpAddress::any(Family::ipv4), port};
}

std::map<std::string, socket::Program, std::less<>> programs() {
  return {{"half-close-server", half_close_server},
          {"half-close-client", half_close_client},
          {"short-read-server", short_read_server},
          {"short-read-client", short_read_client},
          {"ask-once", ask_once},
          {"elect", elect},
          {"counter-server", counter_server},
          {"counter-client", counter_client},
          {"order-server", order_server},
          {"order-client", order_client},
          {"registry", registry},
          {"moving-service", moving_service},
          {"caching-client", caching_client},
          {"heart", heart},
          {"monitor", monitor},
          {"chunk-server", chunk_server},
          {"chunk-client", chunk_client}};
}

}  // namespace lanyard::planted
