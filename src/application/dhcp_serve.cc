// SPDX-License-Identifier: Apache-2.0
// The programs around the DHCP server and the relay.
#include <fmt/format.h>

#include <algorithm>

#include "application/dhcp_parts.hh"
#include "application/dhcp_server.hh"
#include "application/programs.hh"
#include "internet/network.hh"

namespace lanyard::application::dhcp_parts {

namespace {

using dhcp::Message;
using socket::Process;
using socket::Socket;

std::vector<std::string> pieces_of(const std::string& text) {
  std::vector<std::string> pieces;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    pieces.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return pieces;
}

// What the command line of a server says; the problem in words.
std::expected<DhcpServer::Settings, std::string> settings_in(Arguments& arguments,
                                                             const stack::Stack& stack) {
  DhcpServer::Settings settings;
  const auto lease = arguments.number("--lease", 3600, 60, dhcp::for_ever_s - 1);
  settings.lease = Duration::seconds(static_cast<std::int64_t>(lease));
  settings.domain_name = arguments.value("--domain").value_or("");
  for (const auto& [option, list] :
       {std::pair("--router", &settings.routers), std::pair("--dns", &settings.name_servers)}) {
    const auto given = arguments.value(option);
    if (!given) continue;
    for (const std::string& each : pieces_of(*given)) {
      const auto address = v4_in(each);
      if (!address) return std::unexpected(fmt::format("{}: '{}' is no address", option, each));
      list->push_back(*address);
    }
  }
  if (const auto pools = arguments.value("--pool")) {
    for (const std::string& each : pieces_of(*pools)) {
      std::optional<DhcpPool> pool = DhcpPool::parse(each, std::nullopt);
      for (const stack::InterfaceRow& row : stack.interfaces()) {
        for (const IpPrefix& own : row.addresses) {
          if (!pool && own.address.is_v4()) pool = DhcpPool::parse(each, own);
        }
      }
      if (!pool) {
        return std::unexpected(fmt::format(
            "--pool: '{}' is not FIRST-LAST of a network of ours, or FIRST-LAST/LENGTH", each));
      }
      settings.pools.push_back(*pool);
    }
  }
  if (const auto reserved = arguments.value("--reserve")) {
    for (const std::string& each : pieces_of(*reserved)) {
      const std::size_t sign = std::min(each.find('='), each.size());
      const auto mac = MacAddress::parse(each.substr(0, sign));
      const auto address = v4_in(each.substr(std::min(sign + 1, each.size())));
      if (!mac || !address) {
        return std::unexpected(fmt::format("--reserve: '{}' is not MAC=ADDRESS", each));
      }
      settings.reservations[*mac] = *address;
    }
  }
  return settings;
}

// Our address on an interface, for those who live there.
std::optional<IpPrefix> own_on(const stack::Stack& stack, std::uint32_t interface) {
  const auto row = stack.interface(interface);
  if (!row) return std::nullopt;
  const auto own = std::ranges::find_if(row->addresses,
                                        [](const IpPrefix& each) { return each.address.is_v4(); });
  return own == row->addresses.end() ? std::nullopt : std::optional(*own);
}

// How an answer reaches the client, the relay or everybody (RFC 2131 4.1).
struct Way {
  DhcpServer::Answer::To to;
  IpAddress address;
  MacAddress mac;
  std::uint32_t interface;
  IpAddress own;
};

void answer(Process& process, const Socket& socket, Bytes message, const Way& way) {
  using To = DhcpServer::Answer::To;
  switch (way.to) {
    case To::everybody:
      return send(process, socket, message, {everybody(), dhcp::client_port}, way.interface,
                  way.own);
    case To::client:
      return send(process, socket, message, {way.address, dhcp::client_port});
    case To::relay:
      return send(process, socket, message, {way.address, dhcp::server_port});
    case To::hardware: {
      // It cannot answer ARP for an address it does not have yet.
      internet::Interface& on = process.sockets().stack().network().interfaces().at(way.interface);
      on.neighbours.on_spoken_to(process.now(), way.address, way.mac);
      return send(process, socket, message, {way.address, dhcp::client_port}, way.interface,
                  way.own);
    }
  }
}

}  // namespace

int run_server(Process& process, Arguments& arguments) {
  stack::Stack& stack = process.sockets().stack();
  auto settings = settings_in(arguments, stack);
  if (!settings) return wrong_usage(process, "dhcp", settings.error());
  if (!arguments.problem().empty()) return wrong_usage(process, "dhcp", arguments.problem());
  auto socket = dhcp_socket(process, dhcp::server_port, 0);
  if (!socket) return fail(process, fmt::format("port 67: {}", errno_text(socket.error())));
  DhcpServer server(std::move(*settings));
  std::vector<std::uint8_t> buffer(buffer_bytes);
  while (true) {
    const auto received = socket->recvfrom(buffer);
    if (!received) continue;
    const auto message = dhcp::parse(Bytes(buffer).first(received->bytes));
    const auto own = own_on(stack, received->facts.interface);
    if (!message || !own) continue;
    const auto said =
        server.on_message(process.now(), *message, *own, stack.config().internet.forwarding);
    if (!said) continue;
    if (said->message.type == dhcp::Type::ack && message->type == dhcp::Type::request) {
      process.print(
          1, fmt::format("{} has {} {}\n", to_text(message->hardware), to_text(said->message.yours),
                         lasts(Duration::seconds(*said->message.lease_s))));
    }
    answer(process, *socket, dhcp::write(said->message),
           {said->to, said->address, message->hardware, received->facts.interface, own->address});
  }
}

namespace {

// RFC 1542 4.1: what clients broadcast goes to the server with our address on their network, and
// back, as it is otherwise.
class Relay {
 public:
  Relay(Process& process, const Socket& socket, const IpAddress& server)
      : process_(process), socket_(socket), server_(server) {}

