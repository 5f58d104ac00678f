// SPDX-License-Identifier: Apache-2.0
// What can be asked of Tcp without changing it.
#include <algorithm>

#include "transport/tcp/pacing.hh"
#include "transport/tcp/parts.hh"

namespace lanyard::tcp {

namespace {

std::uint32_t microseconds(Duration duration) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(duration.count_us(), 0, UINT32_MAX));
}
std::uint32_t milliseconds(Duration duration) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(duration.count_ms(), 0, UINT32_MAX));
}

// Linux's numbers of the states (TCP_ESTABLISHED is 1).
std::uint8_t linux_state(State state) {
  switch (state) {
    case State::established:
      return 1;
    case State::syn_sent:
      return 2;
    case State::syn_received:
      return 3;
    case State::fin_wait_1:
      return 4;
    case State::fin_wait_2:
      return 5;
    case State::time_wait:
      return 6;
    case State::closed:
      return 7;
    case State::close_wait:
      return 8;
    case State::last_ack:
      return 9;
    case State::listen:
      return 10;
    case State::closing:
      return 11;
  }
  return 7;
}

// TCP_CA_Open, Disorder, CWR, Recovery, Loss.
std::uint8_t linux_recovery(const Sender& sender, bool is_slowing) {
  switch (sender.recovery()) {
    case Sender::Recovery::none:
      if (is_slowing) return 2;
      return sender.duplicates() > 0 || sender.selectively_acknowledged() > 0 ? 1 : 0;
    case Sender::Recovery::fast:
      return 3;
    case Sender::Recovery::timeout:
      return 4;
  }
  return 0;
}

std::uint32_t segments(std::uint32_t bytes, const Connection& c) {
  return (bytes + c.mss - 1U) / c.mss;
}

void add_sender(Info& info, const Connection& c, const transport::Config& config) {
  const Sender& sender = c.sender;
  info.ca_state = linux_recovery(sender, c.recovery && c.recovery->is_slowing);
  info.retransmits = static_cast<std::uint8_t>(std::min<std::uint16_t>(c.retransmits, 255));
  info.probes = c.probes;
  info.backoff = c.backoff;
  info.snd_wscale = c.peer_scale;
  info.rto_us = microseconds(c.round_trip.timeout(config));
  info.snd_mss = c.mss;
  info.unacked = segments(sender.flight(), c);
  info.sacked = segments(sender.selectively_acknowledged(), c);
  const std::uint32_t resent = sender.in_flight() != nullptr ? sender.in_flight()->resent() : 0;
  info.retrans = segments(resent, c);
  // There: what was sent again is lost until it is acknowledged, but for a probe of the tail.
  const bool is_lost = sender.recovery() != Sender::Recovery::none;
  info.lost = segments(sender.lost_bytes() + (is_lost ? resent : 0), c);
  info.reordering = 3;
  if (c.recovery) {
    const Recovery& recovery = *c.recovery;
    info.reordering =
        std::clamp<std::uint32_t>(segments(recovery.rack.disorder(), c), info.reordering, 300);
    info.reord_seen = recovery.rack.reorderings();
    info.dsack_dups = recovery.duplicates_reported;
    info.data_segs_out = recovery.segments_out;
    info.delivery_rate = recovery.rates->delivery.rate();
    info.is_delivery_rate_limited = recovery.rates->delivery.is_application_limited();
  }
  info.delivered = (c.was_established ? 1 : 0) + (c.recovery ? c.recovery->delivered : 0);
  info.rtt_us = microseconds(c.round_trip.smoothed());
  info.rttvar_us = microseconds(c.round_trip.variation());
  info.min_rtt_us = microseconds(c.round_trip.least());
  if (c.congestion) {
    info.snd_cwnd = std::max(congestion_window(c) / c.mss, 1U);
    const std::uint32_t threshold = c.congestion->threshold();
    info.snd_ssthresh = threshold == UINT32_MAX ? 0x7fffffff : threshold / c.mss;
  } else {
    info.snd_cwnd = 10;
    info.snd_ssthresh = 0x7fffffff;
  }
  const bool is_any = c.settings->is_paced();
  info.max_pacing_rate = is_any ? c.settings->pacing_rate_max : UINT64_MAX;
  info.pacing_rate = pacing_rate(c);
  info.notsent_bytes = static_cast<std::uint32_t>(sender.unsent());
  info.snd_wnd = sender.window();
  info.bytes_acked = c.counters.bytes_acked;
  info.bytes_sent = c.counters.bytes_sent;
  info.bytes_retrans = c.counters.bytes_retransmitted;
  info.total_retrans = c.counters.retransmissions;
  info.segs_out = c.counters.segments_out;
}

}  // namespace

bool Tcp::exists(ConnectionId id) const {
  return parts_->open_connection(id) != nullptr;
}

Readiness Tcp::readiness(ConnectionId id) const {
  const Connection* const c = parts_->open_connection(id);
  if (c == nullptr) return {};
  Readiness ready;
  ready.is_connecting =
      c->state == State::syn_sent || (c->state == State::syn_received && !c->is_early);
  ready.is_connected = c->was_established && !c->is_over;
  ready.has_error = c->error.has_value();
  ready.is_read_closed = c->is_read_closed();
  ready.is_write_closed = c->is_over || c->sender.is_fin_asked();
  ready.is_readable = c->receiver.readable() > 0 || ready.is_read_closed || ready.has_error;
  ready.is_writable = ready.has_error || ready.is_write_closed ||
                      (!ready.is_connecting && may_send(c->state) && c->is_writable());
  ready.has_urgent = c->receiver.has_urgent() && !c->receiver.is_urgent_read();
  return ready;
}

