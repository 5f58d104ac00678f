// SPDX-License-Identifier: Apache-2.0
// SYN cookies (RFC 4987 3.6): what a SYN said, kept in the numbers of the SYN,ACK instead of here,
// so that a flood of SYNs finds nothing to fill. The sequence number holds the MSS and a keyed sum;
// the low bits of the timestamp hold window scale, SACK and ECN.
#pragma once

#include <cstdint>
#include <optional>

#include "core/random.hh"
#include "core/time.hh"
#include "wire/address.hh"
#include "wire/sequence.hh"
#include "wire/tcp_options.hh"

namespace lanyard::tcp {

struct CookieFacts {
  std::uint16_t mss = 536;
  std::optional<std::uint8_t> window_scale{};
  bool sack_permitted = false;
  bool has_ecn = false;
};

class SynCookies {
 public:
  explicit SynCookies(const SipKey& key) : key_(key) {}
  // The sequence number of the SYN,ACK. A cookie is good for one to two minutes.
  [[nodiscard]] SequenceNumber make(Instant now, const Endpoint& local, const Endpoint& remote,
                                    SequenceNumber irs, std::uint16_t mss) const;
  // The MSS in a cookie of ours.
  [[nodiscard]] std::optional<std::uint16_t> check(Instant now, const Endpoint& local,
                                                   const Endpoint& remote, SequenceNumber irs,
                                                   SequenceNumber iss) const;
  // A timestamp not after `clock` that holds the rest; and what one holds.
  [[nodiscard]] static std::uint32_t timestamp(std::uint32_t clock, const CookieFacts& facts);
  static void read_timestamp(std::uint32_t echo, CookieFacts& facts);

 private:
  [[nodiscard]] std::uint32_t sum(const Endpoint& local, const Endpoint& remote, SequenceNumber irs,
                                  std::uint64_t minute, std::uint32_t mss_index) const;
  SipKey key_;
};

}  // namespace lanyard::tcp
