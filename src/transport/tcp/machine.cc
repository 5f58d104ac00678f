// SPDX-License-Identifier: Apache-2.0
#include "transport/tcp/opening.hh"
#include "transport/tcp/user_timeout.hh"

#include <algorithm>
#include <utility>

#include "core/check.hh"

namespace lanyard::tcp {

namespace {

Instant first_deadline(const Connection& c) {
  const auto& d = c.deadlines;
  return std::min(std::min(d[0], d[1]), std::min(d[2], d[3]));
}

}  // namespace

std::size_t ip_header_bytes(const IpAddress& address) {
  return address.is_v4() ? 20 : 40;
}

std::uint8_t scale_for(std::uint32_t buffer_bytes) {
  std::uint8_t shift = 0;
  while (shift < window_scale_max && (65535U << shift) < buffer_bytes) ++shift;
  return shift;
}

Machine::Machine(const transport::Config& config_in, const Seed& seed, internet::Paths& paths_in,
                 Trace* trace_in, std::uint32_t node_in, internet::Outbox& out_in)
    : config(config_in),
      paths(paths_in),
      trace(trace_in),
      node(node_in),
      out(out_in),
      ports(config_in, seed),
      dice(seed.branch("tcp").stream()),
      numbers{dice.key(), dice.key()},
      listening(dice.key()),
      cookies(dice.key()),
      fast_open_key(config_in.fast_open_key.value_or(seed.branch("tcp fast open").stream().key())),
      demux(dice.key()),
      connections(config_in, demux),
      kept(Settings::defaults(config_in)) {}

Machine::~Machine() = default;

void Machine::schedule(Connection& c) {
  if (c.is_scheduled) return;
  c.is_scheduled = true;
  scheduled_.push_back(c.id);
}

void Machine::changed(Connection& c) {
  if (c.is_orphan || c.is_changed) return;
  c.is_changed = true;
  changed_.push_back(c.id);
}

void Machine::changed(Listener& listener) {
  if (std::exchange(listener.is_changed, true)) return;
  changed_listeners_.push_back(listener.id);
}

void Machine::finish(Instant now) {
  if (!scheduled_.empty() || !dead_.empty() || !changed_.empty() || !changed_listeners_.empty()) {
    for (std::size_t i = 0; i < scheduled_.size(); ++i) {
      Connection* const c = connections.find(scheduled_[i]);
      if (c == nullptr) continue;
      c->is_scheduled = false;
      if (!c->is_over) output(now, *c);
    }
    scheduled_.clear();
    if (!dead_.empty()) bury();
    if (!changed_.empty() || !changed_listeners_.empty()) notify();
  }
  if (!is_notifying_) connections.fold_idle();
}

void Machine::bury() {
  for (const ConnectionId id : dead_) connections.remove(id);
  dead_.clear();
}

// The observer may call back; what that changes is told by the outermost round.
void Machine::notify() {
  if (is_notifying_) return;
  is_notifying_ = true;
  while (!changed_.empty() || !changed_listeners_.empty()) {
    telling_.swap(changed_);
    for (const ConnectionId id : telling_) {
      Connection* const c = open_connection(id);
      if (c == nullptr) continue;
      c->is_changed = false;
      if (observer != nullptr && c->listener == ListenerId::none)
        observer->on_connection_change(id, c->owner);
    }
    telling_.clear();
    telling_listeners_.swap(changed_listeners_);
    for (const ListenerId id : telling_listeners_) {
      Listener* const listener = listeners.find(id);
      if (listener == nullptr) continue;
      listener->is_changed = false;
      if (observer != nullptr) observer->on_listener_change(id, listener->owner);
    }
    telling_listeners_.clear();
  }
  is_notifying_ = false;
}

void Machine::emit(Instant now, EventKind kind, std::initializer_list<std::int64_t> values) const {
  if (trace != nullptr) trace->emit(now, node, kind, values);
}

void Machine::set_state(Instant now, Connection& c, State to, Cause cause) {
  const State from = std::exchange(c.state, to);
  CHECK(is_transition(from, cause, to));
  if (trace != nullptr && trace->takes(EventKind::tcp_state)) {
    // A connection's first event says which one it is.
    const bool is_first = from == State::closed;
    trace->emit(now, node, EventKind::tcp_state,
                {static_cast<std::int64_t>(c.id), static_cast<std::int64_t>(from),
                 static_cast<std::int64_t>(to)},
                is_first ? to_text(c.local) + " " + to_text(c.remote) : std::string());
  }
  changed(c);
}

void Machine::set_alarm(Connection& c, Alarm alarm, Instant deadline) {
  Instant& mine = c.deadline(alarm);
  if (mine == deadline) return;
  mine = deadline;
  const Instant first = first_deadline(c);
  if (first == c.Timer::deadline()) return;
  if (first == Instant::never()) {
    c.Timer::stop();
  } else {
    timers.arm(c, first);
  }
}

void Machine::stop_alarms(Connection& c) {
  c.deadlines.fill(Instant::never());
  c.Timer::stop();
}

void Machine::end(Instant now, Connection& c, Cause cause, std::optional<Errno> error) {
  if (c.is_early) {
    end_early(*this, now, c, cause == Cause::reset);
  } else if (c.state == State::syn_received && c.is_passive) {
    if (Listener* const listener = listeners.find(c.listener)) --listener->half_open;
    c.listener = ListenerId::none;
    c.is_orphan = true;  // nobody ever had it
  }
  set_state(now, c, State::closed, cause);
  if (error) c.error = error;
  stop_alarms(c);
  demux.remove(connections.place_of(c));
  ports.release(std::exchange(c.binding, transport::BindingId::none));
  c.sender.flush();
  drop_out_of_order(c);
  c.congestion.reset();
  c.recovery.reset();
  c.is_over = true;
  if (c.is_orphan) dead_.push_back(c.id);
}

Connection& Machine::add_connection(Instant now, const Endpoint& local, const Endpoint& remote,
                                    std::shared_ptr<const Settings> settings) {
  Connection& c = connections.add();
  prepare(now, c, local, remote, std::move(settings));
  demux.insert(c, connections.place_of(c));
  return c;
}

// What holds for a connection between these two before anything was said.
void Machine::prepare(Instant now, Connection& c, const Endpoint& local, const Endpoint& remote,
                      std::shared_ptr<const Settings> settings) {
  c.local = local;
  c.remote = remote;
  c.settings = std::move(settings);
  c.created_at = c.last_received = c.last_sent = now;
  c.timestamp_offset = numbers.clock_offset(local.address, remote.address);
  c.own_scale = scale_for(c.settings->receive_buffer_bytes);
  // RFC 9293 3.7.1 [MUST-15]: what holds until the peer says otherwise (BI-70).
  c.peer_mss = remote.address.is_v4() ? 536 : 1220;
  c.receiver.set_inline(c.settings->urgent_inline);
  refresh_path(c);
  const std::size_t headers = ip_header_bytes(remote.address) + header_size_min;
  // RFC 9293 3.7.1 [MUST-67], [RFC8200-8.3-a].
  const std::size_t largest = c.path.mtu > headers ? c.path.mtu - headers : 536;
  c.own_mss = static_cast<std::uint16_t>(std::min<std::size_t>(largest, 65495));
  if (c.settings->mss_max != 0) c.own_mss = std::min(c.own_mss, c.settings->mss_max);
  tell_user_timeout(c);
}

void Machine::drop_out_of_order(Connection& c) {
  out_of_order_bytes -= c.receiver.ahead_bytes();
  c.receiver.drop_ahead();
}

Connection* Machine::open_connection(ConnectionId id) {
  Connection* const c = connections.find(id);
  return c == nullptr || c->is_orphan ? nullptr : c;
}

}  // namespace lanyard::tcp
