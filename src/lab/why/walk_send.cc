// SPDX-License-Identifier: Apache-2.0
// Why a packet was sent when it was.
#include <fmt/format.h>

#include <algorithm>

#include "lab/why/walk.hh"

namespace lanyard::lab::why {
namespace {

constexpr std::int64_t why_time_out = 0;      // of a tcp_retransmit event
constexpr std::int64_t timer_retransmit = 0;  // of a tcp_timer event
constexpr std::int64_t timer_delayed_ack = 1;
constexpr std::size_t look_back_max = 4096;  // segments

Step arrival_of(const Segment& segment) {
  return {Step::Kind::arrival, segment.arrival};
}
Step sending_of(const Segment& segment) {
  return {Step::Kind::sending, segment.journey};
}

// Is there an event of this kind of this node at this instant whose column `column` is `value`?
bool has_event(const RunFile& run, std::uint32_t node, EventKind kind, Instant at,
               std::size_t column, std::int64_t value) {
  const auto earlier = [](const RunEvent& event, Instant than) { return event.event.at < than; };
  auto each = std::lower_bound(run.events.begin(), run.events.end(), at, earlier);
  for (; each != run.events.end() && each->event.at == at; ++each)
    if (each->event.node == node && each->event.kind == kind && each->event.values[column] == value)
      return true;
  return false;
}

// The segment that was sent again and begins at `acked`, before segment `before`.
std::optional<std::size_t> repaired_at(const Flow& flow, std::size_t before, std::int64_t acked) {
  const std::size_t first = before > look_back_max ? before - look_back_max : 0;
  for (std::size_t i = before; i-- > first;) {
    const Segment& each = flow.segments[i];
    const bool is_ours = each.side == flow.segments[before].side;
    if (is_ours && each.repeats && each.begin == acked) return i;
  }
  return std::nullopt;
}

}  // namespace

Step Walk::sent(std::size_t journey) {
  const Journey& from = in_.packets.journeys()[journey];
  if (const auto place = in_.flows.of_journey(journey)) return sent_segment(*place);
  return sent_datagram(from);
}

Step Walk::sent_segment(Flows::Place place) {
  const Segment& segment = this->segment(place);
  if (segment.repeats) return sent_again(place);
  if (segment.flags.syn()) return sent_syn(place);
  return segment.begin < segment.end ? sent_data(place) : sent_ack(place);
}

// "packet 12 was lost on the link behind r1:eth1", or what else became of it.
std::string Walk::fate_of(const Journey& journey) const {
  const std::size_t number = journey.sightings.front() + 1;
  if (!journey.dropped)
    return journey.arrival ? fmt::format("packet {} was not lost, only late", number)
                           : fmt::format("packet {} never arrived", number);
  const RunPacket& record = in_.run.packets[*journey.dropped];
  return fmt::format("packet {} was {} at {}", number, record.comment,
                     in_.run.port_name(record.port));
}

// What was sent before with the same first byte had to be given up for lost.
Step Walk::sent_again(const Flows::Place& place) {
  const Segment& segment = this->segment(place);
  const Segment& first = flow(place).segments[*segment.repeats];
  const Journey& lost = in_.packets.journeys()[first.journey];
  const std::uint32_t node = in_.packets.journeys()[segment.journey].from;
  const bool is_time_out =
      has_event(in_.run, node, EventKind::tcp_retransmit, segment.sent_at, 3, why_time_out);
  Part part{.cause = is_time_out ? Cause::time_out : Cause::lost_packet,
            .where = node_name(node),
            .what = fate_of(lost),
            .packet = lost.sightings.front() + 1};
  add(first.sent_at, std::move(part));
  is_same_data_ = true;
  return sending_of(first);
}

Step Walk::sent_syn(const Flows::Place& place) {
  const Segment& segment = this->segment(place);
  const std::uint32_t node = in_.packets.journeys()[segment.journey].from;
  const Part resolving{.cause = Cause::neighbour, .where = node_name(node)};
  if (segment.flags.ack()) {
    const auto trigger = trigger_of(place, segment.sent_at);
    if (!trigger) return {};
    const Segment& syn = flow(place).segments[*trigger];
    add(syn.arrived_at, resolving);
    return arrival_of(syn);
  }
  const auto call = in_.calls.connecting(place.flow);
  if (!call) return {};
  add(in_.calls.all()[*call].at, resolving);
  if (phase_ == Phase::handshake) phase_ = Phase::data;
  return {Step::Kind::call, *call};
}

// The other side's latest segment that had arrived before this one was sent, by `at`.
std::optional<std::size_t> Walk::trigger_of(const Flows::Place& place, Instant at) const {
  const Flow& flow = this->flow(place);
  const Segment& segment = flow.segments[place.segment];
  const std::size_t record = in_.packets.journeys()[segment.journey].sightings.front();
  std::optional<std::size_t> best;
  for (std::size_t i = place.segment; i-- > 0;) {
    const Segment& other = flow.segments[i];
    if (other.side == segment.side || other.arrived_at > at || other.arrival >= record) continue;
    if (!best || other.arrival > flow.segments[*best].arrival) best = i;
    // Nothing sent so much earlier arrives later, but for a reordered few.
    if (place.segment - i > 256) break;
  }
  return best;
}

// The segment of this side before it that carried anything.
std::optional<std::size_t> Walk::data_before(const Flows::Place& place) const {
  const Flow& flow = this->flow(place);
  for (std::size_t i = place.segment; i-- > 0;) {
    const Segment& each = flow.segments[i];
    if (each.side == flow.segments[place.segment].side && each.begin < each.end) return i;
  }
  return std::nullopt;
}

// The arrival that made the conversation's state ESTABLISHED at one side.
Step Walk::established(const Flow& flow, std::uint8_t side) const {
  for (const Segment& each : flow.segments) {
    if (each.side == side || each.arrived_at == Instant::never() || each.acked < 1) continue;
    return arrival_of(each);
  }
  return {};
}

Step Walk::sent_data(const Flows::Place& place) {
  const Segment& segment = this->segment(place);
  const auto write = in_.calls.writing(place.flow, segment.side, segment.begin);
  const auto before = data_before(place);
  Step next{};
  Instant since = Instant::start();
  if (before) {
    const Segment& earlier = flow(place).segments[*before];
    next = sending_of(earlier);
    since = earlier.sent_at;
    if (earlier.flags.syn()) {
      next = established(flow(place), segment.side);
      if (next.kind == Step::Kind::arrival) since = in_.run.packets[next.index].at;
    }
  }
  if (write) {
    const CallRow& row = in_.calls.all()[*write];
    if (row.at >= since) next = {Step::Kind::call, *write};
    since = std::max(since, row.at);
    if (row.at > segment.sent_at) return {};
    return held_back(place, since, next);
  }
  // A program of which no call is known (a kernel's host): it answered what had come, or took its
  // time.
  const auto trigger = trigger_of(place, segment.sent_at);
  const std::uint32_t node = in_.packets.journeys()[segment.journey].from;
  if (trigger && flow(place).segments[*trigger].arrived_at >= since) {
    const Segment& heard = flow(place).segments[*trigger];
    add(heard.arrived_at, {.cause = Cause::program, .where = node_name(node)});
    return arrival_of(heard);
  }
  add(since, {.cause = Cause::program, .where = node_name(node)});
  return next;
}

// Data that could have been sent at `since` and was not.
Step Walk::held_back(const Flows::Place& place, Instant since, Step next) {
  if (since >= cursor_) return next;
  const auto trigger = trigger_of(place, cursor_);
  Part part = reason_for(place);
  if (trigger && part.cause == Cause::congestion_window) {
    // No acknowledgment let it go but a timer: a tail loss probe (RFC 8985 7.3).
    const Segment& segment = this->segment(place);
    const std::uint32_t node = in_.packets.journeys()[segment.journey].from;
    const Instant heard = flow(place).segments[*trigger].arrived_at;
    if (heard < segment.sent_at &&
        has_event(in_.run, node, EventKind::tcp_timer, segment.sent_at, 1, timer_retransmit))
      add(std::max(heard, since), {.cause = Cause::time_out,
                                   .where = node_name(node),
                                   .what = "nothing came, until the timer sent a probe"});
    if (since >= cursor_) return next;
  }
  if (trigger) part.inside = inside(since, arrival_of(flow(place).segments[*trigger]));
  add(since, std::move(part));
  return next;
}

Part Walk::reason_for(const Flows::Place& place) const {
  const Flow& flow = this->flow(place);
  const Segment& segment = flow.segments[place.segment];
  const std::uint32_t node = in_.packets.journeys()[segment.journey].from;
  Part part{.cause = Cause::congestion_window, .where = node_name(node)};
  if (in_.packets.neighbour_answer(node, segment.sent_at)) {
    part.cause = Cause::neighbour;
    return part;
  }
  // What had been acknowledged and offered before the segment could go.
  std::int64_t acked = 0;
  std::int64_t window_end = 0;
  for (std::size_t i = place.segment; i-- > 0;) {
    const Segment& each = flow.segments[i];
    if (each.side == segment.side || each.arrived_at >= segment.sent_at || each.acked < 0) continue;
    acked = each.acked;
    window_end = each.acked + each.window;
    break;
  }
  // Everything waited for what had been lost and was under way again.
  if (const auto again = repaired_at(flow, place.segment, acked)) {
    const Segment& lost = flow.segments[*flow.segments[*again].repeats];
    const Journey& journey = in_.packets.journeys()[lost.journey];
    part.cause = Cause::lost_packet;
    part.what = fate_of(journey);
    part.packet = journey.sightings.front() + 1;
    return part;
  }
  const std::int64_t mss = flow.sides[segment.side].mss;
  const std::int64_t written = in_.calls.written_before(place.flow, segment.side, segment.sent_at);
  const std::int64_t waiting = std::max(written, segment.end) - segment.begin;
  if (segment.end > window_end || window_end - segment.begin < std::min(mss, waiting)) {
    part.cause = Cause::receiver_window;
    part.where = endpoint_name(in_.run, flow.sides[1 - segment.side]);
  } else if (waiting < mss && segment.begin > acked) {
    part.cause = Cause::nagle;
  }
  return part;
}

// An acknowledgment by itself.
Step Walk::sent_ack(const Flows::Place& place) {
  const Segment& segment = this->segment(place);
  const std::uint32_t node = in_.packets.journeys()[segment.journey].from;
  const auto trigger = trigger_of(place, segment.sent_at);
  if (!trigger) return {};
  const Segment& heard = flow(place).segments[*trigger];
  const bool was_delayed =
      has_event(in_.run, node, EventKind::tcp_timer, segment.sent_at, 1, timer_delayed_ack);
  Part part{.cause = Cause::program, .where = node_name(node)};
  if (was_delayed)
    part.cause = Cause::delayed_ack;
  else if (in_.packets.neighbour_answer(node, segment.sent_at))
    part.cause = Cause::neighbour;
  else
    part.what = "it had not read what had come";
  add(heard.arrived_at, std::move(part));
  return arrival_of(heard);
}

Step Walk::sent_datagram(const Journey& journey) {
  const Headers& headers = journey.headers;
  const std::string& name = node_name(journey.from);
  const auto call =
      in_.calls.sending(journey.from, headers.source, headers.destination, journey.sent_at);
  if (call && headers.layer != Layer::arp && headers.layer != Layer::ndp) {
    add(in_.calls.all()[*call].at, {.cause = Cause::neighbour, .where = name});
    return {Step::Kind::call, *call};
  }
  // Of the stack's own making: an answer, or an error.
  const std::size_t record = journey.sightings.front();
  for (std::size_t i = record; i-- > 0;) {
    const RunPacket& other = in_.run.packets[i];
    if (other.at + Duration::seconds(1) < journey.sent_at) break;
    if (other.is_sent || in_.run.ports[other.port].node != journey.from) continue;
    add(other.at, {.cause = Cause::host, .where = name});
    return {Step::Kind::arrival, i};
  }
  return {};
}

}  // namespace lanyard::lab::why
