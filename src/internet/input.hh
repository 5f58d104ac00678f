// SPDX-License-Identifier: Apache-2.0
// Packets that came: checked, then delivered here, forwarded, or dropped with a reason. Internal to
// internet/.
#pragma once

#include <cstdint>
#include <vector>

#include "internet/flows.hh"
#include "internet/groups.hh"
#include "internet/icmp.hh"
#include "internet/ndp.hh"
#include "internet/output.hh"
#include "internet/reassembly.hh"
#include "internet/shared.hh"
#include "wire/ipv4.hh"
#include "wire/ipv6.hh"
#include "wire/ipv6_extensions.hh"

namespace lanyard::internet {

class Input {
 public:
  Input(Shared& shared, Output& output, Icmp& icmp, Ndp& ndp, Groups& groups);

  // `packet` begins at its IP header and may end in padding.
  void on_ipv4(Instant now, const Arrival& arrival, Packet&& packet);
  // What became of a packet whose ends may be known: `onward`: it was sent on, and no deadline
  // became earlier; `handled`: up or on, and no table but the neighbours' was touched.
  enum class Passed : std::uint8_t { no, handled, onward };
  // `no`: nothing was done, and on_ipv4() is to have it.
  [[nodiscard]] Passed pass_plainly(Instant now, const Arrival& arrival, Packet& packet);
  void on_ipv6(Instant now, const Arrival& arrival, Packet&& packet);

  void poll(Instant now);
  [[nodiscard]] Instant next_deadline() const { return reassembly_.next_deadline(); }
  [[nodiscard]] const Reassembly& reassembly() const { return reassembly_; }

 private:
  void drop(Instant now, const Arrival& arrival, DropReason reason, const Packet& packet);
  void refuse(Instant now, const Complaint& complaint, DropReason reason, const Packet& packet);
  void deliver(Instant now, const Arrival& arrival, Datagram& datagram, Bytes header,
               std::size_t named_at, bool was_fragmented);
  // To whoever the protocol names; what nobody takes is dropped, and complained of.
  void hand_to_transport(Instant now, const Arrival& arrival, Datagram& datagram, Bytes header,
                         std::size_t named_at);
  [[nodiscard]] DropReason on_control(Instant now, const Arrival& arrival, Datagram& datagram,
                                      Bytes header, bool was_fragmented);
  void take_given_up(Instant now);
  [[nodiscard]] bool is_broadcast_on(const IpAddress& address, std::uint32_t interface) const;

  [[nodiscard]] bool has_way_back(const IpAddress& source, const Arrival& arrival) const;

  // IPv4.
  [[nodiscard]] DropReason check_source_v4(const ipv4::View& view, const Arrival& arrival);
  enum class Way : std::uint8_t { here, onward, nowhere };
  struct Judged {
    Way way;
    DropReason reason;
  };
  [[nodiscard]] Judged judge_v4(const ipv4::View& view, const Arrival& arrival);
  void deliver_v4(Instant now, const Arrival& arrival, Packet&& packet, const ipv4::View& view);
  [[nodiscard]] bool hand_up_plain(Instant now, const Arrival& arrival, Packet& packet);
  void hand_up_v4(Instant now, const Arrival& arrival, const ipv4::View& view, Packet&& payload,
                  bool was_fragmented);
  void on_fragment_v4(Instant now, const Arrival& arrival, Packet&& packet, const ipv4::View& view);
  [[nodiscard]] Passed forward_known(Instant now, const Arrival& arrival, Packet& packet);
  void forward_v4(Instant now, const Arrival& arrival, Packet&& packet, const ipv4::View& view);
  void redirect_v4(Instant now, const Arrival& arrival, const Packet& packet,
                   const ipv4::View& view, const NextHop& route);

  // IPv6.
  [[nodiscard]] Judged judge_v6(const ipv6::View& view, const Arrival& arrival) const;
  void deliver_v6(Instant now, const Arrival& arrival, Packet&& packet, const ipv6::WalkFrom& from,
                  bool was_fragmented);
  void hand_up_v6(Instant now, const Arrival& arrival, Packet&& packet, const ipv6::Walk& walk,
                  bool was_fragmented);
  void on_walk_problem(Instant now, const Arrival& arrival, const Packet& packet,
                       const ipv6::Walk& walk);
  void on_fragment_v6(Instant now, const Arrival& arrival, Packet&& packet, const ipv6::Walk& walk);
  [[nodiscard]] bool has_whole_chain(const ipv6::View& view, const ipv6::Walk& walk,
                                     std::uint8_t next_header) const;
  void on_whole_v6(Instant now, const Arrival& arrival, Reassembled whole);
  void forward_v6(Instant now, const Arrival& arrival, Packet&& packet, const ipv6::View& view);

  Shared& shared_;
  Output& output_;
  Icmp& icmp_;
  Ndp& ndp_;
  Groups& groups_;
  Reassembly reassembly_;
  // The latest source of IPv4 that passed check_source_v4, and the latest destination that is ours;
  // true as long as addresses stay.
  struct Known {
    std::uint64_t version = 0;
    IpAddress address;
    std::uint32_t interface = 0;
    bool is_host = false;  // and it is one host's on every interface
    [[nodiscard]] bool is(std::uint64_t now, const IpAddress& wanted, std::uint32_t on) const {
      return version == now && interface == on && address == wanted;
    }
  };
  Known good_source_, good_destination_;
  // The two of the latest datagram that was plain, as they lie in its header.
  struct KnownPair {
    std::uint64_t version = 0;
    std::uint64_t raw = 0;
    std::uint32_t interface = 0;
    IpAddress source, destination;
  };
  KnownPair plain_;
  Flows flows_;
  std::vector<std::uint8_t> header_;  // of the packet being delivered; kept to save allocations
};

}  // namespace lanyard::internet
