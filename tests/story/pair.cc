// SPDX-License-Identifier: Apache-2.0
#include "pair.hh"

#include <algorithm>

namespace lanyard::testing {

namespace {

stack::Config config(const std::string& name) {
  stack::Config result;
  result.name = name;
  return result;
}

}  // namespace

TestHost::TestHost(const std::string& name, std::uint8_t number, std::uint32_t node)
    : stack_(config(name), Seed(7).branch(name), node, nullptr),
      sockets_(stack_),
      random_(Seed(7).branch(name).branch("programs").stream()) {
  names_.host_name = name;
  names_.hosts = {{"alice", IpAddress::v4(10, 0, 0, 1)},
                  {"bob", IpAddress::v4(10, 0, 0, 2)},
                  {"alice", *IpAddress::parse("fd00::1")},
                  {"bob", *IpAddress::parse("fd00::2")}};
  stack::InterfaceConfig interface;
  interface.mac = {{2, 0, 0, 0, 0, number}};
  const std::uint32_t index = stack_.add_interface(interface);
  stack_.add_address(Instant::start(), index, {IpAddress::v4(10, 0, 0, number), 24});
  std::string v6 = "fd00::" + std::to_string(number);
  stack_.add_address(Instant::start(), index, {*IpAddress::parse(v6), 64});
}

void TestHost::start(const socket::Program& program, std::vector<std::string> arguments) {
  tasks_.spawn(
      [this, program, arguments = std::move(arguments)] { status = program(*this, arguments); });
}

Instant TestHost::next_deadline() const {
  return std::min(stack_.next_deadline(), tasks_.next_deadline());
}

Pair::Pair(Duration delay) : alice("alice", 1, 1), bob("bob", 2, 2), delay_(delay) {}

void Pair::take(TestHost& from, TestHost& to) {
  while (auto out = from.stack().take_frame()) {
    ++frames;
    finish_checksum(out->frame);
    if (drops && drops(frames)) continue;
    flights_.push_back({now_ + delay_, &to, std::move(out->frame)});
  }
}

void Pair::run(Duration until) {
  const Instant end = Instant::start() + until;
  while (now_ <= end) {
    while (!flights_.empty() && flights_.front().arrives <= now_) {
      Flight flight = std::move(flights_.front());
      flights_.pop_front();
      flight.to->stack().on_frame(now_, 2, std::move(flight.frame));
    }
    for (auto [host, other] : {std::pair(&alice, &bob), std::pair(&bob, &alice)}) {
      host->stack().poll(now_);
      host->tasks().run(now_);
      take(*host, *other);
    }
    if (alice.tasks().has_ready() || bob.tasks().has_ready()) continue;
    Instant next = std::min(alice.next_deadline(), bob.next_deadline());
    if (!flights_.empty()) next = std::min(next, flights_.front().arrives);
    if (next == Instant::never()) return;
    now_ = std::max(now_, next);
  }
}

}  // namespace lanyard::testing