State Tcp::state(ConnectionId id) const {
  const Connection* const c = parts_->open_connection(id);
  return c == nullptr ? State::closed : c->state;
}

Endpoint Tcp::local(ConnectionId id) const {
  const Connection* const c = parts_->open_connection(id);
  return c == nullptr ? Endpoint{} : c->local;
}

Endpoint Tcp::local(ListenerId id) const {
  const Listener* const listener = parts_->listeners.find(id);
  return listener == nullptr ? Endpoint{} : listener->bound.local;
}

Endpoint Tcp::remote(ConnectionId id) const {
  const Connection* const c = parts_->open_connection(id);
  return c == nullptr ? Endpoint{} : c->remote;
}

std::size_t Tcp::readable_bytes(ConnectionId id) const {
  const Connection* const c = parts_->open_connection(id);
  return c == nullptr ? 0 : c->receiver.readable();
}

std::size_t Tcp::writable_bytes(ConnectionId id) const {
  const Connection* const c = parts_->open_connection(id);
  return c == nullptr || c->is_over || !may_send(c->state) ? 0 : c->send_room();
}

std::size_t Tcp::unacked_bytes(ConnectionId id) const {
  const Connection* const c = parts_->open_connection(id);
  return c == nullptr ? 0 : c->sender.queued();
}

std::size_t Tcp::unsent_bytes(ConnectionId id) const {
  const Connection* const c = parts_->open_connection(id);
  return c == nullptr ? 0 : c->sender.unsent();
}

bool Tcp::is_at_urgent_mark(ConnectionId id) const {
  const Connection* const c = parts_->open_connection(id);
  return c != nullptr && c->receiver.is_at_mark();
}

Settings Tcp::settings(ConnectionId id) const {
  const Connection* const c = parts_->open_connection(id);
  return c == nullptr ? *parts_->kept.defaults() : *c->settings;
}

bool Tcp::is_quick_ack(ConnectionId id) const {
  const Connection* const c = parts_->open_connection(id);
  return c != nullptr && !c->is_interactive;
}

Info Tcp::info(Instant now, ConnectionId id) const {
  Info info;
  const Connection* const c = parts_->open_connection(id);
  if (c == nullptr) return info;
  info.state = linux_state(c->state);
  constexpr std::uint8_t timestamps = 1, sack = 2, scaling = 4, ecn = 8, early = 32;  // TCPI_OPT_*
  const bool was_early_taken = c->rare && c->rare->was_early_taken;
  info.options = static_cast<std::uint8_t>(
      (c->has_timestamps ? timestamps : 0) | (c->has_sack ? sack : 0) |
      (c->has_scaling ? scaling : 0) | (c->has_ecn ? ecn : 0) | (was_early_taken ? early : 0));
  add_sender(info, *c, parts_->config);
  info.rcv_wscale = c->has_scaling ? c->own_scale : 0;
  info.ato_us = microseconds(parts_->config.delayed_ack_max);
  info.rcv_mss = c->seen_mss;
  info.advmss = c->own_mss;
  info.pmtu = c->path.mtu;
  info.rcv_ssthresh = info.rcv_space = c->receiver.buffer();
  info.last_data_sent_ms = milliseconds(now - c->last_sent);
  info.last_data_recv_ms = milliseconds(now - c->last_received);
  info.last_ack_recv_ms = milliseconds(now - c->last_acked);
  info.segs_in = c->counters.segments_in;
  if (c->recovery) {
    const Busy& busy = c->recovery->busy;
    info.busy_us = static_cast<std::uint64_t>(busy.all(now).count_us());
    info.window_limited_us = static_cast<std::uint64_t>(busy.by_window(now).count_us());
    info.buffer_limited_us = static_cast<std::uint64_t>(busy.by_buffer(now).count_us());
  }
  info.bytes_received = c->counters.bytes_received;
  return info;
}

std::size_t Tcp::folded() const {
  return parts_->connections.folded();
}

std::vector<Row> Tcp::rows() const {
  std::vector<Row> rows;
  parts_->listeners.for_each([&](const Listener& listener) {
    rows.push_back({.listener = listener.id,
                    .state = State::listen,
                    .local = listener.bound.local,
                    .remote = {IpAddress::any(listener.bound.local.address.family()), 0, 0},
                    .receive_queue = listener.waiting.size(),
                    .send_queue = listener.backlog,
                    .owner = listener.owner});
  });
  parts_->connections.for_each([&](const Connection& c) {
    if (c.is_over) return;
    rows.push_back({.connection = c.id,
                    .state = c.state,
                    .local = c.local,
                    .remote = c.remote,
                    .receive_queue = c.receiver.readable(),
                    .send_queue = c.sender.queued(),
                    .owner = c.is_orphan ? 0 : c.owner});
  });
  for (const auto& wait : parts_->time_waits)
    rows.push_back({.state = State::time_wait, .local = wait->local, .remote = wait->remote});
  return rows;
}

}  // namespace lanyard::tcp
