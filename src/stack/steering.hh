// SPDX-License-Identifier: Apache-2.0
// Receive hashing in software: which of several stacks that share one machine's addresses (its
// shards, each on its own thread) a frame is for. A conversation stays on one shard for its life.
//   to an ephemeral port of ours   the shard that chose the port: each has its part of the range
//   to any other port of ours      by a keyed hash of the 4-tuple; every shard has the server
//   ICMP errors                    where the packet they quote belongs
//   fragments, ARP, NDP, groups    every shard; whole datagrams of others are dropped there
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/bytes.hh"
#include "core/random.hh"
#include "internet/datagram.hh"
#include "transport/config.hh"
#include "wire/address.hh"

namespace lanyard::stack {

class Steering {
 public:
  // For `shards` shards (1 to 256), whose ephemeral ports together are the range of `machine`.
  Steering(const Seed& seed, unsigned shards, const transport::Config& machine);

  static constexpr unsigned every = ~0U;

  [[nodiscard]] unsigned shards() const { return shards_; }
  // The shard a frame that came is for, or `every`. `front`: its first bytes, headers included; one
  // that is malformed is the first shard's, which counts it.
  [[nodiscard]] unsigned shard_of(Bytes front, std::size_t frame_size) const;
  // The same for a conversation, seen from this machine.
  [[nodiscard]] unsigned shard_of(internet::Protocol protocol, const Endpoint& local,
                                  const Endpoint& remote) const;
  // Which shard's the identifier of an ICMP echo socket is.
  [[nodiscard]] unsigned shard_of_echo(std::uint16_t identifier) const;
  // For a datagram that was delivered, its packet beginning at the transport header.
  [[nodiscard]] unsigned shard_of(const internet::Datagram& datagram) const;
  // What a shard's stack is configured with: its part of the ephemeral ports.
  [[nodiscard]] transport::Config config_of(unsigned shard, transport::Config machine) const;

  // Whether a frame to be sent answers or asks for the machine as a whole: ARP replies and probes,
  // neighbour advertisements, duplicate checks, router solicitations and advertisements. The first
  // shard sends those for all.
  [[nodiscard]] static bool speaks_for_machine(Bytes front, std::size_t frame_size);

 private:
  [[nodiscard]] bool is_chosen(Port port) const { return port >= first_port_ && port < end_port_; }
  [[nodiscard]] unsigned shard_that_chose(Port port) const;
  [[nodiscard]] unsigned shard_of_tuple(std::span<const std::uint64_t> tuple) const;
  [[nodiscard]] unsigned shard_of_plain(Bytes front, std::size_t frame_size) const;
  [[nodiscard]] unsigned shard_of_v4(Bytes front, std::size_t size) const;
  [[nodiscard]] unsigned shard_of_v6(Bytes front, std::size_t size) const;
  [[nodiscard]] unsigned shard_of_transport(std::uint8_t protocol, const IpAddress& local,
                                            const IpAddress& remote, Bytes transport) const;
  [[nodiscard]] unsigned shard_of_quoted(Bytes icmp, Family family) const;

  SipKey key_;
  unsigned shards_;
  std::uint32_t first_port_, end_port_, width_;  // of the ephemeral range; of one shard's part
  std::uint64_t
      part_of_port_;  // 2^32 / width_, so that no port is divided by it: rounded up it is exact
};

}  // namespace lanyard::stack
