// SPDX-License-Identifier: Apache-2.0
// The socket calls on one machine, over its loopback, with the answers Linux gives (RFC 9293 3.9.1,
// socket(7), tcp(7)).
#include "socket/sockets.hh"

#include <gtest/gtest.h>

#include "socket/watcher.hh"

namespace lanyard::socket {
namespace {

class SocketsTest : public ::testing::Test {
 protected:
  SocketsTest() : stack_(stack::Config{}, Seed(1), 1, nullptr), sockets_(stack_) {}

  // Lets the loopback carry what was sent, for a while of virtual time.
  void settle(Duration duration = Duration::milliseconds(500)) {
    const Instant end = now_ + duration;
    do {
      stack_.poll(now_);
      while (stack_.take_frame()) {
      }
      const Instant next = stack_.next_deadline();
      if (next > end) break;
      now_ = std::max(now_, next);
    } while (true);
    now_ = end;
  }
  Handle open(Type type = Type::stream, Family family = Family::ipv4) {
    return *sockets_.open(family, type);
  }
  static Endpoint local(Port port) { return {IpAddress::loopback(Family::ipv4), port}; }
  Handle listening(Port port, int backlog = 5) {
    const Handle socket = open();
    EXPECT_TRUE(sockets_.bind(socket, local(port)));
    EXPECT_TRUE(sockets_.listen(now_, socket, backlog));
    return socket;
  }
  struct Connected {
    Handle listener, client, server;
  };
  Connected connected(Port port = 80) {
    const Handle listener = listening(port);
    const Handle client = open();
    EXPECT_EQ(sockets_.connect(now_, client, local(port)).error(), Errno::in_progress);
    settle();
    const auto accepted = sockets_.accept(now_, listener);
    EXPECT_TRUE(accepted);
    return {listener, client, accepted->socket};
  }
  std::string receive(Handle socket) {
    std::vector<std::uint8_t> buffer(4096);
    const auto bytes = sockets_.receive(now_, socket, buffer);
    if (!bytes) return std::string(errno_name(bytes.error()));
    return std::string(text_of(Bytes(buffer).first(*bytes)));
  }
  std::int64_t number(Handle socket, Option option) {
    const auto value = sockets_.get_option(now_, socket, option);
    return value ? std::get<std::int64_t>(*value) : -static_cast<std::int64_t>(value.error());
  }

