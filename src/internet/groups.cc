// SPDX-License-Identifier: Apache-2.0
// Listening: what the listeners of a group want together, and what queries and other hosts' reports
// do. What is sent is in groups_report.cc.
#include "internet/groups.hh"

#include <algorithm>

#include "wire/ipv4.hh"
#include "wire/ipv4_options.hh"
#include "wire/ipv6_extensions.hh"
#include "wire/pseudo.hh"

namespace lanyard::internet {

// [RFC1122-3.3.7-a], RFC 3376 5, RFC 3810 6: the groups of all machines are told to nobody, nor
// are those that never leave a machine (scopes 0 and 1).
bool is_reported(const IpAddress& group) {
  if (group.is_v4()) return group != IpAddress::v4(224, 0, 0, 1);
  const unsigned scope = group.bytes()[1] & 0x0fU;
  return scope > 1 && group != *IpAddress::parse("ff02::1");
}

namespace {

constexpr Duration old_report_interval = Duration::seconds(10);  // RFC 2236 8.10, RFC 2710 7.10
// More sources than this in a query are answered with all there is to say of the group.
constexpr std::size_t queried_sources_max = 64;
// A query that leaves no time is spread over this all the same, BI-91.
constexpr Duration response_min = Duration::milliseconds(100);

// RFC 3376 3.2, RFC 3810 4.2: one listener that excludes makes the whole exclude.
SourceFilter merge(const std::vector<SourceFilter>& listeners) {
  SourceFilter whole{.is_exclude = false};
  std::set<IpAddress> included;
  for (const SourceFilter& one : listeners) {
    if (!one.is_exclude) {
      included.insert(one.sources.begin(), one.sources.end());
    } else if (!whole.is_exclude) {
      whole = one;
    } else {
      std::erase_if(whole.sources, [&](const IpAddress& s) { return !one.sources.contains(s); });
    }
  }
  if (!whole.is_exclude) return {.is_exclude = false, .sources = std::move(included)};
  std::erase_if(whole.sources, [&](const IpAddress& s) { return included.contains(s); });
  return whole;
}

}  // namespace

Groups::Groups(Shared& shared, Output& output)
    : shared_(shared), output_(output), chance_(shared.seed.branch("groups").stream()) {}

// Above zero, up to the bound.
Duration Groups::random_up_to(Duration bound) {
  const auto range = static_cast<std::uint64_t>(std::max<std::int64_t>(bound.count_ns(), 1));
  return Duration::nanoseconds(1 + static_cast<std::int64_t>(chance_.below(range)));
}

bool Groups::change(Instant now, Interface& interface, const IpAddress& group,
                    const std::optional<SourceFilter>& before,
                    const std::optional<SourceFilter>& after, bool is_quiet) {
  is_next_known_ = false;
  const SourceFilter nothing{.is_exclude = false};
  const auto found = interface.groups.find(group);
  if (before) {
    if (found == interface.groups.end()) return false;
    auto& listeners = found->second.listeners;
    const auto one = std::find(listeners.begin(), listeners.end(), *before);
    if (one == listeners.end()) return false;
    listeners.erase(one);
  }
  const SourceFilter old = found == interface.groups.end() ? nothing : found->second.whole;
  Membership& membership = interface.groups[group];
  if (after) membership.listeners.push_back(*after);
  membership.whole = merge(membership.listeners);
  const SourceFilter whole = membership.whole;
  if (membership.listeners.empty()) interface.groups.erase(group);
  if (!is_quiet && whole != old) tell_change(now, interface, group, old, whole);
  return true;
}

// RFC 3376 9, RFC 3810 5.1.14, 5.2.13: from the link, and marked for routers to look at.
// [RFC3376-9-a], BI-91.
bool Groups::is_from_a_neighbour(const Datagram& datagram, Bytes header,
                                 const membership::View& view) const {
  if (datagram.hop_limit != 1) return false;
  if (datagram.destination.is_v4()) {
    const auto ip = ipv4::View::parse_quoted(header);
    // A query of version 1, and its reports, are older than the option.
    return view.version() == 1 || (ip && ipv4::examine_options(ip->options()).has_router_alert);
  }
  const bool may_be_nobody = view.kind() == membership::Kind::report && view.version() == 3;
  const bool is_local =
      datagram.source.is_link_local() || (may_be_nobody && datagram.source.is_unspecified());
  const auto ip = ipv6::View::parse_quoted(header);
  return is_local && ip && ipv6::walk_hop_by_hop(*ip).has_router_alert;
}

DropReason Groups::on_message(Instant now, const Datagram& datagram, Bytes header,
                              const Arrival& arrival) {
  is_next_known_ = false;
  Interface& interface = shared_.interfaces.at(arrival.interface);
  if (arrival.was_looped || interface.link.is_loopback) return DropReason::none;
  const Bytes message = datagram.packet.front();
  const Family family = datagram.destination.family();
  const bool is_whole = family == Family::ipv4
                            ? checksum(message) == 0
                            : has_good_checksum({datagram.source, datagram.destination,
                                                 static_cast<std::uint8_t>(Protocol::icmpv6)},
                                                datagram.packet, datagram.packet.size());
  if (!is_whole) return DropReason::bad_icmp;
  const auto view = membership::View::parse(family, message);
  if (!view) return view.error();
  if (!is_from_a_neighbour(datagram, header, *view)) return DropReason::bad_icmp;
  Link& link = links_[{interface.link.index, family}];
  settle_version(now, link);
  if (view->kind() == membership::Kind::query) {
    // RFC 3376 9.1: a general query to anybody but all is an attempt to make one host talk.
    const bool is_to_all = datagram.destination == IpAddress::v4(224, 0, 0, 1) ||
                           datagram.destination == *IpAddress::parse("ff02::1");
    if (view->group().is_unspecified() && !is_to_all) return DropReason::bad_icmp;
    on_query(now, *view, interface);
  } else if (view->kind() == membership::Kind::report && view->version() < 3) {
    on_report(view->group(), link);
  }
  return DropReason::none;
}

// RFC 2236 3, RFC 2710 4 [RFC2236-3-a]: one host's word is enough, before version 3.
void Groups::on_report(const IpAddress& group, Link& link) {
  if (link.version == 3) return;
  link.answers.erase(group);
  link.reported_last.erase(group);
}

// RFC 3376 7.2.1, RFC 3810 8.2.1 [RFC3376-7-a], [RFC3810-8-a]: after the querier's robustness
// times its interval and one response, an older one that is not heard again is gone.
void Groups::hear_version(Instant now, const membership::View& view, Link& link) {
  const Duration present =
      link.query_interval * static_cast<std::int64_t>(link.robustness) + view.max_response();
  if (view.version() == 1) link.version_1_until = now + present;
  if (view.version() == 2) link.version_2_until = now + present;
  if (view.version() == 3) {
    link.robustness = view.robustness() == 0 ? 2 : view.robustness();
    if (view.query_interval() > Duration::zero()) link.query_interval = view.query_interval();
  }
  settle_version(now, link);
}

// Answers and repetitions that wait are of the version they were thought of in.
void Groups::settle_version(Instant now, Link& link) {
  unsigned version = 3;
  if (link.version_2_until > now) version = 2;
  if (link.version_1_until > now) version = 1;
  if (version == link.version) return;
  link.version = version;
  link.general_at = link.changes_at = Instant::never();
  link.answers.clear();
  link.changes.clear();
}

void Groups::on_query(Instant now, const membership::View& view, const Interface& interface) {
  const IpAddress group = view.group();
  Link& link = links_[{interface.link.index, group.family()}];
  hear_version(now, view, link);
  const Duration bound = std::max(view.max_response(), response_min);
  if (!group.is_unspecified()) {
    const bool is_ours = interface.groups.contains(group) && is_reported(group);
    if (is_ours) schedule_answer(now + random_up_to(bound), view, group, link);
    return;
  }
  if (link.version < 3) {
    // RFC 2236 3: each group at its own time, so that one host answers for all.
    for (const auto& [own, membership] : interface.groups) {
      if (own.family() != group.family() || !is_reported(own)) continue;
      schedule_answer(now + random_up_to(bound), view, own, link);
    }
    return;
  }
  // RFC 3376 5.2 rules 1 and 2.
  link.general_at = std::min(link.general_at, now + random_up_to(bound));
}

// RFC 3376 5.2 rules 1, 3, 4 and 5, RFC 3810 6.2 [RFC3376-5-a].
void Groups::schedule_answer(Instant at, const membership::View& view, const IpAddress& group,
                             Link& link) {
  if (link.general_at <= at) return;
  std::vector<IpAddress> sources = view.sources();
  if (sources.size() > queried_sources_max || link.version < 3) sources.clear();
  const auto [found, is_new] = link.answers.try_emplace(group, Answer{.at = at});
  Answer& answer = found->second;
  answer.at = std::min(answer.at, at);
  const bool is_about_all = sources.empty() || (!is_new && answer.sources.empty()) ||
                            answer.sources.size() + sources.size() > queried_sources_max;
  if (is_about_all) {
    answer.sources.clear();
  } else {
    answer.sources.insert(sources.begin(), sources.end());
  }
}

// RFC 3376 5.1, RFC 3810 6.1 [RFC3376-5-a]: a change of mode is told whole, a change of sources as
// what came and what went; what was still to be told is told of the state there is now.
void Groups::tell_change(Instant now, Interface& interface, const IpAddress& group,
                         const SourceFilter& before, const SourceFilter& after) {
  if (interface.link.is_loopback || !interface.link.is_up || !is_reported(group)) return;
  Link& link = links_[{interface.link.index, group.family()}];
  settle_version(now, link);
  if (link.version < 3) {
    const bool was_member = !before.is_nothing();
    const bool is_member = !after.is_nothing();
    if (was_member != is_member) tell_old_change(now, interface, group, link, is_member);
    return;
  }
  Change& change = link.changes[group];
  if (before.is_exclude != after.is_exclude) {
    change = {.mode = link.robustness};
  } else {
    for (const IpAddress& source : before.sources) {
      if (!after.sources.contains(source)) change.sources[source] = link.robustness;
    }
    for (const IpAddress& source : after.sources) {
      if (!before.sources.contains(source)) change.sources[source] = link.robustness;
    }
  }
  send_changes(now, interface, group.family(), link);
}

// RFC 2236 3, RFC 2710 4 [RFC2236-3-a]: a report at once and again some time later, a leave if we
// were the last to report.
void Groups::tell_old_change(Instant now, Interface& interface, const IpAddress& group, Link& link,
                             bool is_member) {
  if (!is_member) {
    link.answers.erase(group);
    const bool was_last = link.reported_last.erase(group) > 0;
    if (was_last && link.version == 2) {
      send_single(now, interface, membership::Kind::leave, group, link);
    }
    return;
  }
  send_single(now, interface, membership::Kind::report, group, link);
  if (link.robustness < 2) return;
  link.answers[group] = {.at = now + random_up_to(old_report_interval),
                         .repeats = link.robustness - 2};
}

void Groups::on_link_up(Instant now, const Interface& interface) {
  is_next_known_ = false;
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    const auto known = links_.find({interface.link.index, family});
    if (known == links_.end()) continue;
    Link& link = known->second;
    settle_version(now, link);
    link.general_at = std::min(link.general_at, now + random_up_to(Duration::seconds(1)));
  }
}

void Groups::poll(Instant now) {
  is_next_known_ = false;
  for (auto& [key, link] : links_) {
    Interface& interface = shared_.interfaces.at(key.first);
    settle_version(now, link);
    if (link.changes_at <= now) send_changes(now, interface, key.second, link);
    if (link.general_at <= now) send_general(now, interface, key.second, link);
    while (true) {
      const auto due = std::find_if(link.answers.begin(), link.answers.end(),
                                    [&](const auto& answer) { return answer.second.at <= now; });
      if (due == link.answers.end()) break;
      send_answer(now, interface, IpAddress(due->first), link);
    }
  }
}

Instant Groups::next_deadline() const {
  if (is_next_known_) return next_;
  is_next_known_ = true;
  Instant& next = next_;
  next = Instant::never();
  for (const auto& [key, link] : links_) {
    next = std::min({next, link.general_at, link.changes_at});
    for (const auto& [group, answer] : link.answers) next = std::min(next, answer.at);
  }
  return next;
}

}  // namespace lanyard::internet
