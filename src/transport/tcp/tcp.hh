// SPDX-License-Identifier: Apache-2.0
// TCP of one machine (RFC 9293): its listeners and connections. Time and segments come in as
// arguments; segments to send are appended to the Outbox given at construction, which the owner
// empties after every call. Calls that would block say try_again; the Observer is told when to look
// again. To read it: state.hh, connection.hh, arrives.cc, then sender.hh and receiver.hh.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/drop.hh"
#include "core/event.hh"
#include "core/random.hh"
#include "internet/datagram.hh"
#include "transport/config.hh"
#include "transport/ports.hh"
#include "transport/tcp/settings.hh"
#include "transport/tcp/state.hh"
#include "transport/tcp/values.hh"

namespace lanyard::tcp {

// Told, at the end of a call, whose readiness may have changed. May call Tcp.
class Observer {
 public:
  virtual void on_connection_change(ConnectionId connection, Owner owner) = 0;
  virtual void on_listener_change(ListenerId listener, Owner owner) = 0;

 protected:
  ~Observer() = default;
};

class Tcp {
 public:
  Tcp(const transport::Config& config, const Seed& seed, internet::Paths& paths, Trace* trace,
      std::uint32_t node, internet::Outbox& out);
  ~Tcp();
  Tcp(const Tcp&) = delete;
  Tcp& operator=(const Tcp&) = delete;
  void set_observer(Observer* observer);
  [[nodiscard]] Settings default_settings() const;
  void on_config_change();  // what is opened from now on begins with it
  // Settings to be kept: equal ones are one object, as long as few differ.
  [[nodiscard]] std::shared_ptr<const Settings> keep(const Settings& settings);
  [[nodiscard]] std::shared_ptr<const Settings> kept_defaults() const;
  [[nodiscard]] std::shared_ptr<const Settings> kept_settings(ConnectionId connection) const;

  // Ports. A binding belongs to the caller until listen or connect takes it over.
  Result<transport::BindingId> bind(const transport::BindRequest& request);
  void unbind(transport::BindingId binding);
  void set_reuse(transport::BindingId binding, bool reuse_address, bool reuse_port);
  [[nodiscard]] Endpoint bound_to(transport::BindingId binding) const;
  // Listeners. listen takes the binding over; close resets what nobody accepted.
  Result<ListenerId> listen(transport::BindingId binding, std::uint32_t backlog,
                            const Settings& settings, Owner owner);
  Result<void> set_backlog(ListenerId listener, std::uint32_t backlog);
  void set(ListenerId listener, const Settings& settings);
  Result<ConnectionId> accept(Instant now, ListenerId listener, Owner owner);  // or try_again
  [[nodiscard]] bool has_waiting(ListenerId listener) const;
  void close(Instant now, ListenerId listener);
  // Whether a SYN to this server may carry data.
  [[nodiscard]] bool may_open_fast(Instant now, const Open& open) const;
  // Active OPEN. Readiness tells how it went; take_error why it failed.
  Result<ConnectionId> connect(Instant now, const Open& open);
  // RFC 9293 3.10.2: copies what fits; try_again when nothing does, not_connected, broken_pipe
  // after shutdown_write or the connection's end, or the pending error.
  Result<std::size_t> send(Instant now, ConnectionId connection, Bytes bytes, SendFlags flags = {});
  // RFC 9293 3.10.3: 0 at the end of the stream; try_again when nothing waits; invalid when urgent
  // data is asked for and there is none.
  Result<std::size_t> receive(Instant now, ConnectionId connection, MutableBytes buffer,
                              ReceiveFlags flags = {});
  // The same without copies: what fits of a slice is queued as it is; what receive would give is
  // shared, appended to `out`, and then taken away, as much as was used, with skip.
  Result<std::size_t> send(Instant now, ConnectionId connection, const Slice& slice);
  Result<std::size_t> peek(Instant now, ConnectionId connection, std::size_t size,
                           std::vector<Slice>& out);
  Result<std::size_t> skip(Instant now, ConnectionId connection, std::size_t size);
  // RFC 9293 3.10.4 CLOSE: a FIN after all that is queued; receiving goes on.
  Result<void> shutdown_write(Instant now, ConnectionId connection);
  // The program is done with it: the id ends here, unread data makes it a reset (RFC 9293 3.6.1
  // [SHLD-3]), and the rest goes on by itself.
  void close(Instant now, ConnectionId connection);
  // RFC 9293 3.10.5 ABORT: RST, queues flushed; the id ends here.
  void abort(Instant now, ConnectionId connection);
  [[nodiscard]] bool exists(ConnectionId connection) const;
  [[nodiscard]] Readiness readiness(ConnectionId connection) const;
  std::optional<Errno> take_error(ConnectionId connection);  // SO_ERROR: it is taken away
  [[nodiscard]] State state(ConnectionId connection) const;
  [[nodiscard]] Endpoint local(ConnectionId connection) const;
  [[nodiscard]] Endpoint local(ListenerId listener) const;
  [[nodiscard]] Endpoint remote(ConnectionId connection) const;
  [[nodiscard]] std::size_t readable_bytes(ConnectionId connection) const;  // SIOCINQ
  [[nodiscard]] std::size_t writable_bytes(ConnectionId connection) const;
  [[nodiscard]] std::size_t unacked_bytes(ConnectionId connection) const;  // SIOCOUTQ
  [[nodiscard]] std::size_t unsent_bytes(ConnectionId connection) const;   // SIOCOUTQNSD
  [[nodiscard]] bool is_at_urgent_mark(ConnectionId connection) const;     // SIOCATMARK
  [[nodiscard]] Settings settings(ConnectionId connection) const;
  // Takes effect at once: uncorking and TCP_NODELAY push, keep-alive is armed or stopped.
  void set(Instant now, ConnectionId connection, const Settings& settings);
  // TCP_QUICKACK: acknowledge at once for a while; false: delay again.
  void set_quick_ack(Instant now, ConnectionId connection, bool is_on);
  [[nodiscard]] bool is_quick_ack(ConnectionId connection) const;
  [[nodiscard]] Info info(Instant now, ConnectionId connection) const;
  [[nodiscard]] std::size_t folded() const;     // connections that are idle and kept small
  [[nodiscard]] std::vector<Row> rows() const;  // in the order they were opened
  // Driving. A datagram whose transport header, checksum included, is still to be looked at; the
  // reason if it was dropped. `more`: others wait, and nothing is sent until the last [MUST-59].
  DropReason on_segment(Instant now, internet::Datagram&& segment, bool more = false);
  void flush(Instant now);  // there was no last: none waits any more
  // Whether an error quotes something of ours that is in flight; others are not to be believed.
  [[nodiscard]] bool believes(const internet::IcmpError& error) const;
  void on_icmp_error(Instant now, const internet::IcmpError& error);
  void on_mtu_change();   // of an interface
  void forget_servers();  // what Fast Open has kept of them (RFC 7413 4.1.3)
  void poll(Instant now);
  [[nodiscard]] Instant next_deadline() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace lanyard::tcp
