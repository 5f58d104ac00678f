// SPDX-License-Identifier: Apache-2.0
// The neighbours on one wire: protocol addresses and the MAC addresses behind them, with the states
// of RFC 4861 7.3 for IPv6 and for ARP alike. The table builds no packet: it says whom to solicit,
// which packets may go now and which never will, in outcomes(); link/arp and internet/ndp do it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/packet.hh"
#include "core/random.hh"
#include "core/time.hh"
#include "link/config.hh"
#include "link/neighbour_values.hh"
#include "wire/address.hh"

namespace lanyard::link {

class NeighbourTable {
 public:
  NeighbourTable(const Config& config, RandomStream chance);

  // The MAC address to send to now; nothing if it must be found out first: then hold() the packet.
  [[nodiscard]] std::optional<MacAddress> resolve(Instant now, const IpAddress& address);
  // Keeps a packet until `address` is resolved, and has it solicited if it is not being already.
  void hold(Instant now, const IpAddress& address, Packet packet, const IpAddress& source);

  // An NA, or an ARP reply to us. Nothing happens for an unknown neighbour.
  void on_advertisement(Instant now, const IpAddress& address, const Advertisement& heard);
  // A neighbour spoke to us and gave its MAC address (NS, RS, RA, Redirect, ARP request).
  void on_spoken_to(Instant now, const IpAddress& address, const MacAddress& mac);
  // As on_spoken_to, but only for a neighbour that is known already (RFC 826's merge).
  void on_overheard(Instant now, const IpAddress& address, const MacAddress& mac);
  void set_router(const IpAddress& address, bool is_router);
  // Upper layers made progress through this neighbour.
  void confirm(Instant now, const IpAddress& address);

  void add_permanent(const IpAddress& address, const MacAddress& mac);
  void forget(const IpAddress& address);
  // The link went down, or the interface lost its addresses: all but permanent entries go.
  void forget_all();
  // ReachableTime and RetransTimer as a router advertises them.
  void set_reachable_time(Duration base);
  void set_retransmit_interval(Duration interval) { retransmit_interval_ = interval; }

  void poll(Instant now);
  [[nodiscard]] Instant next_deadline() const;
  [[nodiscard]] Outcomes& outcomes() { return outcomes_; }

  struct Row {
    IpAddress address;
    MacAddress mac;
    NeighbourState state;
    bool is_router;
  };
  [[nodiscard]] std::optional<Row> find(Instant now, const IpAddress& address) const;
  // All entries, by address.
  [[nodiscard]] std::vector<Row> rows(Instant now) const;
  [[nodiscard]] std::size_t size() const { return by_address_.size(); }

 private:
  using Index = std::uint32_t;
  static constexpr Index none = ~Index{0};
  using TimerKey = std::pair<Instant, std::uint64_t>;
  struct Entry {
    IpAddress address;
    MacAddress mac;
    NeighbourState state = NeighbourState::incomplete;
    bool is_router = false;
    std::uint32_t solicitations = 0;
    Instant reachable_until, last_used;
    TimerKey timer{Instant::never(), 0};
    IpAddress source;
    std::vector<Packet> held;
    Index newer = none, older = none;
  };
  // A list in order of use. Unresolved entries have their own, and are the first to be evicted.
  struct List {
    Index newest = none, oldest = none;
  };

  Entry* entry_of(const IpAddress& address);
  Entry& create(Instant now, const IpAddress& address);
  void erase(Index index);
  void make_room();
  void learn(Instant now, Entry& entry, const MacAddress& mac, NeighbourState state);
  void set_state(Entry& entry, NeighbourState state);
  void set_reachable(Instant now, Entry& entry);
  void solicit(Instant now, Entry& entry);
  void give_up(Entry& entry);
  void on_timer(Instant now, Entry& entry);
  void arm(Entry& entry, Instant deadline);
  void stop(Entry& entry);
  void make_newest(Entry& entry);
  void link_in(Index index);
  void link_out(Index index);
  [[nodiscard]] List& list_of(const Entry& entry);
  [[nodiscard]] Index index_of(const Entry& entry) const;
  [[nodiscard]] static NeighbourState state_at(const Entry& entry, Instant now);
  [[nodiscard]] Row row_of(const Entry& entry, Instant now) const;
  void drop_oldest_held(Entry& entry);

  Config config_;
  RandomStream chance_;
  Duration reachable_time_, retransmit_interval_;
  std::unordered_map<IpAddress, Index> by_address_;
  std::vector<Entry> entries_;
  Index latest_ = none;  // the entry found last: packets come in runs
  std::vector<Index> free_;
  List resolved_, unresolved_;
  std::map<TimerKey, Index> timers_;
  std::uint64_t next_timer_ = 0;
  std::size_t held_packets_ = 0;
  Outcomes outcomes_;
};

}  // namespace lanyard::link
