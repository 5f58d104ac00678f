// SPDX-License-Identifier: Apache-2.0
// TIME-WAIT (RFC 9293 3.6.1): the connection is gone; a small record answers for it.
#include <utility>

#include "transport/tcp/machine.hh"

namespace lanyard::tcp {

namespace {

bool is_newer(std::uint32_t timestamp, std::uint32_t than) {
  return static_cast<std::int32_t>(timestamp - than) > 0;
}

// [RFC6191-2-a], RFC 9293 3.6.1 [SHLD-4] [MAY-2]: may this SYN begin a new incarnation?
bool may_reopen(const TimeWait& wait, const Segment& segment) {
  if (wait.has_timestamps && segment.options.timestamps) {
    const std::uint32_t value = segment.options.timestamps->value;
    if (is_newer(value, wait.ts_recent)) return true;
    if (value != wait.ts_recent) return false;
  }
  return after(segment.sequence, wait.receive_next);
}

}  // namespace

// RFC 9293 3.6.1 [MUST-13]: for 2 MSL, unless the table is full.
void Machine::enter_time_wait(Instant now, Connection& c, Cause cause) {
  set_state(now, c, State::time_wait, cause);
  stop_alarms(c);
  c.is_over = true;
  if (c.is_orphan) dead_.push_back(c.id);
  if (time_waits.size() >= config.time_wait_max) {
    demux.remove(connections.place_of(c));
    ports.release(std::exchange(c.binding, transport::BindingId::none));
    return;
  }
  auto wait = std::make_unique<TimeWait>();
  wait->local = c.local;
  wait->remote = c.remote;
  wait->is_time_wait = true;
  wait->binding = std::exchange(c.binding, transport::BindingId::none);
  wait->send_next = c.sender.next();
  wait->receive_next = c.receiver.next();
  wait->receive_window = c.receiver.window();
  wait->window_field = static_cast<std::uint16_t>(c.receiver.window() >> c.receiver.scale());
  wait->timestamp_offset = c.timestamp_offset;
  wait->ts_recent = c.ts_recent;
  wait->has_timestamps = c.has_timestamps;
  wait->interface = c.interface;
  wait->hop_limit = c.settings->hop_limit;
  wait->traffic_class = c.settings->traffic_class;
  wait->slot = static_cast<std::uint32_t>(time_waits.size());
  wait->hash = c.hash;
  wait->place = Place(*wait);
  demux.replace(connections.place_of(c), wait->place);
  timers.arm(*wait, now + config.msl * 2);
  time_waits.push_back(std::move(wait));
}

// [RFC6191-2-a]: an active open may take the place of an old connection whose timestamps tell old
// segments from new ones, a second after the last segment of it.
bool may_reuse(const transport::Config& config, Instant now, const Node& old) {
  if (!old.is_time_wait || !static_cast<const TimeWait&>(old).has_timestamps) return false;
  if (config.time_wait_reuse == transport::Reuse::off) return false;
  if (config.time_wait_reuse == transport::Reuse::of_loopback && !old.remote.address.is_loopback())
    return false;
  return now >= old.Timer::deadline() - config.msl * 2 + Duration::seconds(1);
}

void Machine::end_time_wait(TimeWait& wait) {
  demux.remove(wait.place);
  ports.release(wait.binding);
  const std::uint32_t slot = wait.slot;
  std::swap(time_waits[slot], time_waits.back());
  time_waits[slot]->slot = slot;
  time_waits.pop_back();
}

DropReason Machine::arrives_time_wait(Instant now, TimeWait& wait, const Segment& segment) {
  const bool is_old = wait.has_timestamps && segment.options.timestamps &&
                      is_newer(wait.ts_recent, segment.options.timestamps->value);
  const bool is_in_window = segment.sequence == wait.receive_next ||
                            is_within(segment.sequence, wait.receive_next, wait.receive_window);
  if (segment.flags.rst()) {
    // 9293-3.10.7.4-d: only the exact number, so that a stray RST does not end it (RFC 1337).
    if (segment.sequence == wait.receive_next) end_time_wait(wait);
    return DropReason::none;
  }
  if (segment.flags.syn() && !segment.flags.ack() && may_reopen(wait, segment)) {
    if (Listener* const listener = listening.find(segment)) {
      TimeWait old;
      old.send_next = wait.send_next;
      end_time_wait(wait);
      return arrives_listen(now, *listener, segment, &old);
    }
  }
  // 9293-3.10.7.4-m: the FIN again. 9293-3.10.7.4-b: whatever else is not acceptable is answered.
  const bool is_fin = segment.flags.fin() && !is_old;
  if (is_fin) timers.arm(wait, now + config.msl * 2);
  if (is_in_window && !is_fin && !is_old && segment.length() == 0) return DropReason::none;
  Header header;
  header.source_port = wait.local.port;
  header.destination_port = wait.remote.port;
  header.sequence = wait.send_next;
  header.acknowledgment = wait.receive_next;
  header.flags = flags::ack;
  header.window = wait.window_field;
  if (wait.has_timestamps)
    header.options.timestamps = {.value = timestamp_clock(now, wait.timestamp_offset),
                                 .echo = wait.ts_recent};
  ship(wait, header, {}, ChecksumBy::us, wait.hop_limit, wait.traffic_class, wait.interface);
  return is_fin ? DropReason::none : DropReason::tcp_unacceptable;
}

}  // namespace lanyard::tcp
