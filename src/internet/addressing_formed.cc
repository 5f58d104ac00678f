// SPDX-License-Identifier: Apache-2.0
// Addresses that the machine makes itself of a router's prefixes (RFC 4862 5.5.3), and what it does
// when one is taken.
#include <algorithm>

#include "internet/addressing.hh"

namespace lanyard::internet {

namespace {

constexpr std::size_t addresses_max = 32;  // per interface
constexpr std::uint8_t conflicts_max = 3;  // RFC 7217 6: IDGEN_RETRIES; RFC 8981 3.8
// RFC 8981 3.8: REGEN_ADVANCE.
constexpr Duration renewed_before = Duration::seconds(5);

}  // namespace

InterfaceAddress* Addressing::formed(Interface& interface, const IpPrefix& prefix) {
  const auto found = std::find_if(
      interface.addresses.begin(), interface.addresses.end(), [&](const InterfaceAddress& a) {
        return a.is_autoconfigured && !a.is_temporary && prefix.contains(a.prefix.address);
      });
  return found == interface.addresses.end() ? nullptr : &*found;
}

IpAddress Addressing::identified(const Interface& interface, const IpPrefix& prefix,
                                 std::uint8_t conflicts) const {
  if (!shared_.config.stable_identifiers) return eui64_address(prefix, interface.link.mac);
  return stable_address(secret_, prefix, interface.link.name, conflicts);
}

// An address that somebody configured stays his.
void Addressing::form(Instant now, Interface& interface, InterfaceAddress like) {
  like.prefix.address = identified(interface, like.prefix, like.conflicts);
  like.is_autoconfigured = true;
  if (interface.find(like.prefix.address) != nullptr) return;
  if (interface.addresses.size() < addresses_max) add(now, interface, like);
}

// RFC 8981 3.4 [RFC8981-3-a].
void Addressing::keep_temporary(Instant now, Interface& interface, const IpPrefix& prefix) {
  const InterfaceAddress* const base = formed(interface, prefix);
  if (!shared_.config.temporary_addresses || base == nullptr) return;
  bool is_served = false;
  for (InterfaceAddress& each : interface.addresses) {
    if (!each.is_temporary || !prefix.contains(each.prefix.address)) continue;
    each.valid_until = std::min(base->valid_until, each.valid_most);
    each.preferred_until = std::min(base->preferred_until, each.preferred_most);
    const bool is_fresh = each.preferred_until > now + renewed_before;
    // 3.4 (7): where every one tried was somebody's, no more are.
    is_served = is_served || is_fresh || each.state == AddressState::duplicate;
    if (is_fresh && each.state == AddressState::deprecated) {
      each.state = AddressState::preferred;
      shared_.interfaces.index_addresses();
    }
    watch(interface, each.prefix.address);
  }
  if (is_served) return;
  form_temporary(now, interface,
                 {.prefix = prefix,
                  .preferred_until = base->preferred_until,
                  .valid_until = base->valid_until});
}

// RFC 8981 3.4 (4), (5): none that would be over at once; each ends at another time than that of
// the next machine (DESYNC_FACTOR).
void Addressing::form_temporary(Instant now, Interface& interface, InterfaceAddress like) {
  const Config& config = shared_.config;
  like.prefix.address = random_address(chance_, like.prefix);
  like.is_autoconfigured = like.is_temporary = true;
  like.valid_most = now + config.temporary_valid;
  like.preferred_most =
      now + config.temporary_preferred - random_below(config.temporary_preferred * 2 / 5);
  like.valid_until = std::min(like.valid_until, like.valid_most);
  like.preferred_until = std::min(like.preferred_until, like.preferred_most);
  if (like.preferred_until <= now + renewed_before) return;
  if (interface.addresses.size() >= addresses_max) return;
  add(now, interface, like);
  schedule(like.preferred_until - renewed_before,
           {Task::Kind::renew, interface.link.index, like.prefix.address, 0});
}

// RFC 8981 3.5: the next one is there before this one is over.
void Addressing::renew(Instant now, Interface& interface, const Task& task) {
  const InterfaceAddress* const found = interface.find(task.address);
  if (found == nullptr) return;
  const Instant due = found->preferred_until - renewed_before;
  if (due > now) return schedule(due, task);
  keep_temporary(now, interface, {found->prefix.network(), found->prefix.length});
}

// RFC 7217 6 [RFC7217-5-a], RFC 8981 3.4 (7): what was made with chance or a secret is made anew,
// three times. Of what was not there is only one (RFC 4862 5.4.5).
bool Addressing::try_another(Instant now, Interface& interface, InterfaceAddress failed) {
  const bool may_vary = failed.is_temporary || shared_.config.stable_identifiers;
  if (!failed.is_autoconfigured || !may_vary || failed.conflicts == conflicts_max) return false;
  remove(now, interface, failed.prefix.address);
  ++failed.conflicts;
  failed.prefix.address = failed.prefix.network();
  failed.state = AddressState::preferred;
  if (failed.is_temporary) {
    form_temporary(now, interface, failed);
  } else {
    form(now, interface, failed);
  }
  return true;
}

}  // namespace lanyard::internet
