// SPDX-License-Identifier: Apache-2.0
// Time, packets and conversations of a script that is played.
#include "lab/drill/player.hh"

#include <fmt/format.h>

#include <algorithm>

#include "wire/tcp.hh"

namespace lanyard::lab::drill {

namespace {

constexpr std::uint64_t seed = 1;
constexpr Port first_remote_port = 40'000;
constexpr std::size_t steps_max = 1'000'000;

// The wire begins with no time at zero, so that "never before" and "at the start" are not the same.
constexpr Instant script_begins = Instant::at_ns(1'000'000'000'000);

bool opens(std::uint8_t flags) {
  return (flags & tcp::flags::syn.bits) != 0 && (flags & tcp::flags::ack.bits) == 0;
}

}  // namespace

Player::Player(const Setup& setup, const Script& script)
    : setup_(setup), script_(script), began_(script_begins), now_(began_), base_(began_) {}

void Player::build_stack() {
  if (stack_) return;
  setup_.began = began_;
  setup_.is_changed = false;  // what was asked for is in it
  stack_ = std::make_unique<stack::Stack>(setup_.config, Seed(seed), 0, nullptr);
  stack::InterfaceConfig interface;
  interface.mac = stack_mac;
  interface.mtu = setup_.mtu;
  interface.makes_link_local = false;
  interface.solicits_routers = false;
  interface_ = stack_->add_interface(interface);
  const bool is_v4 = setup_.family == Family::ipv4;
  stack_->add_address(now_, interface_, {setup_.local, static_cast<std::uint8_t>(is_v4 ? 16 : 64)});
  stack_->add_route({.destination = {IpAddress::any(setup_.family), 0},
                     .gateway = IpAddress::any(setup_.family),
                     .interface = interface_,
                     .metric = 0});
  sockets_ = std::make_unique<socket::Sockets>(*stack_);
  calls_ = std::make_unique<SystemCalls>(*sockets_, setup_);
  collect();
  waiting_.clear();
}

Instant Player::next_change() const {
  Instant next = stack_->next_deadline();
  if (pending_) next = std::min(next, calls_->gives_up_at());
  return next;
}

void Player::step_to(Instant when) {
  now_ = std::max(now_, when);
  stack_->poll(now_);
  collect();
  retry();
}

// Everything before `until` happens; what is due then comes after what the script does.
void Player::advance_to(Instant until) {
  std::size_t steps = 0;
  while (next_change() < until) {
    step_to(next_change());
    if (++steps > steps_max) fail(current_->mark, "the stack finds no end of things to do");
  }
  now_ = std::max(now_, until);
}

void Player::collect() {
  while (auto out = stack_->take_frame()) {
    if (out->interface != interface_) {
      stack_->on_frame(now_, out->interface, std::move(out->frame));  // the loopback interface
      continue;
    }
    FromStack from = read_frame(now_, std::move(out->frame));
    if (from.answer) stack_->on_frame(now_, interface_, std::move(from.answer));
    if (from.packet) on_packet(std::move(*from.packet));
  }
  if (calls_) calls_->observe(now_);
}

void Player::on_packet(Seen packet) {
  Flow& flow = flow_of(packet);
  flow.on_sent(packet);
  if (waiting_.size() >= packets_waiting_max) {
    fail(current_->mark, "the stack has sent more packets than a script looks at");
  }
  waiting_.push_back(std::move(packet));
}

void Player::put_on_wire(Packet frame, const Seen& packet) {
  tell({packet, current_flow_});
  stack_->on_frame(now_, interface_, std::move(frame));
  if (stack_->next_deadline() <= now_) stack_->poll(now_);
  collect();
  retry();
}

void Player::tell(Told told) {
  history_.push_back(std::move(told));
  if (history_.size() > packets_told) history_.pop_front();
}

Flow& Player::add_flow(const Endpoint& local, const Endpoint& remote, bool is_active) {
  flows_.emplace_back(local, remote, is_active);
  current_flow_ = flows_.size() - 1;
  return flows_.back();
}

Port Player::next_remote_port() const {
  return static_cast<Port>(first_remote_port + flows_.size() % 20'000);
}

Flow& Player::flow_of(const Seen& packet) {
  if (packet.kind == PacketEvent::Kind::icmp && !flows_.empty()) return flows_[current_flow_];
  for (std::size_t i = flows_.size(); i-- > 0;) {
    if (flows_[i].has_ends(packet.source, packet.destination)) return flows_[i];
  }
  return add_flow(packet.source, packet.destination, opens(packet.flags));
}

// Which conversation a packet of the script belongs to: the last one, unless it opens another.
Flow& Player::flow_for(const PacketEvent& said) {
  const bool is_tcp = said.kind == PacketEvent::Kind::tcp;
  bool is_new = flows_.empty();
  if (said.prefix.flow) {
    const std::size_t number = *said.prefix.flow;
    is_new = number > flows_.size();
    if (!is_new && number > 0) current_flow_ = number - 1;
  } else if (!is_new && is_tcp && opens(said.flags)) {
    is_new = !flows_[current_flow_].takes_syn(said.range.begin);
  }
  if (!is_new) return flows_[current_flow_];
  return add_flow({setup_.local, setup_.bind_port}, {setup_.remote, next_remote_port()}, false);
}

std::string Player::script_text(const Told& told) const {
  const Seen& packet = told.packet;
  const std::int64_t us = (packet.at - began_).count_us();
  const std::string text = fmt::format("{:3}.{:06} ", us / 1'000'000, us % 1'000'000);
  if (packet.is_inbound || told.flow >= flows_.size()) return text + to_text(packet);
  return text + to_text(flows_[told.flow].in_script(packet));
}

std::vector<std::string> Player::packets() const {
  std::vector<std::string> lines;
  for (const Told& told : history_) lines.push_back(script_text(told));
  for (std::size_t i = 0; i < waiting_.size() && i < packets_told; ++i) {
    std::size_t flow = 0;
    for (std::size_t f = 0; f < flows_.size(); ++f) {
      if (flows_[f].has_ends(waiting_[i].source, waiting_[i].destination)) flow = f;
    }
    lines.push_back(script_text({waiting_[i], flow}) + "   (not yet looked at)");
  }
  return lines;
}

void Player::fail(Mark mark, std::string what) {
  throw Fault{{Problem::Kind::failed, mark, std::move(what)}};
}

}  // namespace lanyard::lab::drill
