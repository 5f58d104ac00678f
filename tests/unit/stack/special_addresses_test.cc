// SPDX-License-Identifier: Apache-2.0
// Broadcast, multicast, source selection, raw sockets and events through a whole machine.
#include "internet/network.hh"
#include "transport/udp.hh"
#include "yard.hh"

namespace lanyard::stack::test {
namespace {

class ThreeOnAWire : public ::testing::Test {
 protected:
  ThreeOnAWire() {
    for (const char* name : {"a", "b", "c"}) yard.add(name);
    for (std::size_t i = 0; i < 3; ++i) {
      const std::string digit = std::to_string(i + 1);
      ends.push_back(
          yard.plug(i, {"10.0.0." + digit + "/24", "2001:db8::" + digit + "/64"}, Yard::quiet()));
      sockets.push_back(yard.stacks[i]->udp().open(Family::ipv4, 1));
      transport::BindRequest request;
      request.local = {ip("0.0.0.0"), 5000, 0};
      EXPECT_TRUE(yard.stacks[i]->udp().bind(sockets[i], request));
      udp::Options options = yard.stacks[i]->udp().options(sockets[i]);
      options.broadcast = true;
      yard.stacks[i]->udp().set_options(sockets[i], options);
    }
    yard.wire(ends[0], ends[1]);
    yard.wire(ends[0], ends[2]);
    yard.wire(ends[1], ends[2]);
  }
  Result<std::size_t> send(std::size_t from, std::string_view to) {
    udp::SendFacts facts;
    facts.remote = {ip(to), 5000, 0};
    auto sent = yard.stacks[from]->udp().send(yard.now, sockets[from], bytes_of("hi"), facts);
    yard.stacks[from]->flush(yard.now);
    yard.run_for(100_ms);
    return sent;
  }
  bool hears(std::size_t node) {
    std::array<std::uint8_t, 16> buffer;
    const auto received = yard.stacks[node]->udp().receive(sockets[node], buffer);
    if (received) destination = received->destination;
    return received.has_value();
  }
  Yard yard;
  std::vector<End> ends;
  std::vector<udp::SocketId> sockets;
  IpAddress destination;
};

TEST_F(ThreeOnAWire, LimitedAndDirectedBroadcastReachAllInLinkBroadcastFrames) {
  // [RFC1122-3.3.6-a], [RFC1122-3.3.6-d], [RFC1122-3.2.1.3-b], [RFC1122-4.1.3.5-a]
  for (const char* all : {"255.255.255.255", "10.0.0.255"}) {
    yard.seen.clear();
    ASSERT_TRUE(send(0, all)) << all;
    EXPECT_TRUE(hears(0));  // a machine hears its own
    EXPECT_TRUE(hears(1));
    EXPECT_TRUE(hears(2));
    EXPECT_EQ(destination, ip(all));
    ASSERT_EQ(yard.seen.size(), 1u);
    EXPECT_TRUE(ethernet::View::parse(yard.seen[0].bytes)->destination().is_broadcast());
    EXPECT_EQ(ipv4::View::parse(yard.seen[0].inside())->source(), ip("10.0.0.1"));
  }
}

TEST_F(ThreeOnAWire, GroupReachesItsMembersOnly) {
  // [RFC1122-3.3.7-a], RFC 1112 6.4 [RFC1112-a]
  ASSERT_TRUE(yard.stacks[1]->join_group(yard.now, 2, ip("239.1.2.3")));
  ASSERT_TRUE(send(0, "239.1.2.3"));
  EXPECT_FALSE(hears(0));
  EXPECT_TRUE(hears(1));
  EXPECT_FALSE(hears(2));
  bool was_sent = false;
  for (const Seen& frame : yard.seen) {
    const auto view = ethernet::View::parse(frame.bytes);
    was_sent |= view->destination() == MacAddress{{0x01, 0x00, 0x5e, 1, 2, 3}};
  }
  EXPECT_TRUE(was_sent);
  ASSERT_TRUE(yard.stacks[0]->join_group(yard.now, 0, ip("239.1.2.3")));
  ASSERT_TRUE(send(0, "239.1.2.3"));
  EXPECT_TRUE(hears(0));
  EXPECT_TRUE(hears(1));
  // The same MAC address, another group: the full address counts.
  ASSERT_TRUE(send(0, "224.1.2.3"));
  EXPECT_FALSE(hears(1));
  ASSERT_TRUE(yard.stacks[1]->leave_group(yard.now, 2, ip("239.1.2.3")));
  EXPECT_EQ(yard.stacks[1]->leave_group(yard.now, 2, ip("239.1.2.3")).error(),
            Errno::address_not_available);
  EXPECT_EQ(yard.stacks[1]->join_group(yard.now, 2, ip("10.0.0.9")).error(), Errno::invalid);
  EXPECT_EQ(yard.stacks[1]->join_group(yard.now, 9, ip("239.1.1.1")).error(),
            Errno::no_such_device);
}

TEST_F(ThreeOnAWire, PathsOfSpecialAddresses) {
  // [RFC1122-3.2.1.3-a], [RFC1122-3.2.1.3-c], [RFC1122-3.2.1.3-d], [RFC1122-3.3.4.2-b]
  internet::Network& network = yard.stacks[0]->network();
  const auto any = ip("0.0.0.0");
  EXPECT_EQ(network.find(ip("0.0.0.0"), any, 0).error(), Errno::network_unreachable);
  EXPECT_EQ(network.find(ip("192.0.2.1"), any, 0).error(), Errno::network_unreachable);
  EXPECT_EQ(network.find(ip("10.0.0.2"), ip("10.0.0.7"), 0).error(), Errno::address_not_available);
  EXPECT_EQ(network.find(ip("10.0.0.2"), ip("10.0.0.255"), 0).error(),
            Errno::address_not_available);
  EXPECT_EQ(network.find(ip("10.0.0.2"), ip("127.0.0.1"), 0).error(), Errno::invalid);
  EXPECT_EQ(network.find(ip("10.0.0.2"), any, 0)->source, ip("10.0.0.1"));
  EXPECT_EQ(network.find(ip("10.0.0.2"), ip("10.0.0.1"), 0)->interface, 2u);
  EXPECT_TRUE(network.find(ip("10.0.0.1"), any, 0)->is_local);
  EXPECT_TRUE(network.find(ip("127.0.0.53"), any, 0)->is_local);
  EXPECT_EQ(network.find(ip("127.0.0.53"), any, 0)->source, ip("127.0.0.1"));
  EXPECT_EQ(network.find(ip("::1"), ip("::"), 0)->source, ip("::1"));
  EXPECT_TRUE(network.find(ip("255.255.255.255"), any, 0)->is_broadcast);
  EXPECT_TRUE(network.is_broadcast(ip("10.0.0.255")));
  EXPECT_FALSE(network.is_broadcast(ip("10.0.1.255")));
  yard.stacks[0]->set_link_up(yard.now, 2, false);
  EXPECT_EQ(network.find(ip("10.0.0.2"), any, 2).error(), Errno::network_down);
  EXPECT_EQ(network.find(ip("10.0.0.2"), any, 0).error(), Errno::network_unreachable);
  EXPECT_TRUE(network.find(ip("10.0.0.1"), any, 0)->is_local);
}

TEST_F(ThreeOnAWire, RawSocketSeesItsProtocolWithTheHeaderAndStopsTheUnreachable) {
  // [RFC1122-3.2.1.8-b], [RFC1122-3.2.1.6-b]
  Listener listener;
  const auto protocol = static_cast<internet::Protocol>(99);
  yard.stacks[1]->add_raw(Family::ipv4, protocol, listener);
  internet::Datagram datagram;
  datagram.destination = ip("10.0.0.2");
  datagram.protocol = protocol;
  datagram.traffic_class = 0x28;
  datagram.hop_limit = 7;
  datagram.packet = Packet::copy_of(std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6, 7, 8, 9});
  Listener sender;
  yard.stacks[0]->add_raw(Family::ipv4, protocol, sender);
  internet::Datagram again = std::move(datagram);
  Packet copy = again.packet.share();
  ASSERT_TRUE(yard.stacks[0]->send(yard.now, std::move(again)));
  yard.run_for(1_s);
  ASSERT_EQ(listener.datagrams.size(), 1u);
  EXPECT_EQ(listener.datagrams[0].payload, (std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6, 7, 8, 9}));
  const auto header = ipv4::View::parse_quoted(listener.datagrams[0].header);
  // [RFC1122-3.2.1.6-a], [RFC1122-3.2.1.7-c]
  EXPECT_EQ(header->traffic_class(), 0x28);
  EXPECT_EQ(header->ttl(), 7);
  EXPECT_TRUE(sender.errors.empty());
  yard.stacks[1]->remove_raw(listener);
  internet::Datagram last;
  last.destination = ip("10.0.0.2");
  last.protocol = protocol;
  last.packet = std::move(copy);
  ASSERT_TRUE(yard.stacks[0]->send(yard.now, std::move(last)));
  yard.run_for(1_s);
  ASSERT_EQ(sender.errors.size(), 1u);
  EXPECT_EQ(sender.errors[0].kind, internet::IcmpError::Kind::protocol_unreachable);
}