  stack::Stack stack_;
  Sockets sockets_;
  Instant now_ = Instant::start();
};

TEST_F(SocketsTest, OpenRefusesWhatIsNotServed) {
  EXPECT_EQ(sockets_.open(Family::ipv4, Type::stream, 17).error(), Errno::protocol_not_supported);
  EXPECT_EQ(sockets_.open(Family::ipv4, Type::datagram, 6).error(), Errno::protocol_not_supported);
  EXPECT_EQ(sockets_.open(Family::ipv4, Type::datagram, 58).error(), Errno::protocol_not_supported);
  EXPECT_EQ(sockets_.open(Family::ipv6, Type::raw, 0).error(), Errno::protocol_not_supported);
  EXPECT_TRUE(sockets_.open(Family::ipv4, Type::stream, 6));
  EXPECT_TRUE(sockets_.open(Family::ipv6, Type::datagram, 58));
}

TEST_F(SocketsTest, AStaleHandleIsABadDescriptor) {
  const Handle socket = open();
  EXPECT_TRUE(sockets_.close(now_, socket));
  EXPECT_EQ(sockets_.close(now_, socket).error(), Errno::bad_descriptor);
  EXPECT_EQ(sockets_.bind(socket, local(80)).error(), Errno::bad_descriptor);
  EXPECT_EQ(sockets_.send(now_, socket, bytes_of("x")).error(), Errno::bad_descriptor);
  EXPECT_EQ(sockets_.local_endpoint(socket).error(), Errno::bad_descriptor);
}

TEST_F(SocketsTest, OneListenerPerPort) {
  listening(80);
  const Handle second = open();
  EXPECT_EQ(sockets_.bind(second, local(80)).error(), Errno::address_in_use);
  EXPECT_TRUE(sockets_.bind(second, local(81)));
  EXPECT_EQ(sockets_.bind(second, local(82)).error(), Errno::invalid);  // bound already
}

TEST_F(SocketsTest, AnAddressThatIsNotOursCannotBeBound) {
  EXPECT_EQ(sockets_.bind(open(), {IpAddress::v4(9, 9, 9, 9), 80}).error(),
            Errno::address_not_available);
  const Handle free = open();
  EXPECT_TRUE(sockets_.set_option(now_, free, Option::free_bind, std::int64_t{1}));
  EXPECT_TRUE(sockets_.bind(free, {IpAddress::v4(9, 9, 9, 9), 80}));
}

TEST_F(SocketsTest, StreamAndDatagramSocketsDoNotShareAPortSpace) {
  listening(80);
  EXPECT_TRUE(sockets_.bind(open(Type::datagram), local(80)));
}

TEST_F(SocketsTest, AConversationFromConnectToClose) {
  const auto [listener, client, server] = connected();
  EXPECT_EQ(*sockets_.send(now_, client, bytes_of("hello")), 5U);
  settle();
  EXPECT_TRUE(sockets_.readiness(server).readable);
  EXPECT_EQ(sockets_.readable_bytes(server), 5U);
  EXPECT_EQ(receive(server), "hello");
  EXPECT_EQ(receive(server), "EAGAIN");
  EXPECT_TRUE(sockets_.shutdown(now_, client, Shutdown::write));
  settle();
  EXPECT_TRUE(sockets_.readiness(server).read_closed);
  EXPECT_EQ(receive(server), "");  // RFC 9293 3.6 [MUST-12]: a normal close reads as the end
  EXPECT_EQ(*sockets_.send(now_, server, bytes_of("bye")),
            3U);  // half-close: the other way still works
  settle();
  EXPECT_EQ(receive(client), "bye");
  EXPECT_TRUE(sockets_.close(now_, server));
  settle();
  EXPECT_EQ(receive(client), "");
  EXPECT_TRUE(sockets_.readiness(client).hung_up);
}

TEST_F(SocketsTest, EndpointsAreKnownOnBothSides) {
  const auto [listener, client, server] = connected();
  EXPECT_EQ(sockets_.peer_endpoint(client)->port, 80);
  EXPECT_EQ(*sockets_.peer_endpoint(server), *sockets_.local_endpoint(client));
  EXPECT_EQ(*sockets_.local_endpoint(server), *sockets_.peer_endpoint(client));
  EXPECT_EQ(sockets_.peer_endpoint(listener).error(), Errno::not_connected);
}

TEST_F(SocketsTest, ConnectTellsHowItStands) {
  listening(80);
  const Handle client = open();
  EXPECT_EQ(sockets_.connect(now_, client, local(80)).error(), Errno::in_progress);
  settle();
  EXPECT_TRUE(sockets_.connect(now_, client, local(80)));  // the first after success: 0
  EXPECT_EQ(sockets_.connect(now_, client, local(80)).error(), Errno::already_connected);
}

TEST_F(SocketsTest, ARefusedConnectSaysSoOnceAndMayTryAgain) {
  const Handle client = open();
  EXPECT_EQ(sockets_.connect(now_, client, local(80)).error(), Errno::in_progress);
  settle();
  EXPECT_TRUE(sockets_.readiness(client).failed);
  EXPECT_EQ(sockets_.connect(now_, client, local(80)).error(), Errno::connection_refused);
  listening(80);
  EXPECT_EQ(sockets_.connect(now_, client, local(80)).error(), Errno::in_progress);
  settle();
  EXPECT_TRUE(sockets_.connect(now_, client, local(80)));
}

TEST_F(SocketsTest, AbortIsToldApartFromClose) {
  const auto [listener, client, server] = connected();
  EXPECT_TRUE(sockets_.set_option(now_, server, Option::linger, Linger{true, Duration::zero()}));
  EXPECT_TRUE(sockets_.close(now_, server));
  settle();
  EXPECT_EQ(receive(client), "ECONNRESET");  // RFC 9293 3.6 [MUST-12]
  EXPECT_EQ(sockets_.send(now_, client, bytes_of("x")).error(), Errno::broken_pipe);
}

TEST_F(SocketsTest, CloseWithUnreadDataResets) {
  const auto [listener, client, server] = connected();
  EXPECT_TRUE(sockets_.send(now_, client, bytes_of("never read")));
  settle();
  EXPECT_TRUE(sockets_.close(now_, server));  // RFC 9293 3.6.1 [SHLD-3]
  settle();
  EXPECT_EQ(receive(client), "ECONNRESET");
}

TEST_F(SocketsTest, CallsInTheWrongConditionSayWhich) {
  const Handle fresh = open();
  EXPECT_EQ(receive(fresh), "ENOTCONN");
  EXPECT_EQ(sockets_.send(now_, fresh, bytes_of("x")).error(), Errno::broken_pipe);
  EXPECT_EQ(sockets_.accept(now_, fresh).error(), Errno::invalid);
  EXPECT_EQ(sockets_.shutdown(now_, fresh, Shutdown::both).error(), Errno::not_connected);
  EXPECT_EQ(sockets_.listen(now_, open(Type::datagram), 5).error(), Errno::not_supported);
  EXPECT_EQ(sockets_.accept(now_, listening(81)).error(), Errno::try_again);
  EXPECT_EQ(sockets_.connect(now_, listening(82), local(81)).error(), Errno::already_connected);
}

TEST_F(SocketsTest, ShuttingAListenerEndsIt) {
  const Handle listener = listening(80);
  EXPECT_TRUE(sockets_.shutdown(now_, listener, Shutdown::both));
  EXPECT_EQ(sockets_.accept(now_, listener).error(), Errno::invalid);
}

TEST_F(SocketsTest, DatagramsKeepTheirBoundsAndTheirSenders) {
  const Handle server = open(Type::datagram);
  const Handle client = open(Type::datagram);
  EXPECT_TRUE(sockets_.bind(server, local(53)));
  DatagramFacts facts;
  facts.peer = local(53);
  EXPECT_EQ(*sockets_.send_to(now_, client, bytes_of("one"), facts), 3U);
  EXPECT_EQ(*sockets_.send_to(now_, client, bytes_of(""), facts), 0U);
  settle();
  std::vector<std::uint8_t> buffer(2);
  const auto first = sockets_.receive_from(now_, server, buffer);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->bytes, 2U);
  EXPECT_EQ(first->full_bytes, 3U);
  EXPECT_EQ(first->facts.peer,
            (Endpoint{IpAddress::loopback(Family::ipv4), sockets_.local_endpoint(client)->port}));
  const auto second = sockets_.receive_from(now_, server, buffer);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->full_bytes, 0U);
  EXPECT_EQ(sockets_.receive_from(now_, server, buffer).error(), Errno::try_again);
}

