// SPDX-License-Identifier: Apache-2.0
// What a host tells the routers of its link about the groups it listens to: IGMP and MLD.
#include "lone_host.hh"
#include "wire/ipv4_options.hh"
#include "wire/ipv6_extensions.hh"
#include "wire/membership.hh"

namespace lanyard::stack::test {
namespace {

using internet::SourceFilter;
using membership::Kind;
using membership::Query;
using membership::Record;
using membership::RecordType;

// A message that left, with what stands around it.
struct Told {
  IpAddress source{}, destination{};
  std::uint8_t hops = 0;
  bool has_alert = false;
  Kind kind = Kind::query;
  unsigned version = 0;
  IpAddress group{};
  std::vector<Record> records{};
};

std::optional<Told> told_in(const Frame& frame) {
  const auto outer = ethernet::View::parse(frame);
  Told told;
  Bytes message;
  if (outer->type() == ethernet::Type::ipv4) {
    const auto ip = ipv4::View::parse(outer->payload());
    if (!ip || ip->protocol() != protocol::igmp) return std::nullopt;
    EXPECT_TRUE(ip->has_good_checksum());
    EXPECT_EQ(ip->traffic_class(), 0xc0);  // RFC 3376 4
    told = {.source = ip->source(), .destination = ip->destination(), .hops = ip->ttl()};
    told.has_alert = ipv4::examine_options(ip->options()).has_router_alert;
    message = ip->payload();
    EXPECT_EQ(checksum(message), 0);
  } else if (outer->type() == ethernet::Type::ipv6) {
    const auto ip = ipv6::View::parse(outer->payload());
    const ipv6::Walk walk = ipv6::walk(*ip);
    if (walk.protocol != protocol::icmpv6) return std::nullopt;
    message = ip->packet().subspan(walk.offset);
    if (!membership::is_mld(message[0])) return std::nullopt;
    told = {.source = ip->source(), .destination = ip->destination(), .hops = ip->hop_limit()};
    told.has_alert = walk.has_router_alert;
    EXPECT_EQ(transport_checksum({told.source, told.destination, protocol::icmpv6}, message), 0);
  } else {
    return std::nullopt;
  }
  EXPECT_EQ(outer->destination(), multicast_mac(told.destination));
  const auto view = membership::View::parse(told.source.family(), message);
  EXPECT_TRUE(view);
  if (!view) return std::nullopt;
  told.kind = view->kind();
  told.version = view->version();
  told.group = view->group();
  told.records = view->records();
  return told;
}

std::vector<Told> told_in(const std::vector<Frame>& frames) {
  std::vector<Told> all;
  for (const Frame& frame : frames) {
    if (auto told = told_in(frame)) all.push_back(*told);
  }
  return all;
}

bool is_record(const Record& record, RecordType type, std::string_view group,
               const std::vector<std::string>& sources = {}) {
  std::vector<IpAddress> wanted;
  for (const std::string& source : sources) wanted.push_back(ip(source));
  return record.type == type && record.group == ip(group) && record.sources == wanted;
}

class Groups : public LoneHost {
 protected:
  using LoneHost::LoneHost;
  void join(std::string_view group) { ASSERT_TRUE(stack.join_group(now, eth, ip(group))); }
  void leave(std::string_view group) { ASSERT_TRUE(stack.leave_group(now, eth, ip(group))); }
  void listen(std::string_view group, const std::optional<SourceFilter>& before,
              const std::optional<SourceFilter>& after) {
    ASSERT_TRUE(stack.network().listen(now, eth, ip(group), before, after));
  }
  static SourceFilter only(const std::vector<std::string>& sources, bool is_exclude = false) {
    SourceFilter filter{.is_exclude = is_exclude};
    for (const std::string& source : sources) filter.sources.insert(ip(source));
    return filter;
  }
  static Frame bytes_of_message(Packet message, const IpAddress& source, const IpAddress& to) {
    membership::put_checksum(message, source, to);
    return {message.front().begin(), message.front().end()};
  }

