// SPDX-License-Identifier: Apache-2.0
// ping(8) over an ICMP echo socket: the stack fills in checksum and identifier, and hands up only
// our replies.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "application/programs.hh"
#include "application/resolver.hh"
#include "core/bytes.hh"

namespace lanyard::application {

namespace {

using socket::DatagramFacts;
using socket::Option;
using socket::Process;
using socket::Socket;
using socket::Type;

constexpr std::size_t header_bytes = 8;  // type, code, checksum, identifier, sequence number

struct Wanted {
  IpAddress address;
  std::uint64_t count = 4;
  Duration interval;
  std::size_t data_bytes = 56;
};

struct Tally {
  std::uint64_t sent = 0, received = 0;
  Duration least = Duration::infinite(), most, sum;
};

std::string milliseconds(Duration duration) {
  return fmt::format("{}.{:03}", duration.count_us() / 1000, duration.count_us() % 1000);
}

std::vector<std::uint8_t> request(const Wanted& wanted, std::uint16_t sequence) {
  std::vector<std::uint8_t> message(header_bytes + wanted.data_bytes);
  message[0] = wanted.address.is_v4() ? 8 : 128;  // RFC 792 echo, RFC 4443 4.1
  store16(&message[6], sequence);
  for (std::size_t i = header_bytes; i < message.size(); ++i)
    message[i] = static_cast<std::uint8_t>(i);
  return message;
}

// What a router or the host said of a request, as ping(8) words it.
std::string text_of(const socket::QueuedError& error) {
  const bool is_v4 = error.reporter.is_v4();
  const bool is_hops = error.icmp_type == (is_v4 ? 11 : 3);  // RFC 792, RFC 4443 3.3
  const std::string what = !is_hops ? fmt::format("{}", errno_text(error.error))
                           : is_v4  ? "Time to live exceeded"
                                    : "Time exceeded: Hop limit";
  const std::string sequence = error.payload.size() < header_bytes
                                   ? ""
                                   : fmt::format(" icmp_seq={}", load16(&error.payload[6]));
  return fmt::format("From {}{} {}", to_text(error.reporter), sequence, what);
}

// Takes replies until `until`; each is told with its time.
void receive(Process& process, Socket& socket, const std::map<std::uint16_t, Instant>& sent_at,
             Tally& tally, Instant until) {
  std::vector<std::uint8_t> buffer(65536);
  while (process.now() < until) {
    socket.set_timeout(until - process.now());
    const auto received = socket.recvfrom(buffer);
    if (!received) {
      if (received.error() == Errno::try_again) return;
      bool is_told = false;
      for (; auto error = process.sockets().take_error(socket.handle()); is_told = true)
        process.print(1, text_of(*error) + "\n");
      if (!is_told) process.print(1, fmt::format("ping: {}\n", errno_text(received.error())));
      continue;
    }
    if (received->bytes < header_bytes) continue;
    const std::uint16_t sequence = load16(&buffer[6]);
    const auto asked = sent_at.find(sequence);
    if (asked == sent_at.end()) continue;
    const Duration took = process.now() - asked->second;
    ++tally.received;
    tally.least = std::min(tally.least, took);
    tally.most = std::max(tally.most, took);
    tally.sum += took;
    process.print(1, fmt::format("{} bytes from {}: icmp_seq={} ttl={} time={} ms\n",
                                 received->bytes, to_text(received->facts.peer.address), sequence,
                                 received->facts.hop_limit, milliseconds(took)));
    if (tally.received == tally.sent && until == Instant::never()) return;
    if (sequence == tally.sent && tally.received >= tally.sent) return;
  }
}

// The exit status.
int conclude(Process& process, const Tally& tally) {
  const std::uint64_t lost = tally.sent - std::min(tally.sent, tally.received);
  process.print(1, fmt::format("{} packets transmitted, {} received, {}% packet loss\n", tally.sent,
                               tally.received, lost * 100 / tally.sent));
  if (tally.received == 0) return 1;
  process.print(1, fmt::format("rtt min/avg/max = {}/{}/{} ms\n", milliseconds(tally.least),
                               milliseconds(tally.sum / static_cast<std::int64_t>(tally.received)),
                               milliseconds(tally.most)));
  return 0;
}

int run(Process& process, Socket& socket, const Wanted& wanted) {
  Tally tally;
  process.at_interrupt([&process, &tally] { return conclude(process, tally); });
  std::map<std::uint16_t, Instant> sent_at;
  for (std::uint64_t i = 1; i <= wanted.count; ++i) {
    const auto sequence = static_cast<std::uint16_t>(i);
    sent_at[sequence] = process.now();
    ++tally.sent;
    const Instant next = process.now() + wanted.interval;
    if (const auto sent = socket.sendto(request(wanted, sequence), {wanted.address, 0}); !sent) {
      if (sent.error() == Errno::access_denied) {  // without SO_BROADCAST
        process.print(2, "ping: Do you want to ping broadcast? Then -b.\n");
        return 2;
      }
      process.print(1, fmt::format("ping: sendto: {}\n", errno_text(sent.error())));
    }
    receive(process, socket, sent_at, tally,
            i == wanted.count ? process.now() + Duration::seconds(1) : next);
    if (i < wanted.count && process.now() < next) process.sleep(next - process.now());
  }
  return conclude(process, tally);
}

}  // namespace

int ping(Process& process, std::span<const std::string> all) {
  Arguments arguments(all.subspan(1), {.with_value = {"-c", "-i", "-s", "-t"},
                                       .without_value = {"-4", "-6", "-b"},
                                       .words_min = 1,
                                       .words_max = 1});
  Wanted wanted;
  wanted.count = arguments.number("-c", 4, 1, 65535);
  wanted.interval =
      Duration::milliseconds(static_cast<std::int64_t>(arguments.number("-i", 1000, 1, 3'600'000)));
  wanted.data_bytes = arguments.number("-s", 56, 0, 65507 - header_bytes);
  const auto hops = static_cast<std::int64_t>(arguments.number("-t", 64, 1, 255));
  if (!arguments.problem().empty()) return wrong_usage(process, "ping", arguments.problem());
  const std::string& name = arguments.words()[0];
  const auto addresses = resolve(process, name, wanted_family(arguments));
  if (!addresses) {
    process.print(2, fmt::format("ping: {}\n", addresses.error()));
    return 2;
  }
  wanted.address = addresses->front();
  // RFC 1122 3.2.1.3 (a): no destination; to ping(8), and to connect, it means this host.
  if (wanted.address.is_unspecified())
    wanted.address = IpAddress::loopback(wanted.address.family());
  constexpr int icmp = 1;
  constexpr int icmpv6 = 58;
  Socket socket(process, wanted.address.family(), Type::datagram,
                wanted.address.is_v4() ? icmp : icmpv6);
  (void)socket.set_option(Option::hop_limit, hops);
  (void)socket.set_option(Option::receive_errors, std::int64_t{1});
  if (arguments.has("-b")) (void)socket.set_option(Option::broadcast, std::int64_t{1});
  process.print(1, fmt::format("PING {} ({}) {} bytes of data\n", name, to_text(wanted.address),
                               wanted.data_bytes));
  return run(process, socket, wanted);
}

}  // namespace lanyard::application
