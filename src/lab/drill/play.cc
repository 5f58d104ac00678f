// SPDX-License-Identifier: Apache-2.0
// The events of a script, one after the other.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lab/drill/constants.hh"
#include "lab/drill/player.hh"
#include "lab/drill/tcp_info.hh"
#include "transport/tcp/tcp.hh"
#include "wire/tcp.hh"

namespace lanyard::lab::drill {

namespace {

std::string seconds_text(Duration time) {
  const std::int64_t us = time.count_us();
  return fmt::format("{}.{:06} s", us / 1'000'000, us % 1'000'000);
}

bool is_fatal(const Setup& setup, const Event& event) {
  if (std::holds_alternative<PacketEvent>(event.what)) return setup.packets_are_fatal;
  if (std::holds_alternative<CallEvent>(event.what)) return setup.calls_are_fatal;
  if (std::holds_alternative<CodeEvent>(event.what)) return setup.asserts_are_fatal;
  return true;
}

}  // namespace

Instant Player::time_of(const When& when) const {
  switch (when.kind) {
    case When::Kind::absolute:
      return began_ + when.at;
    case When::Kind::relative:
      return base_ + when.at;
    case When::Kind::any:
      return now_;
  }
  return now_;
}

void Player::play() {
  for (const Event& event : script_.events) {
    current_ = &event;
    if (!std::holds_alternative<CommandEvent>(event.what)) build_stack();
    try {
      play(event);
    } catch (const Fault& fault) {
      const bool goes_on = fault.problem.kind == Problem::Kind::failed && !is_fatal(setup_, event);
      if (!goes_on) throw;
      warnings_.push_back(
          fmt::format("{}:{}: {}", script_.file, event.mark.line, fault.problem.what));
    }
    ++played_;
  }
  finish_pending();
}

void Player::play(const Event& event) {
  const Instant at = time_of(event.when);
  if (const auto* packet = std::get_if<PacketEvent>(&event.what);
      packet != nullptr && !packet->is_inbound) {
    return play_outbound(event, *packet, at);
  }
  if (stack_) advance_to(at);
  base_ = std::max(at, event.when.kind == When::Kind::any ? now_ : at);
  if (const auto* packet = std::get_if<PacketEvent>(&event.what)) {
    play_inbound(*packet);
  } else if (std::holds_alternative<CallEvent>(event.what)) {
    play_call(event);
  } else if (const auto* code = std::get_if<CodeEvent>(&event.what)) {
    play_code(event, *code);
  } else {
    play_command(event, std::get<CommandEvent>(event.what));
  }
}

void Player::play_inbound(const PacketEvent& said) {
  const auto options = write_options(said.options);
  if (!options) throw Fault{{Problem::Kind::wrong_script, current_->mark, options.error()}};
  Flow& flow = flow_for(said);
  if (said.kind == PacketEvent::Kind::icmp) {
    Seen message;
    message.at = now_;
    message.is_inbound = true;
    message.kind = PacketEvent::Kind::icmp;
    message.source = flow.remote();
    message.destination = flow.local();
    message.ttl = 64;
    message.icmp_type = said.icmp_type;
    message.icmp_code = said.icmp_code;
    message.icmp_rest = said.icmp_rest;
    const bool is_v6 = message.source.address.is_v6();
    if (is_v6 && !translate_icmp_to_v6(message)) {
      Arguments::unsupported(current_->mark, "IPv6 has no such ICMP message");
    }
    return put_on_wire(build_icmp(message, flow.quoted_on_wire(said)), message);
  }
  Seen packet = flow.on_wire(said);
  packet.at = now_;
  if (const auto from = IpAddress::parse(said.prefix.source)) packet.source.address = *from;
  if (const auto to = IpAddress::parse(said.prefix.destination)) packet.destination.address = *to;
  if (packet.source.address.family() != packet.destination.address.family()) {
    Arguments::wrong(current_->mark, "both addresses of a packet are of one family");
  }
  // Told as the script has it.
  Seen told = packet;
  told.sequence = said.range.begin;
  told.acknowledgment = said.ack.value_or(0);
  told.options = said.options;
  Packet frame = build_frame(packet, said);
  // Longer than the link takes: several segments that a card has put together, as Linux sees them.
  const std::uint32_t whole = setup_.merged_bytes != 0 ? setup_.merged_bytes : flow.own_mss();
  const bool is_super = said.kind == PacketEvent::Kind::tcp && packet.bytes > whole;
  if (is_super) frame.offload.segment_bytes = static_cast<std::uint16_t>(whole);
  put_on_wire(std::move(frame), told);
}

Seen Player::await_packet(const Event& event, Instant latest) {
  std::size_t steps = 0;
  while (waiting_.empty()) {
    const Instant next = next_change();
    if (next > latest || ++steps > 1'000'000) {
      now_ = std::max(now_, std::min(latest, now_ + patience));
      fail(event.mark, fmt::format("no packet came by {}", seconds_text(now_ - began_)));
    }
    step_to(next);
  }
  Seen packet = std::move(waiting_.front());
  waiting_.pop_front();
  return packet;
}

// A script is about the conversation that its program opened last: what earlier ones still say is
// passed over, unless it names them.
bool Player::is_of_earlier(const PacketEvent& said, const Seen& packet) const {
  const bool is_tcp = said.kind == PacketEvent::Kind::tcp && packet.kind == said.kind;
  if (!is_tcp || said.prefix.flow || flows_.empty() || !flows_.back().is_active()) return false;
  return current_flow_ + 1 == flows_.size() &&
         !flows_.back().has_ends(packet.source, packet.destination);
}

void Player::check_time(const Event& event, const Seen& packet, Instant at, Instant latest) {
  if (event.when.kind == When::Kind::any) return;
  if (packet.at < at - setup_.tolerance) {
    fail(event.mark, fmt::format("the packet was expected at {}, and came at {}, too early",
                                 seconds_text(at - began_), seconds_text(packet.at - began_)));
  }
  if (packet.at > latest) {
    fail(event.mark, fmt::format("the packet was expected at {}, and came at {}, too late",
                                 seconds_text(at - began_), seconds_text(packet.at - began_)));
  }
}

void Player::play_outbound(const Event& event, const PacketEvent& said, Instant at) {
  const When& when = event.when;
  const Instant until = when.kind == When::Kind::any        ? now_ + patience
                        : !when.until                       ? at
                        : when.kind == When::Kind::absolute ? began_ + *when.until
                                                            : base_ + *when.until;
  const Instant latest = until + setup_.tolerance;
  Seen first = await_packet(event, latest);
  while (is_of_earlier(said, first)) first = await_packet(event, latest);
  Flow& flow = flow_of(first);
  current_flow_ = static_cast<std::size_t>(
      std::find_if(flows_.begin(), flows_.end(), [&](const Flow& f) { return &f == &flow; }) -
      flows_.begin());
  tell({first, current_flow_});
  flow.learn_remote_base(said, first);
  Seen whole = flow.in_script(first);
  check_time(event, whole, at, latest);
  // What Linux hands down as one super-segment, we may send as several.
  while (flow.may_be_part(said, whole, setup_.strict)) {
    const Seen next = await_packet(event, latest);
    tell({next, current_flow_});
    const Seen part = flow.in_script(next);
    const bool follows =
        part.kind == whole.kind && part.bytes > 0 && part.sequence == whole.sequence + whole.bytes;
    if (!follows) fail(event.mark, fmt::format("the rest of `{}` did not follow", event.source));
    whole.bytes += part.bytes;
    whole.flags |= part.flags;
  }
  const std::string wrong = flow.difference(said, whole, setup_.strict);
  if (!wrong.empty()) fail(event.mark, wrong);
  const bool is_loose = when.kind == When::Kind::any || when.until;
  base_ = is_loose ? whole.at : at;
}

void Player::play_call(const Event& event) {
  finish_pending();
  const auto& call = std::get<CallEvent>(event.what);
  calls_->begin(now_);
  const auto answer = calls_->attempt(now_, call, event.mark);
  collect();
  if (answer) return check_returned(event, *answer);
  if (!event.when.end) {
    fail(event.mark, fmt::format("{} waits; a call that may wait has a time when it returns, as "
                                 "+0...0.2",
                                 call.name));
  }
  pending_ = Pending{&event, base_, now_};
}

void Player::retry() {
  if (!pending_) return;
  const Pending pending = *pending_;
  const auto& call = std::get<CallEvent>(pending.event->what);
  pending_.reset();  // what follows may look for more to do
  const auto answer = calls_->attempt(now_, call, pending.event->mark);
  if (!answer) {
    pending_ = pending;
    return;
  }
  collect();
  check_returned_at(pending);
  check_returned(*pending.event, *answer);
}

// +0...0.2: the end counts from where the beginning does; scripts also write it as a time of the
// whole run.
void Player::check_returned_at(const Pending& pending) {
  const When& when = pending.event->when;
  const Instant absolute = began_ + *when.end;
  const Instant relative = pending.base - when.at + *when.end;
  const auto is_near = [&](Instant expected) {
    return now_ >= expected - setup_.tolerance && now_ <= expected + setup_.tolerance;
  };
  if (is_near(absolute) || (when.kind == When::Kind::relative && is_near(relative))) return;
  if (when.kind == When::Kind::relative && is_near(pending.began + *when.end)) return;
  fail(pending.event->mark,
       fmt::format(
           "the call returned at {}, not at {}", seconds_text(now_ - began_),
           seconds_text((when.kind == When::Kind::relative ? relative : absolute) - began_)));
}

// A script makes one call at a time: the next waits until this one has returned.
void Player::finish_pending() {
  if (!pending_) return;
  const Event& event = *pending_->event;
  const Instant latest =
      std::max(began_ + *event.when.end, pending_->began + *event.when.end) + setup_.tolerance;
  while (pending_ && next_change() <= latest) step_to(next_change());
  if (!pending_) return;
  now_ = std::max(now_, latest);
  fail(event.mark, fmt::format("the call has not returned by {}", seconds_text(now_ - began_)));
}

void Player::check_returned(const Event& event, const Returned& returned) {
  const auto& call = std::get<CallEvent>(event.what);
  const std::string error = returned.error ? std::string(errno_name(*returned.error)) : "";
  const std::string wanted = call.error == "EWOULDBLOCK" ? "EAGAIN" : call.error;
  const std::string came = returned.error
                               ? fmt::format("{} returned -1 {}", call.name, error)
                               : fmt::format("{} returned {}", call.name, returned.value);
  const bool any = call.result.kind == Expression::Kind::ellipsis;
  const std::int64_t expected = any ? returned.value : Arguments::number_of(call.result);
  const bool any_error = any || (wanted.empty() && expected == -1);
  if (returned.error && !any_error && wanted != error) fail(event.mark, came);
  if (returned.error) {
    if (expected != -1) fail(event.mark, came);
    return;
  }
  if (returned.opens) {
    if (!any && expected < 0) {
      fail(event.mark, fmt::format("{} succeeded, and {} was expected", call.name, wanted));
    }
    calls_->name_opened(expected);
    return;
  }
  if (!wanted.empty() || returned.value != expected) fail(event.mark, came);
}

std::optional<Value> Player::look_up(std::string_view name) const {
  if (name.starts_with("tcpi_")) {
    const auto info = calls_->info(now_);
    const auto value = info ? tcp_info_field(*info, name) : std::nullopt;
    return value ? std::optional(value_of(*value)) : std::nullopt;
  }
  const auto number = constant(name);
  return number ? std::optional(value_of(*number)) : std::nullopt;
}

void Player::play_code(const Event& event, const CodeEvent& code) {
  const auto problem = interpreter_.run(code.text, event.mark,
                                        [this](std::string_view name) { return look_up(name); });
  if (problem) throw Fault{*problem};
}

void Player::play_command(const Event& event, const CommandEvent& command) {
  const auto applied = apply_command(setup_, command.text, event.mark);
  if (!applied) throw Fault{applied.error()};
  if (stack_ && std::exchange(setup_.forgets_servers, false)) stack_->tcp().forget_servers();
  if (!stack_ || !setup_.is_changed) return;
  setup_.is_changed = false;
  stack_->reconfigure(setup_.config);
}

}  // namespace lanyard::lab::drill