  struct Way {
    std::string source{}, to{};
    std::uint8_t hops = 1;
    bool has_alert = true;
  };
  void give_v4(Bytes message, const Way& way) {
    static constexpr std::uint8_t alert[] = {ipv4::option::router_alert, 4, 0, 0};
    ipv4::Header header = v4_header(way.source, way.to, protocol::igmp);
    header.ttl = way.hops;
    if (way.has_alert) header.options = alert;
    v4(header, message, multicast_mac(ip(way.to)));
  }
  void give_v6(Bytes message, const Way& way) {
    Frame payload;
    if (way.has_alert) payload = {protocol::icmpv6, 0, ipv6::option::router_alert, 2, 0, 0, 1, 0};
    payload.insert(payload.end(), message.begin(), message.end());
    v6(v6_header(way.source, way.to, way.has_alert ? protocol::hop_by_hop : protocol::icmpv6,
                 way.hops),
       payload);
  }
  // A query as a good querier sends it.
  void ask(const Query& query) {
    const bool is_v4 = query.group.is_v4();
    const bool is_general = query.group.is_unspecified();
    const Way way = is_v4 ? Way{"10.0.0.9", is_general ? "224.0.0.1" : to_text(query.group)}
                          : Way{"fe80::9", is_general ? "ff02::1" : to_text(query.group)};
    ask(query, way);
  }
  void ask(const Query& query, const Way& way) {
    const Frame message = bytes_of_message(membership::query(query), ip(way.source), ip(way.to));
    if (query.group.is_v4()) {
      give_v4(message, way);
    } else {
      give_v6(message, way);
    }
  }
  // The report of another host.
  void overhear(std::string_view group) {
    const bool is_v4 = ip(group).is_v4();
    const Way way{is_v4 ? "10.0.0.8" : "fe80::8", std::string(group)};
    const Frame message =
        bytes_of_message(membership::single(Kind::report, 2, ip(group)), ip(way.source), ip(group));
    if (is_v4) {
      give_v4(message, way);
    } else {
      give_v6(message, way);
    }
  }
  std::vector<Told> tells(Duration within) { return told_in(run_for(within)); }
  const IpAddress any4 = IpAddress::any(Family::ipv4);
  const IpAddress any6 = IpAddress::any(Family::ipv6);
};

TEST_F(Groups, JoiningIsToldAtOnceAndOnceMoreWithinASecondAndSoIsLeaving) {
  // RFC 3376 5.1 [RFC3376-5-a]
  EXPECT_TRUE(told_in(take()).empty());
  join("239.1.2.3");
  auto told = told_in(take());
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].destination, ip("224.0.0.22"));
  EXPECT_EQ(told[0].source, ip("10.0.0.1"));
  EXPECT_EQ(told[0].hops, 1);
  EXPECT_TRUE(told[0].has_alert);
  ASSERT_EQ(told[0].records.size(), 1u);
  EXPECT_TRUE(is_record(told[0].records[0], RecordType::to_exclude, "239.1.2.3"));
  told = tells(1_s);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(is_record(told[0].records.at(0), RecordType::to_exclude, "239.1.2.3"));
  EXPECT_TRUE(tells(600_s).empty());
  join("239.1.2.3");  // a second listener changes nothing
  leave("239.1.2.3");
  EXPECT_TRUE(tells(10_s).empty());
  leave("239.1.2.3");
  told = tells(1_s);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_TRUE(is_record(told[0].records.at(0), RecordType::to_include, "239.1.2.3"));
  EXPECT_TRUE(is_record(told[1].records.at(0), RecordType::to_include, "239.1.2.3"));
  EXPECT_TRUE(tells(600_s).empty());
}

TEST_F(Groups, MldReportsGoToFf0216FromTheLinkLocalAddressWithOneHopAndTheAlert) {
  // RFC 3810 5.2.13, 5.2.14 [RFC3810-5-a]
  join("ff05::1234");
  const auto told = tells(1_s);
  ASSERT_EQ(told.size(), 2u);
  for (const Told& one : told) {
    EXPECT_EQ(one.destination, ip("ff02::16"));
    EXPECT_EQ(one.source, ip("fe80::1"));
    EXPECT_EQ(one.hops, 1);
    EXPECT_TRUE(one.has_alert);
    EXPECT_TRUE(is_record(one.records.at(0), RecordType::to_exclude, "ff05::1234"));
  }
}

TEST_F(Groups, GroupsOfAllMachinesAndThoseThatNeverLeaveAMachineAreToldToNobody) {
  // [RFC1122-3.3.7-a], RFC 3810 6
  for (const char* group : {"224.0.0.1", "ff02::1", "ff01::99"}) {
    join(group);
    EXPECT_TRUE(tells(2_s).empty()) << group;
    Query query;
    query.group = ip(group);
    ask(query);
    EXPECT_TRUE(tells(20_s).empty()) << group;
  }
}

