// SPDX-License-Identifier: Apache-2.0
// What is remembered of a conversation of datagrams (the way, the two ends, who gets them) only
// saves time: the same is said twice, once by machines that are made to forget it before every
// frame and every call.
#include <gtest/gtest.h>

#include "transport/udp.hh"
#include "yard.hh"

namespace lanyard::stack::test {
namespace {

struct Writer final : EventSink {
  void on_event(const Event& event) override {
    std::string line = std::to_string(event.id) + " by " + std::to_string(event.cause) + " at " +
                       to_text(event.at - Instant::start()) + " " + std::to_string(event.node) +
                       " " + std::string(info_of(event.kind).name);
    for (const std::int64_t value : event.values) line += " " + std::to_string(value);
    lines.push_back(line + " " + std::string(event.text));
  }
  std::vector<std::string> lines;
};

// What was seen: on the wire, by programs, in the counters, and by who watched.
struct Held {
  std::vector<std::string> frames, told, events;
  std::vector<DropCounters> drops;
  std::vector<InterfaceRow> interfaces;
};

class Conversation {
 public:
  Conversation(std::uint64_t seed, bool is_forgetful, bool is_watched)
      : is_forgetful_(is_forgetful), dice_(Seed(seed).branch("datagrams").stream()) {
    if (is_watched) yard_.trace.set_sink(&writer_);
    for (const char* name : {"a", "b", "c"}) yard_.add(name);
    const End router = {yard_.add("r", true), 2};
    std::vector<End> ends;
    for (std::size_t node = 0; node < 3; ++node)
      ends.push_back(yard_.plug(node, {"10.0.1." + std::to_string(node + 1) + "/24"},
                                Yard::quiet(node == 2 ? 576 : 1500)));
    ends.push_back(yard_.plug(router.node, {"10.0.1.9/24"}, Yard::quiet()));
    for (const End& one : ends)
      for (const End& other : ends)
        if (one < other) yard_.wire(one, other);
    for (std::size_t node = 0; node < 3; ++node) yard_.route(node, "0.0.0.0/0", "10.0.1.9");
    yard_.loses = [this](const Seen&) {
      forget();
      return dice_.below(20) == 0;
    };
    for (std::size_t node = 0; node < 3; ++node) open_some(node);
  }

  Held hold() {
    for (int i = 0; i < 300; ++i) {
      say();
      if (dice_.below(4) == 0) change();
      if (dice_.below(3) == 0) yard_.run_for(Duration::microseconds(3000));
      if (dice_.below(3) == 0) listen();
    }
    yard_.run_for(10_s);
    listen();
    for (const auto& stack : yard_.stacks) {
      held_.drops.push_back(stack->drops());
      held_.interfaces.push_back(stack->interface(2).value());
    }
    for (const Seen& seen : yard_.seen)
      held_.frames.push_back(to_text(seen.at - Instant::start()) + " " +
                             std::to_string(seen.from.node) + " " +
                             std::string(text_of(Bytes(seen.bytes))));
    held_.events = writer_.lines;
    return std::move(held_);
  }

 private:
  struct Open {
    std::size_t node;
    udp::SocketId id;
    bool shares;
  };
  udp::Udp& udp_of(const Open& open) { return yard_.stacks[open.node]->udp(); }

  void open_some(std::size_t node) {
    for (const Port port : {Port{7}, Port{7}, Port{8}}) {
      udp::Udp& udp = yard_.stacks[node]->udp();
      const Open open{node, udp.open(Family::ipv4, 0), port == 7};
      EXPECT_TRUE(udp.bind(
          open.id, {.local = {IpAddress::any(Family::ipv4), port, 0}, .reuse_port = open.shares}));
      open_.push_back(open);
    }
  }

  // Nothing of the machines changes but that what they remember is not valid any more.
  void forget() {
    if (!is_forgetful_) return;
    for (const auto& stack : yard_.stacks) stack->set_mtu(2, stack->interface(2)->mtu);
    for (const Open& open : open_) udp_of(open).set_reuse(open.id, false, open.shares);
  }

