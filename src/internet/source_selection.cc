// SPDX-License-Identifier: Apache-2.0
#include "internet/source_selection.hh"

#include <algorithm>
#include <array>
#include <bit>

namespace lanyard::internet {

namespace {

struct Policy {
  std::array<std::uint8_t, 16> prefix;
  unsigned length;
  PolicyRow row;
};

// RFC 6724 2.1, longest prefixes first.
constexpr std::array<Policy, 9> policies = {{
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, {50, 0}},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, {35, 4}},
    {{}, 96, {1, 3}},
    {{0x20, 0x01}, 32, {5, 5}},
    {{0x20, 0x02}, 16, {30, 2}},
    {{0x3f, 0xfe}, 16, {1, 12}},
    {{0xfe, 0xc0}, 10, {1, 11}},
    {{0xfc}, 7, {3, 13}},
    {{}, 0, {40, 1}},
}};

unsigned common_bits(const std::array<std::uint8_t, 16>& a, const std::array<std::uint8_t, 16>& b) {
  for (unsigned i = 0; i < 16; ++i) {
    const auto difference = static_cast<std::uint8_t>(a[i] ^ b[i]);
    if (difference != 0) return i * 8 + static_cast<unsigned>(std::countl_zero(difference));
  }
  return 128;
}

// RFC 6724 2.2: the common prefix counts up to the source's own prefix length.
unsigned match_length(const IpAddress& destination, const SourceCandidate& candidate) {
  const unsigned length = candidate.prefix.length + (destination.is_v4() ? 96U : 0U);
  return std::min(common_bits(destination.bytes(), candidate.prefix.address.bytes()), length);
}

// Positive: a is better; negative: b is.
int prefer(bool a, bool b) {
  return static_cast<int>(a) - static_cast<int>(b);
}

int compare_scopes(const IpAddress& destination, const IpAddress& a, const IpAddress& b) {
  const unsigned scope_a = scope_of(a);
  const unsigned scope_b = scope_of(b);
  const unsigned wanted = scope_of(destination);
  if (scope_a == scope_b) return 0;
  if (scope_a < scope_b) return scope_a < wanted ? -1 : 1;
  return scope_b < wanted ? 1 : -1;
}

// RFC 6724 5 [RFC6724-5-a], rules in order; 4 (home addresses) does not arise.
int compare(const SourceWish& wish, const SourceCandidate& a, const SourceCandidate& b) {
  const IpAddress& to = wish.destination;
  const IpAddress& from_a = a.prefix.address;
  const IpAddress& from_b = b.prefix.address;
  if (const int rule_1 = prefer(from_a == to, from_b == to)) return rule_1;
  if (const int rule_2 = compare_scopes(to, from_a, from_b)) return rule_2;
  if (const int rule_3 = prefer(!a.is_deprecated, !b.is_deprecated)) return rule_3;
  if (const int rule_5 = prefer(a.interface == wish.interface, b.interface == wish.interface)) {
    return rule_5;
  }
  // RFC 1122 3.3.4.3: an IPv4 address on the network of the first hop.
  if (to.is_v4()) {
    const int on_net = prefer(a.prefix.contains(wish.next_hop), b.prefix.contains(wish.next_hop));
    if (on_net != 0) return on_net;
  }
  const unsigned label = policy_of(to).label;
  if (const int rule_6 =
          prefer(policy_of(from_a).label == label, policy_of(from_b).label == label)) {
    return rule_6;
  }
  if (const int rule_7 = prefer(a.is_temporary, b.is_temporary)) return rule_7;
  return static_cast<int>(match_length(to, a)) - static_cast<int>(match_length(to, b));
}

// RFC 6724 6 [RFC6724-6-a], rules in order; 4 (home addresses) and 7 (tunnels) do not arise.
int compare(const DestinationCandidate& a, const DestinationCandidate& b) {
  if (const int rule_1 = prefer(a.source.has_value(), b.source.has_value())) return rule_1;
  if (a.source && b.source) {
    const auto is_scope_met = [](const DestinationCandidate& each) {
      return scope_of(each.address) == scope_of(each.source->address);
    };
    if (const int rule_2 = prefer(is_scope_met(a), is_scope_met(b))) return rule_2;
    if (const int rule_3 = prefer(!a.is_source_deprecated, !b.is_source_deprecated)) return rule_3;
    const auto is_label_met = [](const DestinationCandidate& each) {
      return policy_of(each.address).label == policy_of(each.source->address).label;
    };
    if (const int rule_5 = prefer(is_label_met(a), is_label_met(b))) return rule_5;
  }
  const int rule_6 = policy_of(a.address).precedence - policy_of(b.address).precedence;
  if (rule_6 != 0) return rule_6;
  const int rule_8 = static_cast<int>(scope_of(b.address)) - static_cast<int>(scope_of(a.address));
  if (rule_8 != 0) return rule_8;
  if (!a.source || !b.source || a.address.family() != b.address.family()) return 0;
  const auto match = [](const DestinationCandidate& each) {
    return static_cast<int>(match_length(each.address, {*each.source, 0, false, false}));
  };
  return match(a) - match(b);
}

}  // namespace

void order_destinations(std::span<DestinationCandidate> candidates) {
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const DestinationCandidate& a, const DestinationCandidate& b) {
                     return compare(a, b) > 0;
                   });
}

unsigned scope_of(const IpAddress& address) {
  constexpr unsigned link_local = 2;
  constexpr unsigned site_local = 5;
  constexpr unsigned global = 14;
  const auto& bytes = address.bytes();
  if (address.is_loopback() || address.is_link_local()) return link_local;
  if (address.is_v6() && address.is_multicast()) return bytes[1] & 0x0fU;
  const bool is_site_local = bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0xc0;
  return is_site_local ? site_local : global;
}

PolicyRow policy_of(const IpAddress& address) {
  const auto row = std::find_if(policies.begin(), policies.end(), [&](const Policy& policy) {
    return common_bits(policy.prefix, address.bytes()) >= policy.length;
  });
  return row->row;
}

std::optional<IpAddress> select_source(const SourceWish& wish,
                                       std::span<const SourceCandidate> candidates) {
  const SourceCandidate* best = nullptr;
  for (const SourceCandidate& candidate : candidates) {
    if (candidate.prefix.address.family() != wish.destination.family()) continue;
    if (best == nullptr || compare(wish, candidate, *best) > 0) best = &candidate;
  }
  if (best == nullptr) return std::nullopt;
  return best->prefix.address;
}

}  // namespace lanyard::internet
