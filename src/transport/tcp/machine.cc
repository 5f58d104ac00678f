// SPDX-License-Identifier: Apache-2.0
#include "transport/tcp/opening.hh"

#include <algorithm>
#include <utility>

#include "core/check.hh"

namespace lanyard::tcp {

namespace {

std::uint64_t hash_of(const SipKey& key, const Endpoint& local, const Endpoint& remote,
                      bool with_ports) {
  std::array<std::uint8_t, 36> tuple{};
  std::copy_n(local.address.bytes().begin(), 16, tuple.begin());
  std::copy_n(remote.address.bytes().begin(), 16, tuple.begin() + 16);
  if (with_ports) {
    store16(tuple.data() + 32, local.port);
    store16(tuple.data() + 34, remote.port);
  }
  return siphash(key, tuple);
}

Instant first_deadline(const Connection& c) {
  const auto& d = c.deadlines;
  return std::min(std::min(d[0], d[1]), std::min(d[2], d[3]));
}

// How exactly a listener asks for such a SYN; -1: not at all.
int match(const Listener& listener, const Segment& segment) {
  const IpAddress& to = segment.local.address;
  const transport::BindRequest& bound = listener.bound;
  int score = bound.local.address.family() == to.family() ? 1 : 0;
  if (bound.local.address.is_unspecified()) {
    if (score == 0 && (bound.local.address.is_v4() || bound.v6_only)) return -1;
  } else {
    if (bound.local.address != to) return -1;
    score += 2;
  }
  if (bound.interface == 0) return score;
  return bound.interface == segment.datagram->interface ? score + 2 : -1;
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
      sequence_key(dice.key()),
      clock_key(dice.key()),
      balance_key(dice.key()),
      cookies(dice.key()),
      fast_open_key(config_in.fast_open_key.value_or(seed.branch("tcp fast open").stream().key())),
      demux(dice.key()),
      defaults(std::make_shared<const Settings>(Settings::defaults(config_in))) {}

Machine::~Machine() = default;

std::shared_ptr<const Settings> Machine::keep(const Settings& settings) {
  if (settings == *defaults) return defaults;
  for (const auto& kept : kept_settings)
    if (kept != nullptr && *kept == settings) return kept;
  kept_last = (kept_last + 1) % kept_settings.size();
  return kept_settings[kept_last] = std::make_shared<const Settings>(settings);
}

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
  if (scheduled_.empty() && dead_.empty() && changed_.empty() && changed_listeners_.empty()) return;
  for (std::size_t i = 0; i < scheduled_.size(); ++i) {
    Connection* const c = connections.find(scheduled_[i]);
    if (c == nullptr) continue;
    c->is_scheduled = false;
    if (!c->is_over) output(now, *c);
  }
  scheduled_.clear();
  bury();
  notify();
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
  if (trace != nullptr && trace->is_on()) {
    // A connection's first event says which one it is.
    const bool is_first = from == State::closed || from == State::listen;
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
  demux.remove(c);
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
  Connection& c = connections.add([](Connection& made, ConnectionId id) { made.id = id; });
  prepare(now, c, local, remote, std::move(settings));
  demux.insert(c);
  return c;
}

// What holds for a connection between these two before anything was said.
void Machine::prepare(Instant now, Connection& c, const Endpoint& local, const Endpoint& remote,
                      std::shared_ptr<const Settings> settings) {
  c.local = local;
  c.remote = remote;
  c.settings = std::move(settings);
  c.created_at = c.last_received = c.last_sent = now;
  c.timestamp_offset = clock_offset(local.address, remote.address);
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
}

void Machine::drop_out_of_order(Connection& c) {
  out_of_order_bytes -= c.receiver.ahead_bytes();
  c.receiver.drop_ahead();
}

Connection* Machine::open_connection(ConnectionId id) const {
  Connection* const c = connections.find(id);
  return c == nullptr || c->is_orphan ? nullptr : c;
}

// The most exactly bound listener; of equals with SO_REUSEPORT one chosen by hash.
Listener* Machine::find_listener(const Segment& segment) const {
  const auto bucket = listening.find(segment.local.port);
  if (bucket == listening.end()) return nullptr;
  int best = -1;
  std::size_t equals = 0;
  Listener* first = nullptr;
  for (Listener* const listener : bucket->second) {
    const int score = match(*listener, segment);
    if (score < 0 || score < best) continue;
    if (score > best) equals = 0;
    if (equals++ == 0) first = listener;
    best = score;
  }
  if (equals < 2) return first;
  std::size_t chosen = hash_of(balance_key, segment.local, segment.remote, true) % equals;
  for (Listener* const listener : bucket->second) {
    if (match(*listener, segment) == best && chosen-- == 0) return listener;
  }
  return first;
}

// RFC 9293 3.4.1 [MUST-8] [MUST-9] [SHLD-1], [RFC6528-3-a]: a clock of four microseconds a tick
// plus a keyed function of the 4-tuple.
SequenceNumber Machine::initial_sequence(Instant now, const Endpoint& local,
                                         const Endpoint& remote) const {
  const auto ticks = static_cast<std::uint64_t>(now.count_ns()) / 4000;
  return SequenceNumber(
      static_cast<std::uint32_t>(ticks + hash_of(sequence_key, local, remote, true)));
}

// [RFC7323-5.4-a]: an offset for each pair of hosts, so that the clock says nothing about the
// machine yet grows from one connection to the next (RFC 6191).
std::uint32_t Machine::clock_offset(const IpAddress& local, const IpAddress& remote) {
  auto& latest = latest_clock_;
  if (!latest.is_set || latest.local != local || latest.remote != remote) {
    const std::uint64_t hash = hash_of(clock_key, {local, 0, 0}, {remote, 0, 0}, false);
    latest = {local, remote, static_cast<std::uint32_t>(hash), true};
  }
  return latest.offset;
}

}  // namespace lanyard::tcp