TEST_F(Groups, AGeneralQueryIsAnsweredOnceWithAllGroupsWithinTheTimeItGives) {
  // RFC 3376 5.2 [RFC3376-5-a]
  join("239.1.2.3");
  join("239.1.2.4");
  run_for(10_s);
  Query query;
  query.group = any4;
  query.max_response = 4_s;
  ask(query);
  EXPECT_TRUE(told_in(take()).empty());  // never at once: all hosts would
  ask(query);
  const auto told = tells(4_s);
  ASSERT_EQ(told.size(), 1u);
  ASSERT_EQ(told[0].records.size(), 2u);
  EXPECT_TRUE(is_record(told[0].records[0], RecordType::is_exclude, "239.1.2.3"));
  EXPECT_TRUE(is_record(told[0].records[1], RecordType::is_exclude, "239.1.2.4"));
  EXPECT_TRUE(tells(60_s).empty());
}

TEST_F(Groups, AnswersOfManyQueriesAreSpreadOverTheTimeGiven) {
  // RFC 3376 5.2
  join("239.1.2.3");
  run_for(10_s);
  Query query;
  query.group = any4;
  query.max_response = 10_s;
  int late = 0;
  for (int i = 0; i < 100; ++i) {
    ask(query);
    late += tells(5_s).empty() ? 1 : 0;
    run_for(5_s);
  }
  EXPECT_GT(late, 30);
  EXPECT_LT(late, 70);
}

TEST_F(Groups, AnMldQueryIsAnsweredWithTheSolicitedNodeGroupsTooOfWhichNothingWasSaidBefore) {
  // RFC 3810 6.2
  EXPECT_TRUE(tells(60_s).empty());
  Query query;
  query.group = any6;
  ask(query);
  const auto told = tells(10_s);
  ASSERT_EQ(told.size(), 1u);
  ASSERT_EQ(told[0].records.size(), 1u);
  EXPECT_TRUE(is_record(told[0].records[0], RecordType::is_exclude, "ff02::1:ff00:1"));
}

TEST_F(Groups, AQueryAboutAGroupIsAnsweredByMembersOnlyAndAboutSourcesByWhatIsWantedOfThem) {
  // RFC 3376 5.2 [RFC3376-5-a]
  listen("232.1.1.1", std::nullopt, only({"10.0.0.5", "10.0.0.6"}));
  listen("232.1.1.2", std::nullopt, only({"10.0.0.5"}, true));
  run_for(10_s);
  Query query;
  query.group = ip("239.9.9.9");
  ask(query);
  EXPECT_TRUE(tells(20_s).empty());
  query.group = ip("232.1.1.1");
  ask(query);
  auto told = tells(20_s);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(is_record(told[0].records.at(0), RecordType::is_include, "232.1.1.1",
                        {"10.0.0.5", "10.0.0.6"}));
  query.sources = {ip("10.0.0.5"), ip("10.0.0.7")};
  ask(query);
  told = tells(20_s);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(is_record(told[0].records.at(0), RecordType::is_include, "232.1.1.1", {"10.0.0.5"}));
  query.group = ip("232.1.1.2");
  ask(query);
  told = tells(20_s);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(is_record(told[0].records.at(0), RecordType::is_include, "232.1.1.2", {"10.0.0.7"}));
  query.sources = {ip("10.0.0.5")};
  ask(query);
  EXPECT_TRUE(tells(20_s).empty());  // nothing of it is wanted
}

