// SPDX-License-Identifier: Apache-2.0
#include "application/dhcp_parts.hh"

#include <fmt/format.h>

#include <utility>

#include "internet/network.hh"
#include "transport/tcp/tcp.hh"

namespace lanyard::application::dhcp_parts {

using socket::Option;
using socket::Process;
using socket::Socket;
using socket::Type;

int fail(Process& process, std::string_view problem) {
  process.print(2, fmt::format("dhcp: {}\n", problem));
  return 1;
}

std::optional<IpAddress> v4_in(const std::string& text) {
  const auto address = IpAddress::parse(text);
  return address && address->is_v4() ? address : std::nullopt;
}

Result<Socket> dhcp_socket(Process& process, Port port, std::uint32_t interface) {
  Socket socket(process, Family::ipv4, Type::datagram);
  (void)socket.set_option(Option::reuse_address, std::int64_t{1});
  (void)socket.set_option(Option::broadcast, std::int64_t{1});
  if (interface != 0) {
    (void)socket.set_option(Option::bind_to_interface, static_cast<std::int64_t>(interface));
  }
  if (auto bound = socket.bind({IpAddress::any(Family::ipv4), port}); !bound) {
    return unexpected(bound.error());
  }
  return socket;
}

void send(Process& process, const Socket& socket, Bytes message, const Endpoint& to,
          std::uint32_t interface, const IpAddress& source) {
  socket::DatagramFacts facts;
  facts.peer = to;
  facts.interface = interface;
  facts.local = source;
  (void)process.sockets().send_to(process.now(), socket.handle(), message, facts);
}

std::string lasts(Duration duration) {
  return duration == Duration::infinite() ? "for ever" : fmt::format("for {}", to_text(duration));
}

IpAddress everybody() {
  return IpAddress::v4(255, 255, 255, 255);
}

bool take_if_free(Process& process, std::uint32_t index, const IpPrefix& address) {
  stack::Stack& stack = process.sockets().stack();
  internet::Interface& interface = stack.network().interfaces().at(index);
  const bool checked = std::exchange(interface.checks_duplicates, true);
  stack.add_address(process.now(), index, address);
  interface.checks_duplicates = checked;
  stack.flush(process.now());
  while (true) {
    const internet::InterfaceAddress* own = interface.find(address.address);
    if (own == nullptr) return false;
    if (own->is_usable()) return true;
    if (own->state == internet::AddressState::duplicate) {
      stack.remove_address(process.now(), index, address.address);
      return false;
    }
    process.sleep(Duration::milliseconds(250));
  }
}

void give_up(Process& process, std::uint32_t interface, const IpAddress& address) {
  stack::Stack& stack = process.sockets().stack();
  for (const tcp::Row& row : stack.tcp().rows()) {
    const bool is_its = row.connection != tcp::ConnectionId::none && row.local.address == address;
    if (is_its) stack.tcp().abort(process.now(), row.connection);
  }
  stack.flush(process.now());
  stack.remove_address(process.now(), interface, address);
}

}  // namespace lanyard::application::dhcp_parts
