// SPDX-License-Identifier: Apache-2.0
// traceroute(8) with UDP probes: the hop limit grows by one, each router that drops a probe says so
// (Time Exceeded), and the host itself says that nobody listens on the port (Port Unreachable).
// Read from the socket's error queue.
#include <fmt/format.h>

#include "application/programs.hh"
#include "application/resolver.hh"

namespace lanyard::application {

namespace {

using socket::Option;
using socket::Process;
using socket::QueuedError;
using socket::Socket;
using socket::Type;

constexpr Port first_port = 33434;

struct Probe {
  std::optional<QueuedError> error;
  Duration took;
};

Probe send_probe(Process& process, const IpAddress& address, std::int64_t hops, Port port) {
  Socket socket(process, address.family(), Type::datagram);
  (void)socket.set_option(Option::hop_limit, hops);
  (void)socket.set_option(Option::receive_errors, std::int64_t{1});
  const Instant sent_at = process.now();
  const Instant give_up = sent_at + Duration::seconds(1);
  if (!socket.sendto(bytes_of("lanyard traceroute"), {address, port})) return {};
  std::vector<std::uint8_t> buffer(512);
  while (process.now() < give_up) {
    if (auto error = process.sockets().take_error(socket.handle())) {
      return {std::move(error), process.now() - sent_at};
    }
    socket.set_timeout(give_up - process.now());
    (void)socket.recvfrom(buffer);  // wakes with the error pending, or at the time-out
  }
  return {};
}

// True when the probe reached its destination.
bool is_arrival(const QueuedError& error, const IpAddress& address) {
  return error.reporter == address || error.error == Errno::connection_refused;
}

}  // namespace

int traceroute(Process& process, std::span<const std::string> all) {
  Arguments arguments(
      all.subspan(1),
      {.with_value = {"-m", "-q"}, .without_value = {"-4", "-6"}, .words_min = 1, .words_max = 1});
  const auto hops_max = static_cast<std::int64_t>(arguments.number("-m", 30, 1, 255));
  const auto probes = arguments.number("-q", 3, 1, 10);
  if (!arguments.problem().empty()) return wrong_usage(process, "traceroute", arguments.problem());
  const auto addresses = resolve(process, arguments.words()[0], wanted_family(arguments));
  if (!addresses) {
    process.print(2, fmt::format("traceroute: {}\n", addresses.error()));
    return 2;
  }
  const IpAddress address = addresses->front();
  process.print(1, fmt::format("traceroute to {} ({}), {} hops max\n", arguments.words()[0],
                               to_text(address), hops_max));
  Port port = first_port;
  for (std::int64_t hops = 1; hops <= hops_max; ++hops) {
    std::string line = fmt::format("{:2} ", hops);
    bool has_arrived = false;
    IpAddress named;
    for (std::uint64_t i = 0; i < probes; ++i) {
      const Probe probe = send_probe(process, address, hops, port++);
      if (!probe.error) {
        line += " *";
        continue;
      }
      if (probe.error->reporter != named) line += " " + to_text(named = probe.error->reporter);
      line +=
          fmt::format("  {}.{:03} ms", probe.took.count_us() / 1000, probe.took.count_us() % 1000);
      has_arrived = has_arrived || is_arrival(*probe.error, address);
    }
    process.print(1, line + "\n");
    if (has_arrived) return 0;
  }
  return 1;
}

}  // namespace lanyard::application
