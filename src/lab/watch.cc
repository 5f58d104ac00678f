// SPDX-License-Identifier: Apache-2.0
#include "lab/watch.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/bytes.hh"
#include "lab/words.hh"
#include "wire/protocol.hh"

namespace lanyard::lab {
namespace {

constexpr std::size_t flows_max = 100'000;
constexpr std::size_t times_max = 1'000'000;
constexpr std::uint8_t fin = 1, syn = 2, rst = 4;

constexpr std::array<std::string_view, 7> methods = {"GET ",    "POST ",    "PUT ",  "HEAD ",
                                                     "DELETE ", "OPTIONS ", "PATCH "};

// The first bytes of a segment's payload.
std::string payload_begin(const Packet& frame, std::size_t offset, std::size_t bytes) {
  std::string text(std::min<std::size_t>(8, bytes), '\0');
  if (offset + text.size() > frame.size()) return {};
  frame.copy_to(offset, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  return text;
}

bool is_request(std::string_view text) {
  return std::ranges::any_of(methods,
                             [&](std::string_view method) { return text.starts_with(method); });
}

std::string name_of(const FrameFacts& facts) {
  if (facts.is_arp)
    return fmt::format("arp {} -> {}", to_text(facts.source), to_text(facts.destination));
  return fmt::format("{} -> {}", to_text(Endpoint{facts.source, facts.source_port}),
                     to_text(Endpoint{facts.destination, facts.destination_port}));
}

}  // namespace

PacketMatch match_of_counter(std::string_view counter) {
  PacketMatch match;
  const std::size_t colon = counter.find(": ");
  if (colon == std::string_view::npos) return match;
  Words words(counter.substr(colon + 2));
  match.kind = kind_of_packet(words.take()).value_or(PacketMatch::Kind::any);
  if (words.take("from")) match.from = std::string(words.take());
  if (words.take("to")) match.to = std::string(words.take());
  return match;
}

Watch::Watch(const Model& model, const Prefixes& prefixes_of) : watched_(model.checks.size()) {
  for (const CheckSpec& spec : model.checks) {
    const std::string_view counter = spec.check.counter;
    const What what = counter.starts_with("match: ")          ? What::match
                      : counter.starts_with("requests: ")     ? What::requests
                      : counter.starts_with("request time p") ? What::request_time
                      : counter == "progress"                 ? What::progress
                                                              : What::nothing;
    is_on_ = is_on_ || what != What::nothing;
    has_flows_ = has_flows_ || (what != What::nothing && what != What::match);
    const PacketMatch match = match_of_counter(counter);
    whats_.push_back(what);
    matchers_.emplace_back(match.kind, prefixes_of(match.from), prefixes_of(match.to));
  }
}

// Behind an Ethernet header and an IP header without options of IPv6: what facts_of_frame read.
Watch::Segment Watch::segment_of(const Packet& frame) {
  const Bytes bytes = frame.front();
  std::size_t at = 14;
  if (bytes.size() < at + 20) return {};
  at += bytes[at] >> 4U == 4 ? (bytes[at] & 0x0fU) * std::size_t{4} : std::size_t{40};
  if (bytes.size() < at + 20) return {};
  return {load32(bytes.data() + at + 4), at + (bytes[at + 12] >> 4U) * std::size_t{4}};
}

Watch::FlowState* Watch::flow_of(const FrameFacts& facts, Flow& flow) {
  if (!has_flows_ || !facts.is_ip || facts.protocol != protocol::tcp || !facts.is_first_fragment)
    return nullptr;
  flow = {facts.source, facts.source_port, facts.destination, facts.destination_port};
  const Flow other{facts.destination, facts.destination_port, facts.source, facts.source_port};
  if (other < flow) flow = other;
  if (const auto found = flows_.find(flow); found != flows_.end()) return &found->second;
  if (flows_.size() >= flows_max) return nullptr;
  return &flows_[flow];
}

void Watch::on_sent(Instant now, const Packet& frame) {
  const FrameFacts facts = facts_of_frame(frame.front(), frame.size());
  for (std::size_t i = 0; i < watched_.size(); ++i) {
    if (whats_[i] != What::match || !matchers_[i].matches(facts)) continue;
    if (++watched_[i].count == 1) watched_[i].example = name_of(facts);
    if (watched_[i].at.size() < times_max) watched_[i].at.push_back(now);
  }
  Flow flow;
  FlowState* state = flow_of(facts, flow);
  if (state == nullptr) return;
  if ((facts.tcp_flags & syn) != 0) {  // the ports may be used again
    state->is_reset = false;
    state->fins = 0;
  }
  if (facts.payload_bytes > 0 || (facts.tcp_flags & (syn | fin)) != 0) state->tried = now;
  look_for_request(now, frame, facts, *state);
}

void Watch::look_for_request(Instant now, const Packet& frame, const FrameFacts& facts,
                             FlowState& state) {
  if (facts.payload_bytes == 0) return;
  const Segment segment = segment_of(frame);
  if (!is_request(payload_begin(frame, segment.payload_offset, facts.payload_bytes))) return;
  const auto end = static_cast<std::uint32_t>(segment.sequence + facts.payload_bytes);
  // Sent again: not ahead of the last one (RFC 9293 3.4: compared modulo 2^32).
  if (state.has_request && static_cast<std::int32_t>(end - state.request_end) <= 0) return;
  state.has_request = true;
  state.request_end = end;
  state.asked = now;
  for (std::size_t i = 0; i < watched_.size(); ++i) {
    const bool is_it = whats_[i] == What::requests || whats_[i] == What::request_time;
    if (!is_it || !matchers_[i].matches(facts)) continue;
    ++watched_[i].count;
    ++watched_[i].unanswered;
    if (watched_[i].at.size() < times_max) watched_[i].at.push_back(now);
  }
}

void Watch::look_for_answer(Instant now, const Packet& frame, const FrameFacts& facts,
                            FlowState& state) {
  if (state.asked == Instant::never() || facts.payload_bytes == 0) return;
  if (!payload_begin(frame, segment_of(frame).payload_offset, facts.payload_bytes)
           .starts_with("HTTP/"))
    return;
  FrameFacts question = facts;
  std::swap(question.source, question.destination);
  std::swap(question.source_port, question.destination_port);
  for (std::size_t i = 0; i < watched_.size(); ++i) {
    if (whats_[i] != What::request_time || !matchers_[i].matches(question)) continue;
    --watched_[i].unanswered;
    if (watched_[i].times_ns.size() < times_max)
      watched_[i].times_ns.push_back((now - state.asked).count_ns());
  }
  state.asked = Instant::never();
}

void Watch::on_delivered(Instant now, const Packet& frame, const std::vector<IpPrefix>& own) {
  const FrameFacts facts = facts_of_frame(frame.front(), frame.size());
  // A router passes it on.
  if (std::ranges::find(own, facts.destination, &IpPrefix::address) == own.end()) return;
  Flow flow;
  FlowState* state = flow_of(facts, flow);
  if (state == nullptr) return;
  state->delivered = now;
  if ((facts.tcp_flags & rst) != 0) state->is_reset = true;
  const bool is_first_end =
      std::get<0>(flow) == facts.source && std::get<1>(flow) == facts.source_port;
  if ((facts.tcp_flags & fin) != 0) state->fins |= is_first_end ? 1 : 2;
  look_for_answer(now, frame, facts, *state);
  for (Healed& each : healed_)
    if (each.got_on == Instant::never() && each.flow == flow) each.got_on = now;
}

void Watch::on_healed(Instant now) {
  for (const auto& [flow, state] : flows_)
    if (!state.is_reset && state.fins != 3 && state.tried > state.delivered &&
        healed_.size() < flows_max)
      healed_.push_back({flow, now, Instant::never()});
}

std::string Watch::stuck(Duration limit, Instant now) const {
  for (const Healed& each : healed_) {
    if (each.got_on <= each.at + limit) continue;
    if (each.got_on == Instant::never() && now <= each.at + limit) continue;
    const auto& [a, a_port, b, b_port] = each.flow;
    return fmt::format("the flow {} - {} {} after the heal at {}", to_text(Endpoint{a, a_port}),
                       to_text(Endpoint{b, b_port}),
                       each.got_on == Instant::never()
                           ? "got nowhere"
                           : fmt::format("got on only {}", to_text(each.got_on - each.at)),
                       to_text(each.at));
  }
  return {};
}

}  // namespace lanyard::lab
