// SPDX-License-Identifier: Apache-2.0
// Everything observable is an event: a row of a few numbers with an id and the id of what caused
// it. The table in event.cc names the columns of each kind, so the recorder, show, why, the
// explorer and the checks read the same rows.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>

#include "core/time.hh"

namespace lanyard {

using EventId = std::uint64_t;  // 1, 2, 3 ... in the world's total order; 0 is "no event"

enum class EventKind : std::uint16_t {
  frame_sent,         // interface, bytes, packet id
  frame_received,     // interface, bytes, packet id
  frame_dropped,      // interface, bytes, packet id, DropReason
  packet_dropped,     // interface, bytes, packet id, DropReason (by a stack, above the link)
  neighbour_changed,  // interface, new state
  tcp_state,          // connection, old state, new state
  tcp_segment,        // connection, sequence, bytes, flags (a segment accepted)
  tcp_retransmit,     // connection, sequence, bytes, why (0 time-out, 1 fast, 2 probe)
  tcp_window,         // connection, cwnd, ssthresh, peer's window, bytes in flight
  tcp_rtt,            // connection, sample ns, smoothed ns, RTO ns
  tcp_timer,          // connection, which timer, its deadline in ns (-1: stopped)
  socket_call,        // socket, call, result (negative: errno); text: arguments
  program_started,    // program; text: the command line
  program_output,     // program, descriptor; text: what it printed
  program_exited,     // program, exit status, signal
  link_changed,       // link, 0 cut or 1 healed
  note,               // text
};

// One row of the table: what a kind is called and what its numbers mean. A hyphen-free name a
// person can search for.
struct EventKindInfo {
  EventKind kind;
  std::string_view name;
  std::array<std::string_view, 5> columns;
};
[[nodiscard]] std::span<const EventKindInfo> event_kinds();
[[nodiscard]] const EventKindInfo& info_of(EventKind kind);

struct Event {
  EventId id = 0;
  EventId cause = 0;
  Instant at;
  std::uint32_t node = 0;
  EventKind kind = EventKind::note;
  std::array<std::int64_t, 5> values{};
  std::string_view text;  // valid during the call only
};

// Whoever wants to see events. Called in the world's order, on the world's thread.
class EventSink {
 public:
  virtual void on_event(const Event& event) = 0;

 protected:
  ~EventSink() = default;
};

// The one place events of a world come from: numbers them, remembers what is being handled (their
// cause), passes them on. What nobody wants is not built and not counted.
class Trace {
 public:
  // `sink` sees all events from here on; null: nobody does.
  void set_sink(EventSink* sink) { set_sink(sink, ~std::uint32_t{0}); }
  // It sees those of a few kinds only, which are then numbered by themselves.
  void set_sink(EventSink* sink, std::initializer_list<EventKind> kinds) {
    std::uint32_t bits = 0;
    for (const EventKind kind : kinds) bits |= bit_of(kind);
    set_sink(sink, bits);
  }
  // Whether every event is seen; with takes(), whether those of one kind are.
  [[nodiscard]] bool is_on() const { return kinds_ == ~std::uint32_t{0}; }
  [[nodiscard]] bool takes(EventKind kind) const { return (kinds_ & bit_of(kind)) != 0; }
  // Emits one event and returns its id (0 when nobody observes).
  EventId emit(Instant at, std::uint32_t node, EventKind kind,
               std::initializer_list<std::int64_t> values, std::string_view text = {}) {
    return takes(kind) ? emit_now(at, node, kind, values, text) : 0;
  }
  // What events emitted from here on are caused by; returns the cause before, to be put back.
  EventId set_cause(EventId cause) { return std::exchange(cause_, cause); }
  [[nodiscard]] EventId cause() const { return cause_; }

 private:
  [[nodiscard]] static constexpr std::uint32_t bit_of(EventKind kind) {
    return std::uint32_t{1} << static_cast<unsigned>(kind);
  }
  void set_sink(EventSink* sink, std::uint32_t kinds) {
    sink_ = sink;
    kinds_ = sink == nullptr ? 0 : kinds;
  }
  EventId emit_now(Instant at, std::uint32_t node, EventKind kind,
                   std::initializer_list<std::int64_t> values, std::string_view text);
  EventSink* sink_ = nullptr;
  std::uint32_t kinds_ = 0;  // a bit for each that is wanted
  EventId last_ = 0;
  EventId cause_ = 0;
};

}  // namespace lanyard