TEST_F(SocketsTest, AConnectedDatagramSocketLearnsThatNobodyListens) {
  const Handle client = open(Type::datagram);
  EXPECT_TRUE(sockets_.connect(now_, client, local(9)));
  EXPECT_TRUE(sockets_.send(now_, client, bytes_of("x")));
  settle();
  EXPECT_TRUE(sockets_.readiness(client).failed);
  EXPECT_EQ(receive(client), "ECONNREFUSED");  // [RFC1122-4.1.3.3-a]
  EXPECT_EQ(receive(client), "EAGAIN");
}

TEST_F(SocketsTest, BroadcastNeedsLeave) {
  DatagramFacts facts;
  stack_.add_address(now_, stack_.add_interface({}), {IpAddress::v4(10, 0, 0, 1), 24});
  facts.peer = {IpAddress::v4(255, 255, 255, 255), 9};
  EXPECT_EQ(sockets_.send_to(now_, open(Type::datagram), bytes_of("x"), facts).error(),
            Errno::access_denied);
}

TEST_F(SocketsTest, AnIpv6SocketSpeaksIpv4UnlessToldOtherwise) {
  const Handle dual = open(Type::stream, Family::ipv6);
  EXPECT_TRUE(sockets_.bind(dual, {IpAddress::any(Family::ipv6), 80}));
  EXPECT_TRUE(sockets_.listen(now_, dual, 5));
  EXPECT_EQ(sockets_.bind(open(), local(80)).error(), Errno::address_in_use);
  const Handle client = open();
  EXPECT_EQ(sockets_.connect(now_, client, local(80)).error(), Errno::in_progress);
  settle();
  EXPECT_TRUE(sockets_.accept(now_, dual));
  const Handle only = open(Type::stream, Family::ipv6);
  EXPECT_TRUE(sockets_.set_option(now_, only, Option::v6_only, std::int64_t{1}));
  EXPECT_TRUE(sockets_.bind(only, {IpAddress::any(Family::ipv6), 81}));
  EXPECT_TRUE(sockets_.listen(now_, only, 5));
  EXPECT_TRUE(sockets_.bind(open(), local(81)));
}

