// SPDX-License-Identifier: Apache-2.0
// The program around the DHCP client: what it decides is done with a socket and the host's stack.
#include <fmt/format.h>

#include <algorithm>

#include "application/dhcp_client.hh"
#include "application/dhcp_parts.hh"
#include "application/programs.hh"

namespace lanyard::application {

namespace {

using namespace dhcp_parts;
using socket::Process;
using socket::Socket;

const IpPrefix everything{IpAddress::any(Family::ipv4), 0};

// One interface of the host, as the client treats it.
class Port4 {
 public:
  Port4(Process& process, std::uint32_t interface) : process_(process), interface_(interface) {}

  // Whoever asks for an address has none, whatever the lab planned; which that was is given back.
  std::optional<IpAddress> forget_all() {
    std::optional<IpAddress> first;
    for (const IpPrefix& each : stack().interface(interface_)->addresses) {
      if (!each.address.is_v4()) continue;
      if (!first) first = each.address;
      stack().remove_address(process_.now(), interface_, each.address);
    }
    for (const stack::Route& route : stack().routes()) {
      const bool is_default = route.interface == interface_ && route.destination == everything;
      if (is_default) stack().remove_route(route);
    }
    return first;
  }
  // RFC 2131 4.4.1 [RFC2131-4.4.1-b]: nobody on the link may have it.
  bool check(const IpPrefix& address) { return take_if_free(process_, interface_, address); }
  void use(const DhcpLease& lease) {
    const stack::Route old = route_;
    route_ = {everything, lease.routers.empty() ? IpAddress() : lease.routers.front(), interface_,
              0};
    if (old.gateway == route_.gateway) return;
    if (!old.gateway.is_unspecified()) stack().remove_route(old);
    if (!route_.gateway.is_unspecified()) stack().add_route(route_);
  }
  void drop(const DhcpLease& lease) {
    give_up(process_, interface_, lease.address.address);
    if (!route_.gateway.is_unspecified()) stack().remove_route(route_);
    route_ = {};
  }

 private:
  stack::Stack& stack() { return process_.sockets().stack(); }
  Process& process_;
  std::uint32_t interface_;
  stack::Route route_;
};

class ClientProgram {
 public:
  ClientProgram(Process& process, const stack::InterfaceRow& row, Socket& socket,
                const DhcpClient::Settings& settings)
      : process_(process),
        name_(row.name),
        socket_(socket),
        port_(process, row.index),
        client_(process.now(), asking(settings, port_.forget_all()), process.random()) {}

  // Until then, or for ever.
  void run(Instant end) {
    std::vector<std::uint8_t> buffer(buffer_bytes);
    while (process_.now() < end) {
      perform(client_.poll(process_.now()));
      const Instant next = std::min(client_.next_deadline(), end);
      if (next <= process_.now()) continue;
      socket_.set_timeout(next == Instant::never() ? Duration::infinite() : next - process_.now());
      const auto received = socket_.recvfrom(buffer);
      if (!received) continue;
      const auto message = dhcp::parse(Bytes(buffer).first(received->bytes));
      if (message) perform(client_.on_message(process_.now(), *message));
    }
    perform(client_.release(process_.now()));
  }

 private:
  static DhcpClient::Settings asking(DhcpClient::Settings settings,
                                     const std::optional<IpAddress>& planned) {
    settings.suggested = planned;
    return settings;
  }
  void perform(std::vector<DhcpClient::Action> actions) {
    for (std::size_t i = 0; i < actions.size(); ++i) {
      perform(actions[i]);
      // The server's MAC address may have to be asked for while ours still answers.
      if (actions[i].message.type == dhcp::Type::release) process_.sleep(Duration::seconds(1));
      if (actions[i].kind != DhcpClient::Action::Kind::check) continue;
      const bool is_free = port_.check(actions[i].lease.address);
      if (!is_free) {
        say(fmt::format("{} is taken by another, declined",
                        to_text(actions[i].lease.address.address)));
      }
      std::ranges::move(client_.on_checked(process_.now(), is_free), std::back_inserter(actions));
    }
  }
  void perform(const DhcpClient::Action& action) {
    using Kind = DhcpClient::Action::Kind;
    const DhcpLease& lease = action.lease;
    switch (action.kind) {
      case Kind::broadcast:
        return send(process_, socket_, dhcp::write(action.message),
                    {everybody(), dhcp::server_port});
      case Kind::unicast:
        return send(process_, socket_, dhcp::write(action.message),
                    {lease.server, dhcp::server_port});
      case Kind::check:
        return;
      case Kind::use:
        port_.use(lease);
        return say(fmt::format("{} {} from {}", to_text(lease.address), lasts(lease.duration),
                               to_text(lease.server)));
      case Kind::drop:
        port_.drop(lease);
        return say(fmt::format("{} is given up", to_text(lease.address.address)));
    }
  }
  void say(const std::string& text) { process_.print(1, fmt::format("{}: {}\n", name_, text)); }

  Process& process_;
  std::string name_;
  Socket& socket_;
  Port4 port_;
  DhcpClient client_;
};

int run_client(Process& process, Arguments& arguments) {
  stack::Stack& stack = process.sockets().stack();
  const std::string name = arguments.words().size() > 1 ? arguments.words()[1] : "eth0";
  const auto index = stack.interface_of(name);
  if (!index || *index == 1) return fail(process, fmt::format("no interface {}", name));
  DhcpClient::Settings settings;
  const auto seconds = arguments.number("--for", 0, 1, 1'000'000'000);
  if (const auto was = arguments.value("--was")) {
    settings.remembered = v4_in(*was);
    if (!settings.remembered) {
      return wrong_usage(process, "dhcp", fmt::format("'{}' is no IPv4 address", *was));
    }
  }
  if (!arguments.problem().empty()) return wrong_usage(process, "dhcp", arguments.problem());
  const stack::InterfaceRow row = *stack.interface(*index);
  settings.mac = row.mac;
  settings.host_name = process.names().host_name;
  settings.at_once = arguments.has("--at-once");
  auto socket = dhcp_socket(process, dhcp::client_port, *index);
  if (!socket) return fail(process, fmt::format("port 68: {}", errno_text(socket.error())));
  ClientProgram program(process, row, *socket, settings);
  program.run(seconds == 0 ? Instant::never()
                           : process.now() + Duration::seconds(static_cast<std::int64_t>(seconds)));
  return 0;
}

}  // namespace

int dhcp(Process& process, std::span<const std::string> all) {
  Arguments arguments(all.subspan(1), {.with_value = {"--was", "--for", "--pool", "--lease",
                                                      "--reserve", "--router", "--dns", "--domain"},
                                       .without_value = {"--at-once"},
                                       .words_min = 1,
                                       .words_max = 2});
  if (!arguments.problem().empty()) return wrong_usage(process, "dhcp", arguments.problem());
  const std::string& verb = arguments.words()[0];
  if (verb == "client") return run_client(process, arguments);
  if (verb == "serve" && arguments.words().size() == 1) return run_server(process, arguments);
  if (verb == "relay") return run_relay(process, arguments);
  return wrong_usage(process, "dhcp", "say 'client', 'serve', or 'relay SERVER'");
}

}  // namespace lanyard::application