  void pass_on(MutableBytes bytes, std::uint32_t interface) {
    const auto message = dhcp::parse(bytes);
    if (!message) return;
    message->is_reply ? to_client(bytes, *message) : to_server(bytes, *message, interface);
  }

 private:
  void to_server(MutableBytes bytes, const Message& message, std::uint32_t interface) {
    constexpr std::uint8_t hops_max = 16;
    const auto own = own_on(process_.sockets().stack(), interface);
    if (!own || message.hops >= hops_max) return;
    const bool is_first = message.relay.is_unspecified();
    dhcp::set_relay(bytes, static_cast<std::uint8_t>(message.hops + 1),
                    is_first ? own->address : message.relay);
    send(process_, socket_, bytes, {server_, dhcp::server_port});
  }
  void to_client(Bytes bytes, const Message& message) {
    using To = DhcpServer::Answer::To;
    const stack::Stack& stack = process_.sockets().stack();
    for (const stack::InterfaceRow& row : stack.interfaces()) {
      const auto own = own_on(stack, row.index);
      if (!own || own->address != message.relay) continue;
      answer(process_, socket_, bytes,
             {message.wants_broadcast ? To::everybody : To::hardware, message.yours,
              message.hardware, row.index, own->address});
    }
  }
  Process& process_;
  const Socket& socket_;
  IpAddress server_;
};

}  // namespace

int run_relay(Process& process, const Arguments& arguments) {
  const auto server = arguments.words().size() > 1 ? v4_in(arguments.words()[1]) : std::nullopt;
  if (!server) return wrong_usage(process, "dhcp", "say 'relay SERVER', an IPv4 address");
  auto socket = dhcp_socket(process, dhcp::server_port, 0);
  if (!socket) return fail(process, fmt::format("port 67: {}", errno_text(socket.error())));
  Relay relay(process, *socket, *server);
  std::vector<std::uint8_t> buffer(buffer_bytes);
  while (true) {
    const auto received = socket->recvfrom(buffer);
    if (received) {
      relay.pass_on(MutableBytes(buffer).first(received->bytes), received->facts.interface);
    }
  }
}

}  // namespace lanyard::application::dhcp_parts