TEST_F(SocketsTest, AnIpv4SocketRefusesIpv6Addresses) {
  EXPECT_EQ(sockets_.connect(now_, open(), {IpAddress::loopback(Family::ipv6), 80}).error(),
            Errno::family_not_supported);
}

TEST_F(SocketsTest, OptionsAreKeptOrRefused) {
  const Handle socket = open();
  EXPECT_TRUE(sockets_.set_option(now_, socket, Option::no_delay, std::int64_t{1}));
  EXPECT_EQ(number(socket, Option::no_delay), 1);
  EXPECT_TRUE(sockets_.set_option(now_, socket, Option::keep_idle, std::int64_t{60}));
  EXPECT_EQ(number(socket, Option::keep_idle), 60);
  EXPECT_EQ(sockets_.set_option(now_, socket, Option::keep_idle, std::int64_t{0}).error(),
            Errno::invalid);
  EXPECT_TRUE(sockets_.set_option(now_, socket, Option::receive_buffer, std::int64_t{50000}));
  EXPECT_EQ(number(socket, Option::receive_buffer), 100000);
  EXPECT_TRUE(sockets_.set_option(now_, socket, Option::mark, std::int64_t{7}));
  EXPECT_EQ(number(socket, Option::mark), 7);
  EXPECT_EQ(sockets_.set_option(now_, socket, Option::header_included, std::int64_t{1}).error(),
            Errno::no_such_option);
  EXPECT_TRUE(sockets_.set_option(now_, socket, Option::fast_open, std::int64_t{3}));
  EXPECT_EQ(number(socket, Option::fast_open), 3);
  EXPECT_EQ(number(socket, Option::pacing_rate_max), -1);
  EXPECT_TRUE(sockets_.set_option(now_, socket, Option::pacing_rate_max, std::int64_t{1 << 20}));
  EXPECT_EQ(number(socket, Option::pacing_rate_max), 1 << 20);
  EXPECT_TRUE(sockets_.set_option(now_, socket, Option::user_timeout_option, std::int64_t{1}));
  EXPECT_EQ(number(socket, Option::user_timeout_option), 1);
  EXPECT_EQ(sockets_.set_option(now_, socket, Option::fast_open_connect, std::int64_t{2}).error(),
            Errno::invalid);
  EXPECT_EQ(sockets_.set_option(now_, socket, Option::broadcast, std::int64_t{1}).error(),
            Errno::no_such_option);
  EXPECT_EQ(sockets_.set_option(now_, socket, Option::error, std::int64_t{1}).error(),
            Errno::no_such_option);
  EXPECT_EQ(
      sockets_.set_option(now_, open(Type::datagram), Option::no_delay, std::int64_t{1}).error(),
      Errno::no_such_option);
  EXPECT_EQ(number(socket, Option::is_listening), 0);
  EXPECT_EQ(number(listening(80), Option::is_listening), 1);
  EXPECT_EQ(number(socket, Option::mtu), -static_cast<std::int64_t>(Errno::not_connected));
}

