// SPDX-License-Identifier: Apache-2.0
#include "transport/tcp/numbers.hh"

#include <algorithm>
#include <array>

#include "core/bytes.hh"

namespace lanyard::tcp {

std::uint64_t hash_of(const SipKey& key, const Endpoint& local, const Endpoint& remote) {
  std::array<std::uint8_t, 36> tuple{};
  std::copy_n(local.address.bytes().begin(), 16, tuple.begin());
  std::copy_n(remote.address.bytes().begin(), 16, tuple.begin() + 16);
  store16(tuple.data() + 32, local.port);
  store16(tuple.data() + 34, remote.port);
  return siphash(key, tuple);
}

SequenceNumber Numbers::initial_sequence(Instant now, const Endpoint& local,
                                         const Endpoint& remote) const {
  const auto ticks = static_cast<std::uint64_t>(now.count_ns()) / 4000;
  return SequenceNumber(static_cast<std::uint32_t>(ticks + hash_of(sequence_key_, local, remote)));
}

std::uint32_t Numbers::clock_offset(const IpAddress& local, const IpAddress& remote) {
  if (!latest_.is_set || latest_.local != local || latest_.remote != remote) {
    const std::uint64_t hash = hash_of(clock_key_, {local, 0, 0}, {remote, 0, 0});
    latest_ = {local, remote, static_cast<std::uint32_t>(hash), true};
  }
  return latest_.offset;
}

}  // namespace lanyard::tcp
