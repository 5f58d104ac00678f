// SPDX-License-Identifier: Apache-2.0
// The programs around the DHCPv6 client and server: what they decide is done with sockets and with
// the host's stack.
#include <fmt/format.h>

#include <algorithm>

#include "application/dhcp6_client.hh"
#include "application/dhcp6_server.hh"
#include "application/dhcp_parts.hh"
#include "application/programs.hh"

namespace lanyard::application {

namespace {

using socket::Option;
using socket::Process;
using socket::Socket;
using socket::Type;
using Kind = Dhcp6Client::Action::Kind;

constexpr std::size_t buffer_bytes = 1500;
constexpr std::uint8_t full_length = 128;

int fail(Process& process, std::string_view problem) {
  process.print(2, fmt::format("dhcp6: {}\n", problem));
  return 1;
}

Result<Socket> dhcp_socket(Process& process, Port port, std::uint32_t interface) {
  Socket socket(process, Family::ipv6, Type::datagram);
  (void)socket.set_option(Option::v6_only, std::int64_t{1});
  (void)socket.set_option(Option::reuse_address, std::int64_t{1});
  (void)socket.set_option(Option::bind_to_interface, static_cast<std::int64_t>(interface));
  if (auto bound = socket.bind({IpAddress::any(Family::ipv6), port}); !bound) {
    return unexpected(bound.error());
  }
  return socket;
}

std::optional<std::uint32_t> interface_in(Process& process, const Arguments& arguments) {
  const std::string name = arguments.words().size() > 1 ? arguments.words()[1] : "eth0";
  const auto index = process.sockets().stack().interface_of(name);
  return index && *index != 1 ? index : std::nullopt;
}

class ClientProgram {
 public:
  ClientProgram(Process& process, std::uint32_t interface, const Dhcp6Client::Settings& settings,
                Socket& socket)
      : process_(process),
        interface_(interface),
        name_(stack().interface(interface)->name),
        socket_(socket),
        client_(process.now(), settings, process.random()) {}

  // Until then, or for ever; an Information-request ends by itself.
  void run(Instant end) {
    while (process_.now() < end && !is_over()) step(end);
    perform(client_.release(process_.now()));
    while (!is_over()) step(Instant::never());
  }

 private:
  [[nodiscard]] bool is_over() const { return client_.state() == Dhcp6Client::State::over; }
  stack::Stack& stack() { return process_.sockets().stack(); }

  void step(Instant end) {
    perform(client_.poll(process_.now()));
    const Instant next = std::min(client_.next_deadline(), end);
    if (is_over() || next <= process_.now()) return;
    socket_.set_timeout(next == Instant::never() ? Duration::infinite() : next - process_.now());
    std::vector<std::uint8_t> buffer(buffer_bytes);
    const auto received = socket_.recvfrom(buffer);
    if (!received) return;
    const auto message = dhcp6::parse(Bytes(buffer).first(received->bytes));
    if (message) perform(client_.on_message(process_.now(), *message));
  }
  void perform(std::vector<Dhcp6Client::Action> actions) {
    for (std::size_t i = 0; i < actions.size(); ++i) {
      perform(actions[i]);
      if (actions[i].kind != Kind::check) continue;
      const bool is_free = check(actions[i].lease.address.address);
      if (!is_free) {
        say(fmt::format("{} is taken by another, declined",
                        to_text(actions[i].lease.address.address)));
      }
      std::ranges::move(client_.on_checked(process_.now(), is_free), std::back_inserter(actions));
    }
  }
  void perform(const Dhcp6Client::Action& action) {
    const IpAddress address = action.lease.address.address;
    switch (action.kind) {
      case Kind::send:
        (void)socket_.sendto(dhcp6::write(action.message),
                             {dhcp6::all_servers(), dhcp6::server_port, interface_});
        return;
      case Kind::check:
        return;
      case Kind::use:
        return say(fmt::format("{} for {} s", to_text(address), action.lease.address.valid_s));
      case Kind::drop:
        dhcp_parts::give_up(process_, interface_, address);
        return say(fmt::format("{} is given up", to_text(address)));
      case Kind::inform: {
        std::string servers;
        for (const IpAddress& each : action.lease.name_servers) servers += " " + to_text(each);
        return say("name servers" + (servers.empty() ? " none" : servers));
      }
    }
  }
  // RFC 8415 18.2.10.1: duplicate address detection. What a server gives says nothing about what is
  // on the link.
  bool check(const IpAddress& address) {
    return dhcp_parts::take_if_free(process_, interface_, {address, full_length});
  }
  void say(const std::string& text) { process_.print(1, fmt::format("{}: {}\n", name_, text)); }