TEST_F(Groups, FiltersOfSeveralListenersMakeOneOfTheInterface) {
  // RFC 3376 3.2 [RFC3376-5-a]
  const auto seen = [&] {
    const auto told = told_in(take());
    run_for(5_s);
    return told.empty() ? std::vector<Record>{} : told[0].records;
  };
  listen("232.1.1.1", std::nullopt, only({"10.0.0.5"}));
  auto records = seen();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_TRUE(is_record(records[0], RecordType::allow_new, "232.1.1.1", {"10.0.0.5"}));
  listen("232.1.1.1", std::nullopt, only({"10.0.0.5", "10.0.0.6"}));
  records = seen();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_TRUE(is_record(records[0], RecordType::allow_new, "232.1.1.1", {"10.0.0.6"}));
  // One that excludes makes the whole exclude, but for what others include.
  listen("232.1.1.1", std::nullopt, only({"10.0.0.6", "10.0.0.7"}, true));
  records = seen();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_TRUE(is_record(records[0], RecordType::to_exclude, "232.1.1.1", {"10.0.0.7"}));
  // Of two that exclude, what both do.
  listen("232.1.1.1", std::nullopt, only({"10.0.0.8"}, true));
  records = seen();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_TRUE(is_record(records[0], RecordType::allow_new, "232.1.1.1", {"10.0.0.7"}));
  listen("232.1.1.1", only({"10.0.0.8"}, true), std::nullopt);
  seen();
  listen("232.1.1.1", only({"10.0.0.6", "10.0.0.7"}, true), std::nullopt);
  records = seen();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_TRUE(is_record(records[0], RecordType::to_include, "232.1.1.1", {"10.0.0.5", "10.0.0.6"}));
  listen("232.1.1.1", only({"10.0.0.5", "10.0.0.6"}), only({"10.0.0.5"}));
  records = seen();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_TRUE(is_record(records[0], RecordType::block_old, "232.1.1.1", {"10.0.0.6"}));
}

TEST_F(Groups, BeforeAnOlderQuerierItsVersionIsSpokenUntilItIsGone) {
  // RFC 2236 3 [RFC2236-3-a], RFC 3376 7.2.1 [RFC3376-7-a]
  join("239.1.2.3");
  run_for(10_s);
  Query query;
  query.version = 2;
  query.group = any4;
  ask(query);
  auto told = tells(10_s);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].version, 2u);
  EXPECT_EQ(told[0].destination, ip("239.1.2.3"));  // so that others hear it and keep silent
  EXPECT_TRUE(told[0].has_alert);
  EXPECT_EQ(told[0].hops, 1);
  join("239.1.2.4");
  told = tells(10_s);
  ASSERT_EQ(told.size(), 2u);  // at once, and again
  EXPECT_EQ(told[0].group, ip("239.1.2.4"));
  leave("239.1.2.4");
  told = tells(10_s);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].kind, Kind::leave);
  EXPECT_EQ(told[0].destination, ip("224.0.0.2"));
  EXPECT_EQ(told[0].group, ip("239.1.2.4"));
  query.version = 1;
  ask(query);
  told = tells(10_s);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].version, 1u);
  run_for(260_s);  // robustness 2, interval 125 s, and a response
  leave("239.1.2.3");
  told = tells(1_s);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].version, 3u);
}

TEST_F(Groups, MldSpeaksItsFirstVersionBeforeAnOlderQuerierUntilItIsGone) {
  // RFC 3810 8.2.1 [RFC3810-8-a]
  join("ff05::1234");
  run_for(10_s);
  Query query;
  query.version = 2;
  query.group = any6;
  query.max_response = 5_s;
  ask(query);
  auto told = tells(5_s);
  ASSERT_EQ(told.size(), 2u);  // and the solicited-node group
  EXPECT_EQ(told[0].version, 2u);
  EXPECT_EQ(told[0].destination, told[0].group);
  leave("ff05::1234");
  told = tells(5_s);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].kind, Kind::leave);
  EXPECT_EQ(told[0].destination, ip("ff02::2"));
  run_for(260_s);
  join("ff05::1234");
  told = tells(1_s);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].version, 3u);
}

TEST_F(Groups, BeforeAnOlderQuerierTheReportOfOneHostIsEnough) {
  // RFC 2236 3 [RFC2236-3-a]
  for (const char* group : {"239.1.2.3", "ff05::1234"}) {
    join(group);
    run_for(10_s);
    Query query;
    query.version = 2;
    query.group = IpAddress::any(ip(group).family());
    ask(query);
    if (ip(group).is_v6()) overhear("ff02::1:ff00:1");
    overhear(group);
    EXPECT_TRUE(tells(10_s).empty()) << group;
    leave(group);  // and whoever was not the last to report need not say so
    EXPECT_TRUE(tells(10_s).empty()) << group;
  }
}

