// SPDX-License-Identifier: Apache-2.0
#include "transport/tcp/syn_cookie.hh"

#include <algorithm>
#include <array>

#include "core/bytes.hh"

namespace lanyard::tcp {

namespace {

// The sizes there is room for: what Ethernet with and without tunnels, jumbo frames and the two
// families' least make.
constexpr std::array<std::uint16_t, 8> sizes{216, 536, 1220, 1300, 1400, 1440, 1460, 8940};
constexpr std::uint32_t minute_bits = 2, size_bits = 3;
constexpr std::uint32_t sum_bits = 32 - minute_bits - size_bits;
constexpr std::uint32_t sum_mask = (1U << sum_bits) - 1;
// In the timestamp: four bits of scale, of which 15 is none, SACK, ECN.
constexpr std::uint32_t fact_bits = 6;
constexpr std::uint32_t fact_mask = (1U << fact_bits) - 1;
constexpr std::uint32_t no_scale = 15, sack_bit = 16, ecn_bit = 32;

std::uint64_t minute_of(Instant now) {
  return static_cast<std::uint64_t>(now.count_ns()) / 60'000'000'000ULL;
}

}  // namespace

std::uint32_t SynCookies::sum(const Endpoint& local, const Endpoint& remote, SequenceNumber irs,
                              std::uint64_t minute, std::uint32_t mss_index) const {
  std::array<std::uint8_t, 49> facts{};
  std::copy_n(local.address.bytes().begin(), 16, facts.begin());
  std::copy_n(remote.address.bytes().begin(), 16, facts.begin() + 16);
  store16(facts.data() + 32, local.port);
  store16(facts.data() + 34, remote.port);
  store32(facts.data() + 36, irs.value());
  store32(facts.data() + 40, static_cast<std::uint32_t>(minute >> 32));
  store32(facts.data() + 44, static_cast<std::uint32_t>(minute));
  facts[48] = static_cast<std::uint8_t>(mss_index);
  return static_cast<std::uint32_t>(siphash(key_, facts)) & sum_mask;
}

SequenceNumber SynCookies::make(Instant now, const Endpoint& local, const Endpoint& remote,
                                SequenceNumber irs, std::uint16_t mss) const {
  std::uint32_t index = 0;
  while (index + 1 < sizes.size() && sizes[index + 1] <= mss) ++index;
  const std::uint64_t minute = minute_of(now);
  const auto low = static_cast<std::uint32_t>(minute) & 3;
  return SequenceNumber(low << 30 | index << sum_bits | sum(local, remote, irs, minute, index));
}

std::optional<std::uint16_t> SynCookies::check(Instant now, const Endpoint& local,
                                               const Endpoint& remote, SequenceNumber irs,
                                               SequenceNumber iss) const {
  const std::uint32_t index = iss.value() >> sum_bits & ((1U << size_bits) - 1);
  for (const std::uint64_t age : {0U, 1U}) {
    const std::uint64_t minute = minute_of(now) - age;
    if ((static_cast<std::uint32_t>(minute) & 3) != iss.value() >> 30) continue;
    if (sum(local, remote, irs, minute, index) == (iss.value() & sum_mask)) return sizes[index];
  }
  return std::nullopt;
}

std::uint32_t SynCookies::timestamp(std::uint32_t clock, const CookieFacts& facts) {
  std::uint32_t bits = std::min<std::uint32_t>(facts.window_scale.value_or(no_scale), no_scale);
  if (facts.sack_permitted) bits |= sack_bit;
  if (facts.has_ecn) bits |= ecn_bit;
  const std::uint32_t value = (clock & ~fact_mask) | bits;
  return bits > (clock & fact_mask) ? value - (fact_mask + 1) : value;
}

void SynCookies::read_timestamp(std::uint32_t echo, CookieFacts& facts) {
  const std::uint32_t scale = echo & no_scale;
  facts.window_scale =
      scale == no_scale ? std::nullopt : std::optional(static_cast<std::uint8_t>(scale));
  facts.sack_permitted = (echo & sack_bit) != 0;
  facts.has_ecn = (echo & ecn_bit) != 0;
}

}  // namespace lanyard::tcp
