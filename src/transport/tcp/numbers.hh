// SPDX-License-Identifier: Apache-2.0
// The numbers that connections begin with, which nobody outside can guess.
#pragma once

#include <cstdint>

#include "core/random.hh"
#include "core/time.hh"
#include "wire/address.hh"
#include "wire/sequence.hh"

namespace lanyard::tcp {

class Numbers {
 public:
  Numbers(const SipKey& sequence_key, const SipKey& clock_key)
      : sequence_key_(sequence_key), clock_key_(clock_key) {}
  // RFC 9293 3.4.1 [MUST-8] [MUST-9] [SHLD-1], [RFC6528-3-a]: a clock of four microseconds a tick
  // plus a keyed function of the 4-tuple.
  [[nodiscard]] SequenceNumber initial_sequence(Instant now, const Endpoint& local,
                                                const Endpoint& remote) const;
  // [RFC7323-5.4-a]: an offset for each pair of hosts, so that the clock says nothing about the
  // machine yet grows from one connection to the next (RFC 6191).
  [[nodiscard]] std::uint32_t clock_offset(const IpAddress& local, const IpAddress& remote);

 private:
  SipKey sequence_key_, clock_key_;
  struct {
    IpAddress local, remote;
    std::uint32_t offset = 0;
    bool is_set = false;
  } latest_;  // the pair asked for last
};

// The clock of the timestamps (RFC 7323 5.4): milliseconds, from the offset of a pair of hosts.
[[nodiscard]] inline std::uint32_t timestamp_clock(Instant now, std::uint32_t offset) {
  return static_cast<std::uint32_t>(now.since_start().count_ms()) + offset;
}

// A keyed hash of both ends, their ports included.
[[nodiscard]] std::uint64_t hash_of(const SipKey& key, const Endpoint& local,
                                    const Endpoint& remote);

}  // namespace lanyard::tcp
