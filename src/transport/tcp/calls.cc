// SPDX-License-Identifier: Apache-2.0
// What the program asks for: RFC 9293 3.10.1 OPEN to 3.10.5 ABORT.
#include <algorithm>
#include <utility>

#include "transport/congestion/kind.hh"
#include "transport/tcp/opening.hh"
#include "transport/tcp/user_timeout.hh"

namespace lanyard::tcp {

namespace {

// Connecting to the wildcard means this machine, as Linux has it.
Endpoint resolve(const Endpoint& remote) {
  Endpoint resolved = remote;
  if (remote.address.is_unspecified())
    resolved.address = IpAddress::loopback(remote.address.family());
  return resolved;
}

}  // namespace

Result<ConnectionId> Machine::connect(Instant now, const Open& open) {
  const Endpoint remote = resolve(open.remote);
  // RFC 9293 3.9.1.1 [MUST-46], 9293-3.10.1-a.
  if (remote.port == 0) return unexpected(Errno::address_not_available);
  if (remote.address.is_multicast() || paths.is_broadcast(remote.address))
    return unexpected(Errno::network_unreachable);
  const transport::BindRequest* const bound = ports.find(open.binding);
  const bool has_address = bound != nullptr && !bound->local.address.is_unspecified();
  if (has_address && bound->local.address.family() != remote.address.family())
    return unexpected(Errno::network_unreachable);
  std::uint32_t interface = remote.interface != 0 ? remote.interface : open.interface;
  if (interface == 0 && bound != nullptr) interface = bound->interface;
  // [MUST-44]: IP chooses the source before the first SYN; [MUST-45]: it stays.
  const IpAddress asked =
      has_address ? bound->local.address : IpAddress::any(remote.address.family());
  const auto path = paths.find(remote.address, asked, interface);
  if (!path) return unexpected(path.error());
  if (path->is_broadcast) return unexpected(Errno::network_unreachable);
  Endpoint local{has_address ? asked : path->source, 0, 0};
  const auto is_taken = [&](Port port) {
    const Place* const other = demux.find({local.address, port, 0}, remote);
    if (other == nullptr) return false;
    return other->node() == nullptr || !may_reuse(config, now, *other->node());
  };
  if (bound != nullptr) {
    local.port = bound->local.port;
    if (is_taken(local.port)) return unexpected(Errno::address_not_available);
  } else {
    const Result<Port> port = ports.choose(local.address, remote, is_taken);
    if (!port) return unexpected(port.error());
    local.port = *port;
  }
  if (connections.size() >= config.connections_max) return unexpected(Errno::no_buffer_space);

  // RFC 6191 2: beyond the numbers of the old incarnation.
  SequenceNumber iss = numbers.initial_sequence(now, local, remote);
  if (const Place* const old = demux.find(local, remote)) {
    auto& wait = static_cast<TimeWait&>(*old->node());
    if (!after(iss, wait.send_next + 65535)) iss = wait.send_next + 65537;
    end_time_wait(wait);
  }
  Connection& c = add_connection(now, local, remote, kept.keep(open.settings));
  c.owner = open.owner;
  c.interface = interface;
  if (bound != nullptr) {
    c.binding = open.binding;
    ports.set_address(c.binding, local.address);
  } else {
    c.binding = ports.hold({.local = local, .interface = interface}, true);
  }
  c.sender.start(iss);
  set_state(now, c, State::syn_sent, Cause::active_open);
  if (open.is_fast) begin_early(*this, now, c, open.early);
  send_syn(now, c);
  return c.id;
}

// How many of `size` bytes are taken now, or why none is.
Result<std::size_t> Machine::room_for(Connection& c, std::size_t size) {
  if (c.error) return unexpected(*std::exchange(c.error, std::nullopt));
  // 9293-3.10.2-a, 9293-3.6-a.
  if (c.is_over || !may_send(c.state) || c.sender.is_fin_asked())
    return unexpected(Errno::broken_pipe);
  if (size == 0) return 0;  // BI-73
  const std::size_t room = c.send_room();
  if (room > 0) return std::min(room, size);  // was_queued() follows
  c.was_writable = c.is_writable();
  return unexpected(Errno::try_again);
}

void Machine::was_queued(Connection& c, bool is_more_coming) {
  c.is_more_coming = is_more_coming;
  c.was_writable = c.is_writable();
  schedule(c);
}

// RFC 9293 3.10.2.
Result<std::size_t> Machine::send(Instant, Connection& c, Bytes bytes, SendFlags flags) {
  const auto taken = room_for(c, bytes.size());
  if (!taken || *taken == 0) return taken;
  c.sender.append(bytes.first(*taken));  // 9293-3.10.2-b: kept until ESTABLISHED
  // RFC 6093 4: the last octet is the urgent one.
  if (flags.urgent && *taken == bytes.size()) c.sender.set_urgent();
  if (flags.ends_record && *taken == bytes.size()) c.sender.end_record();
  was_queued(c, flags.more);
  return taken;
}

Result<std::size_t> Machine::send(Connection& c, const Slice& slice) {
  const auto taken = room_for(c, slice.size());
  if (!taken || *taken == 0) return taken;
  c.sender.append(slice.part(0, *taken));
  was_queued(c, false);
  return taken;
}

// RFC 9293 3.10.3.
Result<std::size_t> Machine::receive(Connection& c, MutableBytes buffer, ReceiveFlags flags) {
  if (flags.urgent) {
    if (c.settings->urgent_inline || !c.receiver.has_urgent()) return unexpected(Errno::invalid);
    if (buffer.empty()) return 0;
    const auto octet = c.receiver.read_urgent(flags.peek);
    if (!octet) return unexpected(c.receiver.is_urgent_read() ? Errno::invalid : Errno::try_again);
    buffer.front() = *octet;
    return 1;
  }
  if (buffer.empty()) return 0;  // BI-73
  if (c.receiver.readable() > 0) {
    const std::size_t size = c.receiver.read(buffer, flags.peek);
    if (!flags.peek) was_read(c);
    return size;
  }
  return why_unreadable(c);
}

Result<std::size_t> Machine::peek(Connection& c, std::size_t size, std::vector<Slice>& into) {
  if (size == 0) return 0;
  return c.receiver.readable() > 0 ? c.receiver.share(size, into) : why_unreadable(c);
}

std::size_t Machine::skip(Connection& c, std::size_t size) {
  if (size == 0 || c.receiver.readable() == 0) return 0;
  const std::size_t skipped = c.receiver.skip(size);
  was_read(c);
  return skipped;
}

// Reading made room, of which the peer may have to hear.
void Machine::was_read(Connection& c) {
  if (c.is_over || !may_receive(c.state) || !c.receiver.should_offer_more(c.own_mss)) return;
  c.ack_now = true;
  schedule(c);
}

Result<std::size_t> Machine::why_unreadable(Connection& c) {
  if (c.error) return unexpected(*std::exchange(c.error, std::nullopt));
  if (c.is_read_closed()) return 0;  // 9293-3.10.3-a
  return unexpected(Errno::try_again);
}

// RFC 9293 3.10.4.
void Machine::close_write(Instant now, Connection& c) {
  c.is_more_coming = false;
  if (!may_send(c.state)) return;  // it has been closed before
  if (c.state == State::syn_sent) return end(now, c, Cause::close, std::nullopt);  // 9293-3.10.4-a
  c.sender.ask_fin();  // 9293-3.10.4-b, 9293-3.10.4-c; in SYN-RECEIVED it waits for the handshake
  if (c.state == State::established) set_state(now, c, State::fin_wait_1, Cause::close);
  if (c.state == State::close_wait) set_state(now, c, State::last_ack, Cause::close);
  schedule(c);
}

void Machine::close(Instant now, Connection& c) {
  c.is_orphan = true;
  if (c.is_over) return forget(c);
  if (c.receiver.queued() > 0) {
    // RFC 9293 3.6.1 [SHLD-3]: the peer must not think that it was read.
    send_reset(now, c);
    return end(now, c, Cause::abort, std::nullopt);
  }
  close_write(now, c);
  if (!c.is_over && c.state == State::fin_wait_2) arm_idle(now, c);
}

// 9293-3.10.5-a.
void Machine::abort(Instant now, Connection& c, std::optional<Errno> error) {
  if (c.is_over) return forget(c);  // its program has let go of it
  if (c.state != State::syn_sent) send_reset(now, c);
  drop_out_of_order(c);
  c.receiver.discard();
  end(now, c, Cause::abort, error);
}

void Machine::close(Instant now, Listener& listener) {
  for (const ConnectionId id : listener.waiting) {
    Connection* const c = connections.find(id);
    c->listener = ListenerId::none;
    c->is_orphan = true;
    abort(now, *c, std::nullopt);
  }
  // Half-open connections find out when their ACK comes or their SYN,ACK is due again.
  listening.remove(listener);
  ports.release(listener.binding);
  listeners.remove(listener.id);
}

void Machine::apply(Instant now, Connection& c, const Settings& settings) {
  const bool had_keep_alive = c.settings->keep_alive;
  // As Linux: TCP_NODELAY lets out what waits, also when it was set before.
  const bool is_push =
      settings.no_delay && (!c.settings->no_delay || *c.settings == settings) && !c.is_over;
  const bool is_control_new = c.settings->congestion != settings.congestion;
  const bool is_time_new = c.settings->user_timeout != settings.user_timeout ||
                           c.settings->user_timeout_option != settings.user_timeout_option;
  c.settings = kept.keep(settings);
  c.receiver.set_inline(settings.urgent_inline);
  c.receiver.set_buffer(settings.receive_buffer_bytes);
  if (c.is_over) return;
  if (is_time_new) tell_user_timeout(c);
  if (is_control_new && c.congestion) {
    auto control = congestion::make(settings.congestion, c.mss, false);
    control->start_at(c.congestion->window(), c.congestion->threshold());
    c.congestion = std::move(control);
  }
  compute_mss(c);
  if (is_push) c.is_more_coming = false;
  if (is_push && c.congestion && is_synchronized(c.state)) on_alarm(now, c, Alarm::held_back);
  if (settings.keep_alive != had_keep_alive || settings.keep_alive) arm_idle(now, c);
  schedule(c);
}

}  // namespace lanyard::tcp