// BI-74: what SIOCINQ counts in each condition; on a listener Linux refuses, guest/ does so there.
TEST_F(SocketsTest, ReadableBytesAreCountedInEveryCondition) {
  EXPECT_EQ(sockets_.readable_bytes(open()), 0U);
  const auto [listener, client, server] = connected();
  EXPECT_EQ(sockets_.readable_bytes(listener), 0U);
  EXPECT_EQ(sockets_.readable_bytes(server), 0U);
  EXPECT_TRUE(sockets_.send(now_, client, bytes_of("four")));
  EXPECT_TRUE(sockets_.shutdown(now_, client, Shutdown::write));
  settle();
  EXPECT_EQ(sockets_.readable_bytes(server), 4U);  // the FIN is not counted
  EXPECT_EQ(receive(server), "four");
  EXPECT_EQ(sockets_.readable_bytes(server), 0U);
  EXPECT_TRUE(sockets_.close(now_, server));
  EXPECT_EQ(sockets_.readable_bytes(server), 0U);
}

TEST_F(SocketsTest, TcpInfoTellsTheState) {
  const auto [listener, client, server] = connected();
  const auto info = sockets_.get_option(now_, client, Option::tcp_info);
  ASSERT_TRUE(info);
  EXPECT_GT(std::get<TcpInfo>(*info).snd_mss, 500U);
  EXPECT_GE(std::get<TcpInfo>(*info).snd_cwnd, 2U);
}

TEST_F(SocketsTest, AnEchoSocketSendsOnlyEchoRequests) {
  const Handle socket = *sockets_.open(Family::ipv4, Type::datagram, 1);
  DatagramFacts facts;
  facts.peer = local(0);
  EXPECT_EQ(sockets_.send_to(now_, socket, bytes_of("short"), facts).error(), Errno::invalid);
  std::vector<std::uint8_t> request(16);
  request[0] = 13;  // timestamp
  EXPECT_EQ(sockets_.send_to(now_, socket, request, facts).error(), Errno::invalid);
  request[0] = 8;
  request[7] = 1;
  EXPECT_TRUE(sockets_.send_to(now_, socket, request, facts));
  settle();
  std::vector<std::uint8_t> buffer(64);
  const auto reply = sockets_.receive_from(now_, socket, buffer);
  ASSERT_TRUE(reply);  // [RFC1122-3.2.2.6-e]
  EXPECT_EQ(reply->bytes, 16U);
  EXPECT_EQ(buffer[0], 0);
  EXPECT_EQ(buffer[7], 1);
}

TEST_F(SocketsTest, RowsShowEverySocket) {
  connected();
  EXPECT_TRUE(sockets_.bind(open(Type::datagram), local(53)));
  std::vector<std::string> states;
  for (const SocketRow& row : sockets_.rows()) states.push_back(row.state);
  EXPECT_EQ(states, (std::vector<std::string>{"LISTEN", "ESTABLISHED", "ESTABLISHED", "UNCONN"}));
}

std::string text_of_all(const std::vector<Slice>& slices) {
  std::string text;
  for (const Slice& slice : slices) text += text_of(slice.bytes());
  return text;
}