TEST_F(ThreeOnAWire, EchoIdentifiersAreHeldByOne) {
  Listener one, two;
  EXPECT_EQ(yard.stacks[0]->add_echo(Family::ipv4, 7, one), 7);
  EXPECT_EQ(yard.stacks[0]->add_echo(Family::ipv4, 7, two).error(), Errno::address_in_use);
  EXPECT_EQ(yard.stacks[0]->add_echo(Family::ipv6, 7, two), 7);
  yard.stacks[0]->remove_echo(Family::ipv4, 7);
  EXPECT_EQ(yard.stacks[0]->add_echo(Family::ipv4, 7, two), 7);
  EXPECT_NE(yard.stacks[0]->add_echo(Family::ipv4, 0, one).value(), 7);
}

TEST_F(ThreeOnAWire, InterfacesAreFoundByName) {
  EXPECT_EQ(yard.stacks[0]->interface_of("eth0"), 2u);
  EXPECT_EQ(yard.stacks[0]->interface_of("lo"), 1u);
  EXPECT_FALSE(yard.stacks[0]->interface_of("eth7"));
  EXPECT_EQ(yard.stacks[0]->interface(2)->addresses.size(), 2u);
  EXPECT_FALSE(yard.stacks[0]->interface(3));
}

// Every frame received is caused by its sending, and an answer by what it answers.
class Chain final : public EventSink {
 public:
  void on_event(const Event& event) override { events.push_back(event); }
  std::vector<Event> events;
};

