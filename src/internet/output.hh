// SPDX-License-Identifier: Apache-2.0
// Packets on their way out: the next hop and the source are chosen, the header is written,
// fragments are cut, the neighbour is found. Internal to internet/.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "internet/datagram.hh"
#include "internet/shared.hh"

namespace lanyard::internet {

// Where a packet goes next.
struct Hop {
  enum class Kind : std::uint8_t { local, unicast, broadcast, multicast };
  Kind kind = Kind::unicast;
  Interface* interface = nullptr;
  IpAddress next;    // the neighbour, of a unicast
  IpAddress source;  // ours
  std::uint32_t mtu = 0;
  bool must_fragment = false;  // see PathMtu::is_floor
};

class Output {
 public:
  explicit Output(Shared& shared);

  // See Paths::find for the arguments and errors.
  [[nodiscard]] Result<Hop> choose(const IpAddress& destination, const IpAddress& source,
                                   std::uint32_t interface) const;
  // The same if it was asked for lately and nothing has changed since; else null.
  [[nodiscard]] const Hop* recall(const IpAddress& destination, const IpAddress& source,
                                  std::uint32_t interface) const;
  Result<void> send(Instant now, Datagram&& datagram);
  // The datagram's packet begins with an IPv4 header of the program's own, which is in bounds.
  Result<void> send_with_header(Instant now, Datagram&& datagram);
  // One packet with its IP header, no longer than the link takes.
  void transmit(Instant now, const Hop& hop, Packet&& packet);
  // A datagram of another machine that is longer than the link takes, cut as RFC 791 3.2 says.
  void transmit_fragments(Instant now, const Hop& hop, Packet&& packet);
  // Performs what the interface's neighbour table asks for.
  void work_off(Instant now, Interface& interface);
  // Packets for neighbours that did not answer, with their IP headers, for an ICMP error.
  struct Undeliverable {
    std::uint32_t interface;
    Packet packet;
  };
  [[nodiscard]] std::vector<Undeliverable> take_undeliverable();
  // Does the packet fit, as one or as a super-segment once it is cut?
  [[nodiscard]] static bool fits(const Hop& hop, const Packet& packet, std::size_t header_bytes);

  // An address of this interface to speak from to `target`; unspecified if there is none.
  [[nodiscard]] IpAddress address_towards(const Interface& interface, const IpAddress& target,
                                          const IpAddress& hint) const;
  // A neighbour solicitation (RFC 4861 4.3) to everybody who might be `target`, or to one.
  void solicit(Instant now, Interface& interface, const link::Outcomes::Solicitation& wanted);

 private:
  using Chosen = Result<Hop>;
  [[nodiscard]] Chosen choose_anew(const IpAddress& destination, const IpAddress& source,
                                   std::uint32_t interface) const;
  [[nodiscard]] Chosen choose_local(const IpAddress& destination, const IpAddress& source) const;
  [[nodiscard]] Chosen choose_group(const IpAddress& destination, const IpAddress& source,
                                    std::uint32_t interface) const;
  [[nodiscard]] Chosen choose_unicast(const IpAddress& destination, const IpAddress& source,
                                      std::uint32_t interface) const;
  [[nodiscard]] Chosen with_source(Hop hop, const IpAddress& destination,
                                   const IpAddress& source) const;
  [[nodiscard]] const Interface* group_interface(const IpAddress& destination,
                                                 const IpAddress& source,
                                                 std::uint32_t interface) const;
  [[nodiscard]] std::optional<IpAddress> select(const Hop& hop, const IpAddress& destination) const;

  [[nodiscard]] bool send_plain(Instant now, const Hop& hop, Datagram& datagram);
  Result<void> send_v4(Instant now, const Hop& hop, Datagram& datagram);
  Result<void> send_v6(Instant now, const Hop& hop, Datagram& datagram);
  void send_v6_fragments(Instant now, const Hop& hop, const Datagram& datagram,
                         std::uint8_t hop_limit);
  void send_copies(Instant now, const Hop& hop, const Datagram& datagram, const Packet& packet);
  [[nodiscard]] std::uint8_t hop_limit_of(const Hop& hop, const Datagram& datagram) const;
  [[nodiscard]] std::uint32_t flow_label_of(const Datagram& datagram) const;
  [[nodiscard]] std::uint32_t next_identification(const IpAddress& source,
                                                  const Datagram& datagram);
  void put_on_link(Instant now, Interface& interface, const MacAddress& to, Packet&& packet);

  Shared& shared_;
  SipKey flow_key_, identification_key_;
  std::array<std::uint32_t, 64> identifications_{};
  // Whom the latest identification was between, and their hash.
  struct Identified {
    IpAddress source, destination;
    Protocol protocol{};
    std::uint64_t hash = 0;
  };
  Identified identified_;
  std::vector<Undeliverable> undeliverable_;
  // The latest ways chosen, true as long as nothing changes.
  struct Remembered {
    std::uint64_t version = 0;
    IpAddress destination, source;
    std::uint32_t interface = 0;
    Hop hop;
  };
  [[nodiscard]] Remembered& place_of(const IpAddress& destination, const IpAddress& source,
                                     std::uint32_t interface) const;
  mutable std::array<Remembered, 4> remembered_;
};

}  // namespace lanyard::internet
