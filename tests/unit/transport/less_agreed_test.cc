// SPDX-License-Identifier: Apache-2.0
// Machines that agree on less, have less room, or stand on a link of their own.
#include <gtest/gtest.h>

#include "peer.hh"
#include "transport/congestion/new_reno.hh"
#include "transport/tcp/receiver.hh"

namespace lanyard::test {

using tcp::State;
namespace flags = tcp::flags;

namespace {

tcp::Options all_options() {
  tcp::Options options;
  options.mss = 1460;
  options.window_scale = 7;
  options.sack_permitted = true;
  options.timestamps = tcp::Timestamps{.value = 1000, .echo = 0};
  return options;
}

void handshake(Scripted& s) {
  s.send(flags::syn);
  s.ours = s.expect().header.sequence + 1;
  s.send(flags::ack);
}

}  // namespace

// RFC 7323 2.2, 3.2, RFC 2018 2: an option that is not answered is not in use.
TEST(TcpLessAgreed, AMachineThatHasSwitchedOptionsOffAnswersNone) {
  transport::Config config;
  config.timestamps = config.window_scaling = config.sack = false;
  Scripted s(config);
  s.listen();
  Seg syn = s.make(flags::syn);
  syn.header.options = all_options();
  s.send(syn);
  const tcp::Options answer = s.expect().header.options;
  EXPECT_EQ(answer.mss, 1460);
  EXPECT_FALSE(answer.window_scale);
  EXPECT_FALSE(answer.sack_permitted);
  EXPECT_FALSE(answer.timestamps);
}

// RFC 7323 3.2 [RFC7323-3.2-a] says drop; Linux takes it, and so does whoever asks for that.
TEST(TcpLessAgreed, ASegmentWithoutTimestampsIsTakenIfTheMachineSaysSo) {
  for (const bool is_required : {true, false}) {
    transport::Config config;
    config.timestamps_required = is_required;
    Scripted s(config);
    const auto c = s.accept_one(all_options());
    s.with_timestamps = false;
    s.send(flags::ack, "bare");
    EXPECT_EQ(s.host.tcp.readable_bytes(c), is_required ? 0U : 4U);
  }
}

TEST(TcpLessAgreed, AFullAcceptQueueResetsWhereThatIsWanted) {
  for (const bool resets : {true, false}) {
    transport::Config config;
    config.resets_when_backlog_full = resets;
    Scripted s(config);
    s.listen(s.host.tcp.default_settings(), 0);
    // Two are half open, then one takes the only place.
    s.send(flags::syn);
    const auto first = s.expect().header.sequence + 1;
    ++s.peer_port;
    s.peer_next = s.peer_next - 1;
    s.send(flags::syn);
    const auto second = s.expect().header.sequence + 1;
    s.ours = second;
    s.send(flags::ack);
    --s.peer_port;
    s.ours = first;
    s.expect_nothing_but_acks();
    EXPECT_EQ(s.send(flags::ack), DropReason::tcp_backlog_full);
    const auto answer = s.take();
    EXPECT_EQ(answer && answer->header.flags.rst(), resets);
    // And nobody new is let in while it is full.
    s.peer_port += 7;
    EXPECT_EQ(s.send(flags::syn), DropReason::tcp_backlog_full);
  }
}

TEST(TcpLessAgreed, AMachineWithAsManyConnectionsAsItMayHaveBeginsNone) {
  transport::Config config;
  config.connections_max = 1;
  Scripted s(config);
  s.listen();
  handshake(s);
  ++s.peer_port;
  EXPECT_EQ(s.send(flags::syn), DropReason::out_of_memory);
  s.expect_nothing();
}

// RFC 4007: a link-local peer is one on its link, and answers go back there.
TEST(TcpLessAgreed, ALinkLocalPeerIsAnsweredOnTheLinkItIsOn) {
  Scripted s;
  const IpAddress own = *IpAddress::parse("fe80::1"), peer = *IpAddress::parse("fe80::9");
  s.host.paths.own.insert(own);
  const auto binding = s.host.tcp.bind({.local = {IpAddress::any(Family::ipv6), 80, 0}});
  const auto listener = s.host.tcp.listen(*binding, 5, s.host.tcp.default_settings(), 0);
  const auto arrive = [&](tcp::Flags bits, Port port) {
    Seg segment = s.make(bits);
    segment.source = peer;
    segment.destination = own;
    segment.header.destination_port = port;
    internet::Datagram datagram = make_segment(segment);
    datagram.interface = 3;
    s.host.tcp.on_segment(s.now, std::move(datagram));
  };
  arrive(flags::syn, 81);  // nobody there
  ASSERT_EQ(s.host.out.size(), 1U);
  EXPECT_EQ(s.host.out.front().interface, 3U);
  EXPECT_TRUE(s.expect().header.flags.rst());
  arrive(flags::syn, 80);
  ASSERT_EQ(s.host.out.size(), 1U);
  EXPECT_EQ(s.host.out.front().interface, 3U);
  s.ours = s.expect().header.sequence + 1;
  ++s.peer_next;
  arrive(flags::ack, 80);
  const auto c = s.host.tcp.accept(s.now, *listener, 0);
  ASSERT_TRUE(c);
  EXPECT_EQ(s.host.tcp.remote(*c).interface, 3U);
  // A link-local address to be bound to needs a link.
  EXPECT_EQ(s.host.tcp.bind({.local = {own, 90, 0}}).error(), Errno::invalid);
  EXPECT_TRUE(s.host.tcp.bind({.local = {own, 90, 3}}));
}

// RFC 9293 3.10.2: what does not fit is not taken; RFC 6093: a mark is of the whole of it.
TEST(TcpLessAgreed, ABufferThatIsFullTakesNothingAndHalfAMessageHasNoMark) {
  Scripted s;
  tcp::Settings settings = s.host.tcp.default_settings();
  settings.send_buffer_bytes = 1000;
  const auto c = s.accept_one({}, settings);
  const std::string text = pattern(1500);
  EXPECT_EQ(s.host.tcp.send(s.now, c, as_bytes(text), {.urgent = true, .ends_record = true}),
            1000U);
  EXPECT_FALSE(s.expect().header.flags.urg());
  const Slice slice = Slice::copy_of(as_bytes(text));
  EXPECT_EQ(s.host.tcp.send(s.now, c, slice).error(), Errno::try_again);
  EXPECT_EQ(s.host.tcp.send(s.now, c, Slice::copy_of({})), 0U);
}

// RFC 6093, as BSD and Linux read it.
TEST(TcpReceiver, TheUrgentOctetIsReadOnceOrLookedAtAndSkippedByReads) {
  tcp::Receiver receiver;
  receiver.start(tcp::SequenceNumber(99), 10'000, 0);
  const auto take = [&](const std::string& text) {
    const Packet packet = Packet::copy_of(as_bytes(text));
    receiver.take(receiver.next(), packet, 0, text.size(), 10);
  };
  take("abc");
  EXPECT_FALSE(receiver.has_urgent_byte());
  EXPECT_TRUE(receiver.set_urgent(receiver.next()));   // 'c'
  EXPECT_FALSE(receiver.set_urgent(receiver.next()));  // no news
  EXPECT_EQ(receiver.readable(), 2U);
  EXPECT_EQ(receiver.read_urgent(true), 'c');
  EXPECT_EQ(receiver.read_urgent(false), 'c');
  EXPECT_FALSE(receiver.read_urgent(false));
  std::vector<std::uint8_t> buffer(10);
  EXPECT_EQ(receiver.read({}, false), 0U);
  EXPECT_EQ(receiver.read(buffer, true), 2U);
  EXPECT_EQ(receiver.read(buffer, false), 2U);
  EXPECT_TRUE(receiver.is_at_mark());
  EXPECT_EQ(receiver.read(buffer, false), 0U);  // the octet itself is passed over
  EXPECT_EQ(receiver.skip(5), 0U);
  EXPECT_FALSE(receiver.is_at_mark());
  EXPECT_FALSE(receiver.set_urgent(receiver.next()));  // read past already
  take("d");
  receiver.set_inline(true);
  EXPECT_TRUE(receiver.set_urgent(receiver.next()));
  EXPECT_FALSE(receiver.has_urgent_byte());
  EXPECT_EQ(receiver.read(buffer, false), 1U);
  std::vector<Slice> slices;
  EXPECT_EQ(receiver.share(5, slices), 0U);
}

// RFC 5681 3.1, RFC 6928 2.
TEST(NewReno, AWindowGrowsOnlyOutsideRecoveryAndKeepsItsSegments) {
  congestion::NewReno reno(1000, true);
  EXPECT_EQ(reno.window(), 1000U);  // the SYN was lost
  reno.on_acknowledged({.now = {}, .bytes = 1000, .was_limited = false});
  EXPECT_EQ(reno.window(), 1000U);
  reno.on_acknowledged({.now = {}, .bytes = 1000, .was_limited = true, .in_recovery = true});
  EXPECT_EQ(reno.window(), 1000U);
  reno.on_acknowledged({.now = {}, .bytes = 1000, .was_limited = true});
  EXPECT_EQ(reno.window(), 2000U);
  reno.set_segment(500);
  EXPECT_EQ(reno.window(), 1000U);  // two, of half the size
  reno.set_segment(1500);
  EXPECT_EQ(reno.window(), 1000U);
}

TEST(TcpCalls, TextMayBeSentLookedAtAndSkippedInSlices) {
  Pair pair;
  const auto ends = pair.establish();
  const std::string text = pattern(5000);
  EXPECT_EQ(pair.a.tcp.send(pair.now, ends.a, Slice::copy_of(as_bytes(text))).value(), 5000U);
  pair.run_for(100_ms);
  std::vector<Slice> seen;
  EXPECT_EQ(pair.b.tcp.peek(pair.now, ends.b, 0, seen).value(), 0U);
  EXPECT_EQ(pair.b.tcp.peek(pair.now, ends.b, 3000, seen).value(), 3000U);
  std::string looked;
  for (const Slice& slice : seen) looked += text_of(slice.bytes());
  EXPECT_EQ(looked, text.substr(0, 3000));
  EXPECT_EQ(pair.b.tcp.skip(pair.now, ends.b, 3000).value(), 3000U);
  EXPECT_EQ(pair.read_all(pair.b, ends.b), text.substr(3000));
  EXPECT_EQ(pair.b.tcp.peek(pair.now, ends.b, 10, seen).error(), Errno::try_again);
  EXPECT_EQ(pair.b.tcp.skip(pair.now, ends.b, 10).value(), 0U);
  ASSERT_TRUE(pair.a.tcp.shutdown_write(pair.now, ends.a));
  EXPECT_EQ(pair.a.tcp.send(pair.now, ends.a, Slice::copy_of(as_bytes(text))).error(),
            Errno::broken_pipe);
}

TEST(TcpCalls, APortThatIsBoundOpensOneConnectionToAPeer) {
  Scripted s;
  const auto binding = s.host.tcp.bind({.local = {IpAddress::any(Family::ipv4), 5000, 0}});
  tcp::Open open;
  open.remote = {s.peer, s.peer_port, 3};  // on that link
  open.binding = *binding;
  open.settings = s.host.tcp.default_settings();
  ASSERT_TRUE(s.host.tcp.connect(s.now, open));
  EXPECT_EQ(s.host.out.front().interface, 3U);
  EXPECT_EQ(s.expect().header.source_port, 5000);
  EXPECT_EQ(s.host.tcp.connect(s.now, open).error(), Errno::address_not_available);
}

TEST(TcpCalls, OptionsSetBeforeAnythingWasSentHoldForWhatIs) {
  Scripted s;
  const auto connection = s.accept_one({.mss = 1000});
  tcp::Settings settings = s.host.tcp.default_settings();
  settings.congestion = congestion::Kind::reno;
  settings.no_delay = true;
  s.host.tcp.set(s.now, connection, settings);
  s.expect_nothing();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(s.host.tcp.send(s.now, connection, bytes_of("x")));
    EXPECT_EQ(s.expect().text, "x");
  }
  EXPECT_EQ(s.host.tcp.settings(connection).congestion, congestion::Kind::reno);
}

// 9293-3.10.4-c: a second CLOSE asks for nothing, and the stream has ended.
TEST(TcpCalls, ClosingTwiceSendsOneFin) {
  Scripted s;
  const auto connection = s.reach(State::last_ack);
  EXPECT_TRUE(s.host.tcp.shutdown_write(s.now, connection));
  s.expect_nothing();
  std::vector<std::uint8_t> buffer(10);
  EXPECT_EQ(s.host.tcp.receive(s.now, connection, buffer).value(), 0U);
  EXPECT_EQ(s.host.tcp.state(connection), State::last_ack);
}

}  // namespace lanyard::test
