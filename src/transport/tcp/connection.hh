// SPDX-License-Identifier: Apache-2.0
// One connection: it owns its sender, receiver, estimator and congestion control, which do not know
// one another, and holds what they share. What is needed only while data moves hangs off pointers,
// so that an idle one is small. States decide (arrives.cc, calls.cc); the connection counts.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "core/pool.hh"
#include "transport/congestion/control.hh"
#include "transport/tcp/alarm.hh"
#include "transport/tcp/connection_flags.hh"
#include "transport/tcp/demux.hh"
#include "transport/tcp/path_facts.hh"
#include "transport/tcp/rare.hh"
#include "transport/tcp/receiver.hh"
#include "transport/tcp/recovery.hh"
#include "transport/tcp/round_trip.hh"
#include "transport/tcp/sender.hh"
#include "transport/tcp/settings.hh"
#include "transport/tcp/tcp.hh"

namespace lanyard::tcp {

struct Counters {
  std::uint64_t bytes_acked = 0, bytes_received = 0, bytes_sent = 0, bytes_retransmitted = 0;
  std::uint32_t segments_in = 0, segments_out = 0, retransmissions = 0;
};

struct Connection : Node, ConnectionFlags, PooledObject {
  std::uint32_t awake_at = 0;  // connections.hh
  ConnectionId id = ConnectionId::none;
  Owner owner = 0;
  ListenerId listener = ListenerId::none;  // until accepted
  transport::BindingId binding = transport::BindingId::none;
  State state = State::closed;
  std::uint8_t peer_scale = 0;  // Snd.Wind.Shift
  std::uint8_t own_scale = 0;   // Rcv.Wind.Shift, once the handshake is over
  std::uint8_t quick_acks = 0;
  std::uint8_t backoff = 0;
  std::uint8_t probes = 0;        // unanswered zero-window or keep-alive probes
  std::uint16_t retransmits = 0;  // of the same octets, in a row
  std::uint16_t peer_mss = 536;   // SendMSS (RFC 9293 3.7.1)
  std::uint16_t own_mss = 1460;   // RMSS, as we advertised it
  std::uint16_t mss = 536;        // Eff.snd.MSS: payload of a full segment
  std::uint16_t seen_mss = 536;   // of the peer's segments
  Waiting waiting = Waiting::nothing;
  std::uint32_t interface = 0;

  Sender sender;
  Receiver receiver;
  RoundTripEstimator round_trip;
  std::unique_ptr<congestion::Control> congestion;  // both from the first data sent on
  std::unique_ptr<Recovery> recovery;
  std::shared_ptr<const Settings> settings;
  std::unique_ptr<Rare> rare;
  PathFacts path;

  std::uint32_t timestamp_offset = 0, ts_recent = 0;  // RFC 7323
  Instant ts_recent_at;
  SequenceNumber last_ack_sent;
  SequenceNumber early_fin;  // its sequence number
  // What is timed for the round trip (RFC 6298 3): one ACK of each flight.
  SequenceNumber timed_end;
  Instant timed_at = Instant::never();  // of a SYN; never: none is

  std::array<Instant, alarms> deadlines{Instant::never(), Instant::never(), Instant::never(),
                                        Instant::never()};
  Instant retransmitting_since = Instant::never();
  Instant last_sent, last_received, last_acked, confirmed_at;
  Instant created_at;
  Instant challenge_window;  // RFC 5961 7
  std::uint16_t challenges_left = 0;
  std::optional<Errno> error;
  std::optional<Errno> soft_error;  // RFC 9293 3.9.2.2 [MUST-56]: told when all else fails
  Counters counters;

  [[nodiscard]] Instant& deadline(Alarm alarm) {
    return deadlines[static_cast<std::size_t>(alarm)];
  }
  [[nodiscard]] Instant deadline(Alarm alarm) const {
    return deadlines[static_cast<std::size_t>(alarm)];
  }
  // The peer's FIN has come, or nothing will any more.
  [[nodiscard]] bool is_read_closed() const {
    return is_over || (is_synchronized(state) && !may_receive(state));
  }
  [[nodiscard]] std::size_t send_room() const {
    const std::size_t queued = sender.queued();
    return queued < settings->send_buffer_bytes ? settings->send_buffer_bytes - queued : 0;
  }
  [[nodiscard]] bool is_writable() const {  // as Linux: when a third of the buffer is free
    const std::uint32_t low_water = settings->low_water();
    return send_room() >= settings->send_buffer_bytes / 3 &&
           (low_water == 0 || sender.unsent() < low_water);
  }
};

static_assert(sizeof(Connection) <= pool::object_bytes);

// While the window is being reduced proportional rate reduction says what may be in flight.
[[nodiscard]] inline std::uint32_t congestion_window(const Connection& c) {
  const bool is_fast = c.sender.recovery() == Sender::Recovery::fast;
  const bool is_reducing = (is_fast && c.recovery->is_reduced) || c.recovery->is_slowing;
  return is_reducing ? c.recovery->rate.window() : c.congestion->window();
}

}  // namespace lanyard::tcp