  Process& process_;
  std::uint32_t interface_;
  std::string name_;
  Socket& socket_;
  Dhcp6Client client_;
};

int run_client(Process& process, Arguments& arguments) {
  const auto interface = interface_in(process, arguments);
  if (!interface) return fail(process, "no such interface");
  const auto seconds = arguments.number("--for", 0, 1, 1'000'000'000);
  if (!arguments.problem().empty()) return wrong_usage(process, "dhcp6", arguments.problem());
  auto socket = dhcp_socket(process, dhcp6::client_port, *interface);
  if (!socket) return fail(process, fmt::format("port 546: {}", errno_text(socket.error())));
  Dhcp6Client::Settings settings;
  settings.mac = process.sockets().stack().interface(*interface)->mac;
  settings.only_informs = arguments.has("--information");
  ClientProgram program(process, *interface, settings, *socket);
  program.run(seconds == 0 ? Instant::never()
                           : process.now() + Duration::seconds(static_cast<std::int64_t>(seconds)));
  return 0;
}

// The network of the interface's own global address, from its number 0x1000 to 0x1fff.
std::optional<Dhcp6Server::Settings> settings_of(const stack::InterfaceRow& row) {
  const auto own = std::ranges::find_if(row.addresses, [](const IpPrefix& each) {
    return each.address.is_v6() && !each.address.is_link_local() && each.length <= 112;
  });
  if (own == row.addresses.end()) return std::nullopt;
  Dhcp6Server::Settings settings;
  settings.duid = dhcp6::duid_of(row.mac);
  settings.network = {own->network(), own->length};
  std::array<std::uint8_t, 16> bytes = own->network().bytes();
  bytes[14] = 0x10;
  settings.first = IpAddress::from_v6_bytes(bytes.data());
  bytes[14] = 0x1f;
  bytes[15] = 0xff;
  settings.last = IpAddress::from_v6_bytes(bytes.data());
  return settings;
}

// What the command line adds; the problem in words, empty if there is none.
std::string take_options(Arguments& arguments, Dhcp6Server::Settings& settings) {
  const auto lease = arguments.number("--lease", 3600, 60, dhcp6::for_ever_s - 1);
  settings.lease = Duration::seconds(static_cast<std::int64_t>(lease));
  settings.preference = static_cast<std::uint8_t>(arguments.number("--preference", 0, 0, 255));
  if (const auto pool = arguments.value("--pool")) {
    const std::size_t dash = std::min(pool->find('-'), pool->size());
    const auto first = IpAddress::parse(pool->substr(0, dash));
    const auto last = IpAddress::parse(pool->substr(std::min(dash + 1, pool->size())));
    const bool is_good = first && last && *first <= *last && settings.network.contains(*first) &&
                         settings.network.contains(*last);
    if (!is_good) return fmt::format("--pool: '{}' is not FIRST-LAST of the link's network", *pool);
    settings.first = *first;
    settings.last = *last;
  }
  if (const auto server = arguments.value("--dns")) {
    const auto address = IpAddress::parse(*server);
    if (!address || !address->is_v6()) return fmt::format("--dns: '{}' is no address", *server);
    settings.name_servers.push_back(*address);
  }
  return arguments.problem();
}

int run_server(Process& process, Arguments& arguments) {
  const auto interface = interface_in(process, arguments);
  if (!interface) return fail(process, "no such interface");
  auto settings = settings_of(*process.sockets().stack().interface(*interface));
  if (!settings) return fail(process, "the interface has no global address");
  const std::string problem = take_options(arguments, *settings);
  if (!problem.empty()) return wrong_usage(process, "dhcp6", problem);
  auto socket = dhcp_socket(process, dhcp6::server_port, *interface);
  if (!socket) return fail(process, fmt::format("port 547: {}", errno_text(socket.error())));
  socket::Group group;
  group.group = dhcp6::all_servers();
  group.interface = *interface;
  (void)socket->set_option(Option::join_group, group);
  Dhcp6Server server(std::move(*settings));
  std::vector<std::uint8_t> buffer(buffer_bytes);
  while (true) {
    const auto received = socket->recvfrom(buffer);
    if (!received) continue;
    const auto message = dhcp6::parse(Bytes(buffer).first(received->bytes));
    // RFC 8415 16: a Solicit to one server alone is nothing; ours speak to all of them.
    if (!message || !received->facts.local.is_multicast()) continue;
    const auto answer = server.on_message(process.now(), *message);
    if (answer) (void)socket->sendto(dhcp6::write(*answer), received->facts.peer);
  }
}

}  // namespace

int dhcp6(Process& process, std::span<const std::string> all) {
  Arguments arguments(all.subspan(1),
                      {.with_value = {"--for", "--pool", "--lease", "--dns", "--preference"},
                       .without_value = {"--information"},
                       .words_min = 1,
                       .words_max = 2});
  if (!arguments.problem().empty()) return wrong_usage(process, "dhcp6", arguments.problem());
  const std::string& verb = arguments.words()[0];
  if (verb == "client") return run_client(process, arguments);
  if (verb == "serve") return run_server(process, arguments);
  return wrong_usage(process, "dhcp6", "say 'client' or 'serve'");
}

}  // namespace lanyard::application
