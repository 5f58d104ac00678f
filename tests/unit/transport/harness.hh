// SPDX-License-Identifier: Apache-2.0
// Two machines' TCP (or one, and a test that plays the peer) joined by a link in virtual time that
// can delay, lose, repeat and reorder. A segment a test looks at or makes up is a `Seg`.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "transport/tcp/tcp.hh"
#include "wire/tcp.hh"

namespace lanyard::test {

using namespace literals;

// Routes of a machine with one address per family: everything is on-link.
class FakePaths : public internet::Paths {
 public:
  std::set<IpAddress> own;
  std::uint32_t mtu = 1500;
  bool takes_checksums = false;
  std::uint32_t super_segment_bytes_max = 0;
  std::optional<Errno> failure;
  std::map<IpAddress, std::uint32_t> path_mtus;
  int confirmed = 0;

  Result<internet::Path> find(const IpAddress& destination, const IpAddress& source,
                              std::uint32_t interface) const override;
  bool is_own_address(const IpAddress& address, std::uint32_t interface) const override;
  bool is_broadcast(const IpAddress& address) const override;
  void confirm_reachable(Instant now, const IpAddress& destination) override;
};

// One machine.
struct Host {
  explicit Host(const IpAddress& address, std::uint64_t seed,
                const transport::Config& config = transport::Config());
  transport::Config config;
  Trace trace;  // nobody watches it unless a test does
  FakePaths paths;
  internet::Outbox out;
  tcp::Tcp tcp;
  IpAddress address;
};

// A segment read from, or to be put on, the wire.
struct Seg {
  tcp::Header header;
  std::string text;
  IpAddress source, destination;
  std::uint16_t segment_bytes = 0;
};
Seg read_segment(const internet::Datagram& datagram);
internet::Datagram copy_of(const internet::Datagram& datagram);
internet::Datagram make_segment(const Seg& segment);
std::string describe(const Seg& segment);

// What the link does with a datagram: how often, and how much later than usual, it comes.
struct Fate {
  std::vector<Duration> copies{Duration::zero()};
};

// Two hosts and the link between them; also the clock.
class Pair : public tcp::Observer {
 public:
  explicit Pair(const transport::Config& config = transport::Config(), std::uint64_t seed = 1,
                bool is_v6 = false);
  Host a, b;
  Instant now;
  Duration delay = 10_ms;
  // Decides about every datagram; `from_a` says the direction. Default: arrives.
  std::function<Fate(bool from_a, const internet::Datagram&)> fate;
  // Sees every datagram that is sent.
  std::function<void(bool from_a, const internet::Datagram&)> tap;
  std::size_t sent = 0;

  // Runs until nothing is left to happen before `end`.
  void run_until(Instant end);
  void run_for(Duration duration) { run_until(now + duration); }
  // Moves what the hosts want sent onto the link.
  void flush();
  [[nodiscard]] Instant next_event() const;

  // A listener on b, a connection from a, accepted: both ends. `options` apply to both.
  struct Ends {
    tcp::ConnectionId a, b;
  };
  tcp::ListenerId listen(Port port = 80, std::uint32_t backlog = 16,
                         std::optional<tcp::Settings> settings = {});
  Ends establish(std::optional<tcp::Settings> settings = {});
  std::string read_all(Host& host, tcp::ConnectionId connection);
  tcp::ConnectionId connect(Port port = 80, std::optional<tcp::Settings> settings = {});

  int changes = 0;
  void on_connection_change(tcp::ConnectionId, tcp::Owner) override { ++changes; }
  void on_listener_change(tcp::ListenerId, tcp::Owner) override { ++changes; }

 private:
  void step(Instant at);
  std::multimap<Instant, std::pair<bool, internet::Datagram>> link_;  // bool: from a
};

std::string pattern(std::size_t size, std::uint64_t seed = 7);
Bytes as_bytes(const std::string& text);

}  // namespace lanyard::test