  // Mostly to whom was spoken to before.
  void say() {
    forget();
    if (dice_.below(4) == 0) {
      speaker_ = dice_.below(open_.size());
      address_ = dice_.below(8);
      port_ = dice_.below(8) == 0 ? Port{99} : static_cast<Port>(7 + dice_.below(2));
      is_named_ = dice_.below(3) != 0;
    }
    const Open& open = open_[speaker_];
    const std::array<const char*, 8> addresses = {"10.0.1.1",   "10.0.1.2", "10.0.1.3",
                                                  "10.0.1.3",   "10.0.1.7", "10.0.3.3",
                                                  "10.0.1.255", "127.0.0.1"};
    udp::SendFacts facts;
    if (is_named_) facts.remote = {ip(addresses[address_]), port_, 0};
    if (dice_.below(10) == 0) facts.hop_limit = 1;
    if (dice_.below(10) == 0) facts.traffic_class = 8;
    if (dice_.below(10) == 0) facts.interface = 2;
    const bool is_long = dice_.below(10) == 0;
    const std::vector<std::uint8_t> bytes(dice_.below(is_long ? 3000 : 300), 'x');
    const auto sent = udp_of(open).send(yard_.now, open.id, bytes, facts);
    held_.told.push_back(sent ? "sent " + std::to_string(*sent)
                              : std::string(errno_name(sent.error())));
    yard_.stacks[open.node]->flush(yard_.now);
  }

  // What a program may change, with or without sense.
  void change() {
    const Open& open = open_[dice_.below(open_.size())];
    udp::Udp& udp = udp_of(open);
    switch (dice_.below(4)) {
      case 0:
        static_cast<void>(udp.connect(open.id, {ip(dice_.below(2) == 0 ? "10.0.1.2" : "10.0.1.3"),
                                                static_cast<Port>(7 + dice_.below(2)), 0}));
        return;
      case 1:
        static_cast<void>(udp.disconnect(open.id));
        return;
      case 2: {
        udp::Options options = udp.options(open.id);
        options.dont_fragment = dice_.below(2) == 0;
        options.broadcast = dice_.below(2) == 0;
        options.hop_limit = static_cast<std::uint8_t>(dice_.below(3));
        return udp.set_options(open.id, options);
      }
      default:
        // A way is gone, or is there again.
        if (yard_.stacks[open.node]->remove_route({net("0.0.0.0/0"), ip("10.0.1.9"), 2}) == 0)
          yard_.route(open.node, "0.0.0.0/0", "10.0.1.9");
    }
  }

  void listen() {
    forget();
    for (const Open& open : open_) {
      std::array<std::uint8_t, 4000> buffer;
      while (true) {
        const auto got = udp_of(open).receive(open.id, buffer);
        if (!got && got.error() == Errno::try_again) break;
        held_.told.push_back(got ? std::to_string(got->bytes) + " from " + to_text(got->remote) +
                                       " to " + to_text(got->destination) + " through " +
                                       std::to_string(got->interface) + " limit " +
                                       std::to_string(got->hop_limit) + " class " +
                                       std::to_string(got->traffic_class)
                                 : std::string(errno_name(got.error())));
      }
    }
  }

  bool is_forgetful_;
  RandomStream dice_;
  Writer writer_;
  Yard yard_;
  std::vector<Open> open_;
  std::size_t speaker_ = 0, address_ = 1;
  Port port_ = 7;
  bool is_named_ = true;
  Held held_;
};

void expect_same(const Held& one, const Held& other) {
  EXPECT_EQ(one.told, other.told);
  EXPECT_EQ(one.frames, other.frames);
  EXPECT_EQ(one.events, other.events);
  EXPECT_EQ(one.drops, other.drops);
  for (std::size_t node = 0; node < one.interfaces.size(); ++node) {
    const InterfaceRow &a = one.interfaces[node], &b = other.interfaces[node];
    EXPECT_EQ(a.sent_frames, b.sent_frames);
    EXPECT_EQ(a.sent_bytes, b.sent_bytes);
    EXPECT_EQ(a.received_frames, b.received_frames);
    EXPECT_EQ(a.received_bytes, b.received_bytes);
    EXPECT_EQ(a.dropped_frames, b.dropped_frames);
  }
}

TEST(KnownWay, WhatIsRememberedOfDatagramsChangesNothing) {
  std::size_t received = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Held usual = Conversation(seed, false, seed % 2 == 0).hold();
    expect_same(usual, Conversation(seed, true, seed % 2 == 0).hold());
    for (const std::string& told : usual.told) received += told.find(" from ") != std::string::npos;
    if (HasFailure()) return;
  }
  EXPECT_GT(received, 1000U);
}

}  // namespace
}  // namespace lanyard::stack::test