TEST_F(Groups, QueriesThatAreNotWhatTheyShouldBeAreDroppedAndCounted) {
  // RFC 3376 4, 9.1 [RFC3376-9-a], BI-91
  join("239.1.2.3");
  join("ff05::1234");
  run_for(10_s);
  const std::uint64_t before = drops(DropReason::bad_icmp);
  std::uint64_t bad = 0;
  const auto is_dropped = [&](const char* what) {
    EXPECT_TRUE(tells(20_s).empty()) << what;
    EXPECT_EQ(drops(DropReason::bad_icmp) - before, ++bad) << what;
  };
  Query four;
  four.group = any4;
  Query six;
  six.group = any6;
  ask(four, {"10.0.0.9", "224.0.0.1", 2, true});
  is_dropped("hops");
  ask(four, {"10.0.0.9", "224.0.0.1", 1, false});
  is_dropped("no alert");
  ask(four, {"10.0.0.9", "239.1.2.3", 1, true});
  is_dropped("a general query to one group");
  ask(six, {"2001:db8::9", "ff02::1", 1, true});
  is_dropped("not link-local");
  ask(six, {"::", "ff02::1", 1, true});
  is_dropped("from nobody");
  ask(six, {"fe80::9", "ff02::1", 64, true});
  is_dropped("hop limit");
  ask(six, {"fe80::9", "ff02::1", 1, false});
  is_dropped("no alert in IPv6");
  Query some;
  some.group = ip("239.1.2.3");
  some.sources = {ip("10.0.0.5"), ip("10.0.0.6")};
  const Way way{"10.0.0.9", "239.1.2.3"};
  Frame message = bytes_of_message(membership::query(some), ip(way.source), ip(way.to));
  Frame damaged = message;
  damaged[3] ^= 1;
  give_v4(damaged, way);
  is_dropped("checksum");
  for (const std::size_t size : {7u, 9u, 11u, 19u}) {
    Packet cut = Packet::copy_of(Bytes(message).first(size));
    cut.mutable_front()[2] = cut.mutable_front()[3] = 0;
    give_v4(bytes_of_message(std::move(cut), any4, any4), way);
    is_dropped("cut short");
  }
  Record record{RecordType::is_exclude, ip("239.1.2.3"), {}};
  Packet report = membership::report(Family::ipv4, {&record, 1});
  store16(report.mutable_front().data() + 6, 65535);  // records
  give_v4(bytes_of_message(std::move(report), any4, any4), {"10.0.0.9", "224.0.0.1"});
  is_dropped("more records than came");
}

TEST_F(Groups, AQueryThatGivesNoTimeIsNotAnsweredAtOnceAndManyGiveNoMoreThanOneAnswer) {
  // BI-91
  join("239.1.2.3");
  run_for(10_s);
  Query query;
  query.group = ip("239.1.2.3");
  query.max_response = 0_s;
  for (int i = 0; i < 1000; ++i) ask(query);
  EXPECT_EQ(count(), 0u);
  EXPECT_EQ(tells(10_s).size(), 1u);
}

TEST_F(Groups, AReportLongerThanTheLinkTakesIsSeveral) {
  // RFC 3376 4.2.16
  for (int i = 0; i < 400; ++i) {
    join("239.2." + std::to_string(i / 200) + "." + std::to_string(i % 200 + 1));
  }
  run_for(10_s);
  Query query;
  query.group = any4;
  ask(query);
  const auto frames = run_for(10_s);
  std::size_t records = 0;
  for (const Told& told : told_in(frames)) records += told.records.size();
  for (const Frame& frame : frames) EXPECT_LE(frame.size(), 1514u);
  EXPECT_EQ(records, 400u);
}

class CheckingHost : public Groups {
 protected:
  static InterfaceConfig config() {
    InterfaceConfig config = interface_config();
    config.makes_link_local = true;
    config.solicits_routers = false;
    config.checks_duplicates = true;
    return config;
  }
  CheckingHost() : Groups(host_config(), config(), false) {}
};

TEST_F(CheckingHost, TellsOfTheSolicitedNodeGroupFromNobodyBeforeItSolicits) {
  // RFC 4862 5.4.2 [RFC4862-5.4.2-a], RFC 3810 5.2.13 [RFC3810-5-a]
  const auto frames = run_for(1_s);
  ASSERT_GE(frames.size(), 2u);
  const auto first = told_in(frames[0]);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->source, any6);
  EXPECT_TRUE(is_record(first->records.at(0), RecordType::to_exclude, "ff02::1:ff00:1"));
  EXPECT_TRUE(std::any_of(frames.begin(), frames.end(), [](const Frame& frame) {
    return icmp_of(frame) && icmp_of(frame)->type == 135;
  }));
}

}  // namespace
}  // namespace lanyard::stack::test
