// SPDX-License-Identifier: Apache-2.0
// Read on_advertisement first: it is RFC 4861 Appendix C. REACHABLE ends without a timer:
// state_at() sees that its time is over, so that confirming a neighbour with every segment costs
// one store.
#include "link/neighbour.hh"

#include <algorithm>

namespace lanyard::link {

std::string_view to_text(NeighbourState state) {
  switch (state) {
    case NeighbourState::incomplete:
      return "INCOMPLETE";
    case NeighbourState::reachable:
      return "REACHABLE";
    case NeighbourState::stale:
      return "STALE";
    case NeighbourState::delay:
      return "DELAY";
    case NeighbourState::probe:
      return "PROBE";
    case NeighbourState::permanent:
      return "PERMANENT";
  }
  return "";
}

void Outcomes::clear() {
  solicitations.clear();
  ready.clear();
  dropped.clear();
  unreachable.clear();
  not_routers_now.clear();
  changes.clear();
}

bool Outcomes::is_empty() const {
  return solicitations.empty() && ready.empty() && dropped.empty() && unreachable.empty() &&
         not_routers_now.empty() && changes.empty();
}

NeighbourTable::NeighbourTable(const Config& config, RandomStream chance)
    : config_(config), chance_(chance), retransmit_interval_(config.retransmit_interval) {
  set_reachable_time(config.reachable_time);
}

void NeighbourTable::set_reachable_time(Duration base) {
  // RFC 4861 6.3.2: uniform between MIN_RANDOM_FACTOR (0.5) and MAX_RANDOM_FACTOR (1.5) times base.
  const auto span = static_cast<std::uint64_t>(std::max<std::int64_t>(base.count_ns(), 1));
  reachable_time_ =
      base / 2 + Duration::nanoseconds(static_cast<std::int64_t>(chance_.below(span)));
}

std::optional<MacAddress> NeighbourTable::resolve(Instant now, const IpAddress& address) {
  Entry* entry = entry_of(address);
  if (entry == nullptr || entry->state == NeighbourState::incomplete) return std::nullopt;
  if (entry->state == NeighbourState::permanent) return entry->mac;
  // RFC 4861 7.3.3 [RFC4861-7.3.3-a], [RFC1122-2.3.2.1-a]: the first packet to a STALE neighbour
  // goes at once and starts DELAY, so that an address nobody answers for is found out.
  if (state_at(*entry, now) == NeighbourState::stale) {
    set_state(*entry, NeighbourState::delay);
    arm(*entry, now + config_.delay_first_probe);
  }
  entry->last_used = now;
  // Of a list in which each is linked, the newest has nobody behind it.
  if (entry->newer != none) make_newest(*entry);
  return entry->mac;
}

void NeighbourTable::hold(Instant now, const IpAddress& address, Packet packet,
                          const IpAddress& source) {
  Entry* entry = entry_of(address);
  const bool is_new = entry == nullptr;
  if (is_new) entry = &create(now, address);
  if (entry->state != NeighbourState::incomplete) {
    outcomes_.ready.push_back({entry->mac, std::move(packet)});
    return;
  }
  // RFC 4861 7.2.2 [RFC4861-7.2.2-b], [RFC1122-2.3.2.2-a]: on overflow the newest replaces the
  // oldest.
  if (entry->held.size() >= std::max(1U, config_.neighbour_queue_packets_max)) {
    drop_oldest_held(*entry);
  } else if (held_packets_ >= config_.held_packets_max) {
    // BI-06: the oldest question goes, with all that waits for its answer.
    if (unresolved_.oldest == index_of(*entry)) {
      drop_oldest_held(*entry);
    } else {
      erase(unresolved_.oldest);
    }
  }
  entry->held.push_back(std::move(packet));
  ++held_packets_;
  entry->source = source;
  // [RFC1122-2.3.2.1-b], [RFC4861-7.2.2-a]: further packets ask nothing; the timer does, once a
  // second.
  if (is_new) solicit(now, *entry);
}

void NeighbourTable::drop_oldest_held(Entry& entry) {
  if (entry.held.empty()) return;
  outcomes_.dropped.push_back({DropReason::neighbour_queue_full, std::move(entry.held.front())});
  entry.held.erase(entry.held.begin());
  --held_packets_;
}

void NeighbourTable::on_advertisement(Instant now, const IpAddress& address,
                                      const Advertisement& heard) {
  Entry* entry = entry_of(address);
  // RFC 4861 7.2.5 [RFC4861-7.2.5-a]: no entry, no interest.
  if (entry == nullptr || entry->state == NeighbourState::permanent) return;
  if (entry->state == NeighbourState::incomplete) {
    if (!heard.mac) return;
    entry->is_router = heard.is_router;
    learn(now, *entry, *heard.mac,
          heard.is_solicited ? NeighbourState::reachable : NeighbourState::stale);
    return;
  }
  // RFC 4861 7.2.5, Appendix C [RFC4861-7.2.5-b]: the known address is not overridden.
  const bool is_other = heard.mac && *heard.mac != entry->mac;
  if (is_other && !heard.overrides) {
    if (state_at(*entry, now) == NeighbourState::reachable) {
      stop(*entry);
      set_state(*entry, NeighbourState::stale);
    }
    return;
  }
  if (heard.is_solicited) {
    learn(now, *entry, heard.mac.value_or(entry->mac), NeighbourState::reachable);
  } else if (is_other) {
    learn(now, *entry, *heard.mac, NeighbourState::stale);
  }
  // [RFC4861-7.2.5-c]: a router that says it is none is no default router any more.
  if (entry->is_router && !heard.is_router) outcomes_.not_routers_now.push_back(address);
  entry->is_router = heard.is_router;
}

void NeighbourTable::on_spoken_to(Instant now, const IpAddress& address, const MacAddress& mac) {
  Entry* entry = entry_of(address);
  if (entry == nullptr) entry = &create(now, address);
  if (entry->state == NeighbourState::permanent) return;
  // RFC 4861 7.2.3 [RFC4861-7.2.3-b]: a new address is STALE, a known one changes nothing.
  if (entry->state == NeighbourState::incomplete || entry->mac != mac) {
    learn(now, *entry, mac, NeighbourState::stale);
  }
}

void NeighbourTable::on_overheard(Instant now, const IpAddress& address, const MacAddress& mac) {
  if (entry_of(address) != nullptr) on_spoken_to(now, address, mac);
}

void NeighbourTable::set_router(const IpAddress& address, bool is_router) {
  if (Entry* entry = entry_of(address)) entry->is_router = is_router;
}

void NeighbourTable::confirm(Instant now, const IpAddress& address) {
  // RFC 4861 7.3.1 [RFC4861-7.3.1-a]: forward progress confirms an address that is known.
  Entry* entry = entry_of(address);
  if (entry == nullptr || entry->state == NeighbourState::incomplete ||
      entry->state == NeighbourState::permanent) {
    return;
  }
  if (entry->state != NeighbourState::reachable) stop(*entry);
  set_reachable(now, *entry);
}

void NeighbourTable::add_permanent(const IpAddress& address, const MacAddress& mac) {
  forget(address);
  const Index index = static_cast<Index>(entries_.size());
  entries_.emplace_back();
  Entry& entry = entries_.back();
  entry.address = address;
  entry.mac = mac;
  entry.state = NeighbourState::permanent;
  by_address_.emplace(address, index);
}

void NeighbourTable::forget(const IpAddress& address) {
  if (Entry* entry = entry_of(address)) erase(index_of(*entry));
}

void NeighbourTable::forget_all() {
  for (List* list : {&resolved_, &unresolved_}) {
    while (list->oldest != none) erase(list->oldest);
  }
}

void NeighbourTable::poll(Instant now) {
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    Entry& entry = entries_[timers_.begin()->second];
    stop(entry);
    on_timer(now, entry);
  }
  while (resolved_.oldest != none &&
         entries_[resolved_.oldest].last_used + config_.stale_kept_for <= now) {
    erase(resolved_.oldest);
  }
}

