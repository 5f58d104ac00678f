// SPDX-License-Identifier: Apache-2.0
// The internet layer of one machine: addresses, routes, neighbours, IPv4, IPv6, ICMP. Packets and
// time come in as arguments; frames, datagrams and reasons go out through Machine. To read it:
// input.hh (what comes), output.hh (what goes), then icmp.hh, ndp.hh, addressing.hh.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/random.hh"
#include "internet/config.hh"
#include "internet/datagram.hh"
#include "internet/interfaces.hh"
#include "internet/machine.hh"
#include "internet/routes.hh"
#include "link/config.hh"

namespace lanyard::internet {

// What an interface is to be (see stack/config.hh).
struct InterfaceSetup {
  link::Interface link;
  bool makes_link_local = true;
  bool solicits_routers = true;
  bool checks_duplicates = false;
  bool advertises = false;
};

class Network final : public Paths {
 public:
  // The loopback interface, 1, is there at once.
  Network(const Config& config, const link::Config& links, const Seed& seed, Machine& machine);
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  std::uint32_t add_interface(Instant now, const InterfaceSetup& setup);
  void set_link_up(Instant now, std::uint32_t interface, bool is_up);
  void set_mtu(std::uint32_t interface, std::uint32_t mtu);
  void add_address(Instant now, std::uint32_t interface, const IpPrefix& prefix);
  void remove_address(Instant now, std::uint32_t interface, const IpAddress& address);
  void add_route(const Route& route);
  std::size_t remove_route(const Route& route);
  // One listener's filter for a group: `before` goes, `after` comes (nothing: it did not listen, or
  // no longer does). Interface 0: the one a route to the group chooses.
  Result<void> listen(Instant now, std::uint32_t interface, const IpAddress& group,
                      const std::optional<SourceFilter>& before,
                      const std::optional<SourceFilter>& after);

  // Driving. An IP packet (its version says which), and an ARP message, without their frames.
  // True: it was sent on, and no deadline became earlier.
  bool on_packet(Instant now, const Arrival& arrival, Packet&& packet);
  void on_arp(Instant now, const Arrival& arrival, const Packet& packet);
  Result<void> send(Instant now, Datagram&& datagram);
  // A packet that brings its own IPv4 header. Errors: those of find; message_too_long.
  Result<void> send_with_header(Instant now, Datagram&& datagram);
  void poll(Instant now);
  [[nodiscard]] Instant next_deadline() const;

  // Paths.
  [[nodiscard]] Result<Path> find(const IpAddress& destination, const IpAddress& source,
                                  std::uint32_t interface) const override;
  [[nodiscard]] std::uint64_t version() const override;
  [[nodiscard]] bool is_own_address(const IpAddress& address,
                                    std::uint32_t interface) const override;
  [[nodiscard]] bool is_broadcast(const IpAddress& address) const override;
  void confirm_reachable(Instant now, const IpAddress& destination) override;

  [[nodiscard]] Interfaces& interfaces();
  [[nodiscard]] const Interfaces& interfaces() const;
  [[nodiscard]] const RouteTable& routes() const;
  // Bytes held for datagrams that are not whole yet.
  [[nodiscard]] std::size_t reassembly_bytes() const;

 private:
  struct Parts;
  [[nodiscard]] Result<std::uint32_t> group_interface(std::uint32_t interface,
                                                      const IpAddress& group) const;
  void settle(Instant now);
  std::unique_ptr<Parts> parts_;
};

}  // namespace lanyard::internet
