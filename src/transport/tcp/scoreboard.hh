// SPDX-License-Identifier: Apache-2.0
// What the peer says it holds beyond its cumulative acknowledgment (RFC 2018 4), and what RFC 6675
// concludes from it. The work for one ACK is bounded by ranges_max.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "wire/sequence.hh"
#include "wire/tcp_options.hh"

namespace lanyard::tcp {

class Scoreboard {
 public:
  // Takes the blocks that lie in (una, nxt]; others are ignored (BI-54). Returns the bytes that
  // were not known before.
  std::uint32_t add(std::span<const SackBlock> blocks, SequenceNumber una, SequenceNumber nxt);
  // Forgets what the cumulative acknowledgment covers.
  void advance(SequenceNumber una);
  void clear();

  [[nodiscard]] bool is_empty() const { return ranges_.empty(); }
  [[nodiscard]] std::uint32_t bytes() const { return bytes_; }
  // How many of [from, to) are held by the peer.
  [[nodiscard]] std::uint32_t bytes_in(SequenceNumber from, SequenceNumber to) const;
  // RFC 6675 4 IsLost: octets below this, if not held by the peer, are lost: three ranges or more
  // than two segments lie above them. `una` when none are.
  [[nodiscard]] SequenceNumber lost_edge(SequenceNumber una, std::uint32_t mss) const;
  // The first run of octets not held by the peer in [from, to).
  [[nodiscard]] std::optional<SackBlock> hole(SequenceNumber from, SequenceNumber to) const;
  [[nodiscard]] std::size_t ranges() const { return ranges_.size(); }

  static constexpr std::size_t ranges_max = 256;  // BI-53

 private:
  bool add_one(SackBlock block);
  std::vector<SackBlock> ranges_;  // ascending, apart
  std::uint32_t bytes_ = 0;
};

}  // namespace lanyard::tcp
