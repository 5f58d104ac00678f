// SPDX-License-Identifier: Apache-2.0
// Reports and leaves, as the routers of a link want to hear them.
#include <algorithm>

#include "internet/groups.hh"
#include "wire/ipv4.hh"
#include "wire/ipv4_options.hh"
#include "wire/ipv6.hh"
#include "wire/ipv6_extensions.hh"
#include "wire/protocol.hh"

namespace lanyard::internet {

namespace {

using membership::Record;
using membership::RecordType;

// RFC 3376 5.1: repetitions of a change follow within this.
constexpr Duration change_interval = Duration::seconds(1);
// RFC 3376 4: internetwork control.
constexpr std::uint8_t control_class = 0xc0;
constexpr std::size_t headers_max = 48;  // IPv6 with its hop-by-hop header

std::vector<IpAddress> list_of(const std::set<IpAddress>& set) {
  return {set.begin(), set.end()};
}

const SourceFilter& state_of(const Interface& interface, const IpAddress& group) {
  static const SourceFilter nothing{.is_exclude = false};
  const auto found = interface.groups.find(group);
  return found == interface.groups.end() ? nothing : found->second.whole;
}

// Of a change's sources one round is told: those wanted now, and those no longer.
void add_source_changes(std::vector<Record>& records, const IpAddress& group,
                        const SourceFilter& state, std::map<IpAddress, unsigned>& sources) {
  Record allow{RecordType::allow_new, group, {}};
  Record block{RecordType::block_old, group, {}};
  for (auto& [source, left] : sources) {
    (state.takes(source) ? allow : block).sources.push_back(source);
    --left;
  }
  std::erase_if(sources, [](const auto& entry) { return entry.second == 0; });
  if (!allow.sources.empty()) records.push_back(std::move(allow));
  if (!block.sources.empty()) records.push_back(std::move(block));
}

}  // namespace

void Groups::send_changes(Instant now, Interface& interface, Family family, Link& link) {
  std::vector<Record> records;
  for (auto& [group, change] : link.changes) {
    const SourceFilter& state = state_of(interface, group);
    if (change.mode > 0) {
      --change.mode;
      change.sources.clear();
      records.push_back({state.is_exclude ? RecordType::to_exclude : RecordType::to_include, group,
                         list_of(state.sources)});
    } else {
      add_source_changes(records, group, state, change.sources);
    }
  }
  std::erase_if(link.changes, [](const auto& entry) {
    return entry.second.mode == 0 && entry.second.sources.empty();
  });
  link.changes_at = link.changes.empty() ? Instant::never() : now + random_up_to(change_interval);
  send_report(now, interface, family, std::move(records));
}

// RFC 3376 5.2: everything, as it is.
void Groups::send_general(Instant now, Interface& interface, Family family, Link& link) {
  link.general_at = Instant::never();
  std::vector<Record> records;
  for (const auto& [group, membership] : interface.groups) {
    if (group.family() != family || !is_reported(group)) continue;
    const SourceFilter& state = membership.whole;
    records.push_back({state.is_exclude ? RecordType::is_exclude : RecordType::is_include, group,
                       list_of(state.sources)});
  }
  send_report(now, interface, family, std::move(records));
}

void Groups::send_answer(Instant now, Interface& interface, const IpAddress& group, Link& link) {
  Answer& waiting = link.answers.find(group)->second;
  const Answer answer = waiting;
  if (answer.repeats > 0) {
    waiting = {.at = now + random_up_to(Duration::seconds(10)), .repeats = answer.repeats - 1};
  } else {
    link.answers.erase(group);
  }
  if (!interface.groups.contains(group)) return;
  if (link.version < 3) {
    return send_single(now, interface, membership::Kind::report, group, link);
  }
  const SourceFilter& state = state_of(interface, group);
  Record record{state.is_exclude ? RecordType::is_exclude : RecordType::is_include, group, {}};
  if (answer.sources.empty()) {
    record.sources = list_of(state.sources);
  } else {
    // The table of RFC 3376 5.2: of the sources asked about, those we want.
    record.type = RecordType::is_include;
    std::copy_if(answer.sources.begin(), answer.sources.end(), std::back_inserter(record.sources),
                 [&](const IpAddress& source) { return state.takes(source); });
    if (record.sources.empty()) return;
  }
  send_report(now, interface, group.family(), {record});
}

// RFC 2236 3: a report goes to its group, a leave to all routers.
void Groups::send_single(Instant now, Interface& interface, membership::Kind kind,
                         const IpAddress& group, Link& link) {
  const bool is_leave = kind == membership::Kind::leave;
  if (!is_leave) link.reported_last.insert(group);
  const IpAddress routers = *IpAddress::parse(group.is_v4() ? "224.0.0.2" : "ff02::2");
  send(now, interface, is_leave ? routers : group, membership::single(kind, link.version, group));
}

// RFC 3376 4.2.14, RFC 3810 5.2.14: to all routers that understand version 3 (MLD's 2), as many
// reports as it takes.
void Groups::send_report(Instant now, Interface& interface, Family family,
                         std::vector<Record> records) {
  const IpAddress routers = *IpAddress::parse(family == Family::ipv4 ? "224.0.0.22" : "ff02::16");
  const std::size_t room = interface.mtu(family) - headers_max - 8;
  for (auto first = records.begin(); first != records.end();) {
    std::size_t size = first->size();
    auto last = first + 1;
    while (last != records.end() && size + last->size() <= room) size += (last++)->size();
    send(now, interface, routers, membership::report(family, {first, last}));
    first = last;
  }
}

// [RFC2236-3-a], [RFC3810-5-a]: one hop, the router alert option, and from the link-local address
// or, without one yet, from nobody.
void Groups::send(Instant now, Interface& interface, const IpAddress& to, Packet&& message) {
  const bool is_v4 = to.is_v4();
  if (!is_v4 && interface.is_ipv6_disabled) return;
  IpAddress source = IpAddress::any(to.family());
  for (const InterfaceAddress& address : interface.addresses) {
    const IpAddress& own = address.prefix.address;
    if (!address.is_usable() || own.family() != to.family()) continue;
    if (!is_v4 && !own.is_link_local()) continue;
    source = own;
    break;
  }
  membership::put_checksum(message, source, to);
  if (is_v4) {
    constexpr std::uint8_t alert[] = {ipv4::option::router_alert, 4, 0, 0};
    ipv4::Header{.source = source,
                 .destination = to,
                 .protocol = protocol::igmp,
                 .ttl = 1,
                 .traffic_class = control_class,
                 .dont_fragment = true,
                 .options = alert}
        .push_onto(message);
  } else {
    constexpr std::uint8_t alert[] = {protocol::icmpv6,    0, ipv6::option::router_alert, 2, 0, 0,
                                      ipv6::option::pad_n, 0};
    std::copy(std::begin(alert), std::end(alert), message.push_front(sizeof alert));
    ipv6::Header{
        .source = source, .destination = to, .next_header = protocol::hop_by_hop, .hop_limit = 1}
        .push_onto(message);
  }
  Hop hop;
  hop.kind = Hop::Kind::multicast;
  hop.interface = &interface;
  hop.next = to;
  hop.source = source;
  hop.mtu = interface.link.mtu;
  output_.transmit(now, hop, std::move(message));
}

}  // namespace lanyard::internet