void NeighbourTable::on_timer(Instant now, Entry& entry) {
  if (entry.state == NeighbourState::delay) {
    entry.solicitations = 0;
    set_state(entry, NeighbourState::probe);
  }
  // RFC 4861 7.2.2 and 7.3.3, 10 [RFC4861-7.2.2-a]: MAX_MULTICAST_SOLICIT, MAX_UNICAST_SOLICIT.
  if (entry.solicitations >= config_.solicitations_max) {
    give_up(entry);
  } else {
    solicit(now, entry);
  }
}

void NeighbourTable::solicit(Instant now, Entry& entry) {
  ++entry.solicitations;
  const bool is_probe = entry.state == NeighbourState::probe;
  outcomes_.solicitations.push_back(
      {entry.address, entry.source, is_probe ? std::optional(entry.mac) : std::nullopt});
  arm(entry, now + retransmit_interval_);
}

void NeighbourTable::give_up(Entry& entry) {
  for (Packet& packet : entry.held) {
    outcomes_.dropped.push_back({DropReason::neighbour_unresolved, std::move(packet)});
  }
  held_packets_ -= entry.held.size();
  entry.held.clear();
  outcomes_.unreachable.push_back(entry.address);
  erase(index_of(entry));
}

std::optional<NeighbourTable::Row> NeighbourTable::find(Instant now,
                                                        const IpAddress& address) const {
  const auto found = by_address_.find(address);
  if (found == by_address_.end()) return std::nullopt;
  return row_of(entries_[found->second], now);
}

std::vector<NeighbourTable::Row> NeighbourTable::rows(Instant now) const {
  std::vector<Row> rows;
  rows.reserve(by_address_.size());
  for (std::size_t index = 0; index < entries_.size(); ++index) {
    const auto found = by_address_.find(entries_[index].address);
    if (found != by_address_.end() && found->second == index) {
      rows.push_back(row_of(entries_[index], now));
    }
  }
  std::sort(rows.begin(), rows.end(),
            [](const Row& a, const Row& b) { return a.address < b.address; });
  return rows;
}

NeighbourTable::Row NeighbourTable::row_of(const Entry& entry, Instant now) const {
  return {entry.address, entry.mac, state_at(entry, now), entry.is_router};
}

NeighbourState NeighbourTable::state_at(const Entry& entry, Instant now) {
  const bool is_over = entry.state == NeighbourState::reachable && entry.reachable_until <= now;
  return is_over ? NeighbourState::stale : entry.state;
}

Instant NeighbourTable::next_deadline() const {
  Instant next = timers_.empty() ? Instant::never() : timers_.begin()->first.first;
  if (resolved_.oldest != none)
    next = std::min(next, entries_[resolved_.oldest].last_used + config_.stale_kept_for);
  return next;
}

}  // namespace lanyard::link