TEST_F(SocketsTest, ASliceIsQueuedAndGivenAsItIs) {
  const auto [listener, client, server] = connected();
  const std::vector<std::uint8_t> bytes(2000, 'a');
  const Slice slice = Slice::copy_of(bytes);
  EXPECT_EQ(*sockets_.send_slice(now_, client, slice), 2000U);
  settle();
  std::vector<Slice> got;
  EXPECT_EQ(*sockets_.peek(now_, server, 1500, got), 1500U);
  ASSERT_FALSE(got.empty());
  EXPECT_EQ(got.front().bytes().data(), slice.bytes().data());
  EXPECT_EQ(text_of_all(got), std::string(1500, 'a'));
  EXPECT_EQ(*sockets_.skip(now_, server, 500), 500U);
  got.clear();
  EXPECT_EQ(*sockets_.peek(now_, server, 4096, got), 1500U);
  EXPECT_EQ(*sockets_.skip(now_, server, 4096), 1500U);
  EXPECT_EQ(sockets_.peek(now_, server, 4096, got).error(), Errno::try_again);
  EXPECT_TRUE(sockets_.close(now_, client));
  settle();
  EXPECT_EQ(*sockets_.peek(now_, server, 4096, got), 0U);
  EXPECT_EQ(sockets_.send_slice(now_, open(), slice).error(), Errno::broken_pipe);
  EXPECT_EQ(sockets_.peek(now_, open(Type::datagram), 1, got).error(), Errno::not_supported);
}

TEST_F(SocketsTest, ALookAheadStopsAtTheUrgentOctetAndSkipsIt) {
  const auto [listener, client, server] = connected();
  EXPECT_TRUE(sockets_.send(now_, client, bytes_of("before")));
  EXPECT_TRUE(sockets_.send(now_, client, bytes_of("!"), {.out_of_band = true}));
  EXPECT_TRUE(sockets_.send(now_, client, bytes_of("after")));
  settle();
  std::vector<Slice> got;
  EXPECT_EQ(*sockets_.peek(now_, server, 100, got), 6U);
  EXPECT_EQ(text_of_all(got), "before");
  EXPECT_EQ(*sockets_.skip(now_, server, 6), 6U);
  EXPECT_TRUE(sockets_.is_at_urgent_mark(server));
  got.clear();
  EXPECT_EQ(*sockets_.peek(now_, server, 100, got), 5U);
  EXPECT_EQ(text_of_all(got), "after");
  EXPECT_EQ(*sockets_.skip(now_, server, 5), 5U);
  EXPECT_EQ(receive(server), "EAGAIN");
}

class CallCounter final : public CallWatcher {
 public:
  void on_call(const Call& call) override {
    if (call.kind == CallKind::send || call.kind == CallKind::receive)
      results.push_back(call.result);
  }
  std::vector<std::int64_t> results;
};

// Whoever plays a host's calls again needs what was taken, and not what was looked at.
TEST_F(SocketsTest, TheWatcherHearsOfSlicesAsOfSendsAndReceives) {
  const auto [listener, client, server] = connected();
  CallCounter counter;
  sockets_.set_waker(Handle::none, &counter);
  EXPECT_TRUE(sockets_.send_slice(now_, client, Slice::copy_of(bytes_of("hello"))));
  settle();
  std::vector<Slice> got;
  EXPECT_EQ(*sockets_.peek(now_, server, 100, got), 5U);
  EXPECT_TRUE(sockets_.skip(now_, server, 3));
  EXPECT_TRUE(sockets_.skip(now_, server, 2));
  EXPECT_FALSE(sockets_.peek(now_, server, 100, got));
  EXPECT_EQ(counter.results,
            (std::vector<std::int64_t>{5, 3, 2, -static_cast<std::int64_t>(Errno::try_again)}));
  sockets_.set_waker(Handle::none, nullptr);
}

}  // namespace
}  // namespace lanyard::socket
