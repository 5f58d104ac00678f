// SPDX-License-Identifier: Apache-2.0
#include "core/event.hh"

#include <algorithm>

#include "core/check.hh"

namespace lanyard {
namespace {

constexpr std::array table = {
    EventKindInfo{EventKind::frame_sent, "frame_sent", {"interface", "bytes", "packet"}},
    EventKindInfo{EventKind::frame_received, "frame_received", {"interface", "bytes", "packet"}},
    EventKindInfo{
        EventKind::frame_dropped, "frame_dropped", {"interface", "bytes", "packet", "reason"}},
    EventKindInfo{
        EventKind::packet_dropped, "packet_dropped", {"interface", "bytes", "packet", "reason"}},
    EventKindInfo{EventKind::neighbour_changed, "neighbour_changed", {"interface", "state"}},
    EventKindInfo{EventKind::tcp_state, "tcp_state", {"connection", "old_state", "new_state"}},
    EventKindInfo{
        EventKind::tcp_segment, "tcp_segment", {"connection", "sequence", "bytes", "flags"}},
    EventKindInfo{
        EventKind::tcp_retransmit, "tcp_retransmit", {"connection", "sequence", "bytes", "why"}},
    EventKindInfo{
        EventKind::tcp_window,
        "tcp_window",
        {"connection", "cwnd_bytes", "ssthresh_bytes", "peer_window_bytes", "in_flight_bytes"}},
    EventKindInfo{
        EventKind::tcp_rtt, "tcp_rtt", {"connection", "sample_ns", "smoothed_ns", "rto_ns"}},
    EventKindInfo{EventKind::tcp_timer, "tcp_timer", {"connection", "timer", "deadline_ns"}},
    EventKindInfo{
        EventKind::socket_call, "socket_call", {"socket", "call", "result", "program", "task"}},
    EventKindInfo{EventKind::program_started, "program_started", {"program"}},
    EventKindInfo{EventKind::program_output, "program_output", {"program", "descriptor"}},
    EventKindInfo{EventKind::program_exited, "program_exited", {"program", "status", "signal"}},
    EventKindInfo{EventKind::link_changed, "link_changed", {"link", "healed"}},
    EventKindInfo{EventKind::note, "note", {}},
};

constexpr bool rows_stand_at_their_kinds() {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (static_cast<std::size_t>(table[i].kind) != i) return false;
  }
  return true;
}
static_assert(rows_stand_at_their_kinds());
static_assert(table.size() == static_cast<std::size_t>(EventKind::note) + 1);

}  // namespace

std::span<const EventKindInfo> event_kinds() {
  return table;
}

const EventKindInfo& info_of(EventKind kind) {
  const auto index = static_cast<std::size_t>(kind);
  CHECK(index < table.size());
  return table[index];
}

EventId Trace::emit_now(Instant at, std::uint32_t node, EventKind kind,
                        std::initializer_list<std::int64_t> values, std::string_view text) {
  Event event{.id = ++last_, .cause = cause_, .at = at, .node = node, .kind = kind, .text = text};
  CHECK(values.size() <= event.values.size());
  std::copy(values.begin(), values.end(), event.values.begin());
  sink_->on_event(event);
  return event.id;
}

}  // namespace lanyard