TEST_F(ThreeOnAWire, FramesAreCausedByWhatTheyAnswer) {
  ASSERT_TRUE(yard.ping(0, ip("10.0.0.2"), 5));
  yard.run_for(1_s);  // neighbours are known now
  Chain chain;
  yard.trace.set_sink(&chain);
  ASSERT_TRUE(yard.ping(0, ip("10.0.0.2"), 5));
  yard.run_for(1_s);
  yard.trace.set_sink(nullptr);
  std::map<EventId, Event> by_id;
  const Event* last = nullptr;
  for (const Event& event : chain.events) {
    by_id[event.id] = event;
    if (event.kind == EventKind::frame_received && event.node == 0) last = &event;
  }
  ASSERT_NE(last, nullptr);
  std::vector<std::pair<EventKind, std::uint32_t>> way;
  for (EventId id = last->id; by_id.contains(id); id = by_id[id].cause) {
    way.emplace_back(by_id[id].kind, by_id[id].node);
  }
  const std::vector<std::pair<EventKind, std::uint32_t>> expected = {{EventKind::frame_received, 0},
                                                                     {EventKind::frame_sent, 1},
                                                                     {EventKind::frame_received, 1},
                                                                     {EventKind::frame_sent, 0}};
  EXPECT_EQ(way, expected);
}

}  // namespace
}  // namespace lanyard::stack::test
