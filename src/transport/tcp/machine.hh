// SPDX-License-Identifier: Apache-2.0
// The inside of Tcp: its connections, listeners and timers, and what is done with them. The files
// follow RFC 9293 3.10: calls.cc (3.10.1-5), arrives.cc, arrives_ack.cc, arrives_open.cc and
// time_wait.cc (3.10.7), timeouts.cc (3.10.8), output.cc (segments that go out), icmp.cc (3.9.2.2).
#pragma once

#include <memory>
#include <vector>

#include "core/timers.hh"
#include "transport/slots.hh"
#include "transport/tcp/connections.hh"
#include "transport/tcp/fast_open.hh"
#include "transport/tcp/kept_settings.hh"
#include "transport/tcp/listening.hh"
#include "transport/tcp/numbers.hh"
#include "transport/tcp/segment.hh"
#include "transport/tcp/syn_cookie.hh"
#include "transport/tcp/time_wait.hh"

namespace lanyard::tcp {

struct Machine {
  const transport::Config& config;
  internet::Paths& paths;
  Trace* trace;
  std::uint32_t node;
  internet::Outbox& out;
  transport::Ports ports;
  RandomStream dice;
  Numbers numbers;
  Listening listening;
  SynCookies cookies;
  FastOpenKey fast_open_key;
  FastOpenCache fast_opens;
  Demux demux;
  Timers timers;
  Connections connections;
  transport::Slots<ListenerId, Listener> listeners;
  std::vector<std::unique_ptr<TimeWait>> time_waits;
  KeptSettings kept;
  Observer* observer = nullptr;
  std::size_t out_of_order_bytes = 0;  // of all connections

  Machine(const transport::Config& config_in, const Seed& seed, internet::Paths& paths_in,
          Trace* trace_in, std::uint32_t node_in, internet::Outbox& out_in);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // machine.cc: bookkeeping. What happened during a call is acted on once, at its end.
  void schedule(Connection& c);
  void changed(Connection& c);
  void changed(Listener& listener);
  void finish(Instant now);
  void set_state(Instant now, Connection& c, State to, Cause cause);
  void set_alarm(Connection& c, Alarm alarm, Instant deadline);
  void stop_alarms(Connection& c);
  // Ends a connection: out of the demux, queues flushed; the program's handle, if any, stays.
  void end(Instant now, Connection& c, Cause cause, std::optional<Errno> error);
  void drop_out_of_order(Connection& c);
  void forget(Connection& c) { dead_.push_back(c.id); }
  // Whether anybody sees what is emitted.
  [[nodiscard]] bool is_watched() const { return trace != nullptr && trace->is_on(); }
  void emit(Instant now, EventKind kind, std::initializer_list<std::int64_t> values) const;
  void prepare(Instant now, Connection& c, const Endpoint& local, const Endpoint& remote,
               std::shared_ptr<const Settings> settings);
  Connection& add_connection(Instant now, const Endpoint& local, const Endpoint& remote,
                             std::shared_ptr<const Settings> settings);
  [[nodiscard]] Connection* open_connection(ConnectionId id);  // not one already closed

  // calls.cc
  Result<ConnectionId> connect(Instant now, const Open& open);
  Result<std::size_t> send(Instant now, Connection& c, Bytes bytes, SendFlags flags);
  Result<std::size_t> send(Connection& c, const Slice& slice);
  Result<std::size_t> room_for(Connection& c, std::size_t size);
  void was_queued(Connection& c, bool is_more_coming);
  Result<std::size_t> receive(Connection& c, MutableBytes buffer, ReceiveFlags flags);
  Result<std::size_t> peek(Connection& c, std::size_t size, std::vector<Slice>& into);
  std::size_t skip(Connection& c, std::size_t size);
  void was_read(Connection& c);
  Result<std::size_t> why_unreadable(Connection& c);
  void close_write(Instant now, Connection& c);
  void close(Instant now, Connection& c);
  void abort(Instant now, Connection& c, std::optional<Errno> error);
  void close(Instant now, Listener& listener);
  void apply(Instant now, Connection& c, const Settings& settings);

  // arrives.cc: 3.10.7.
  DropReason on_segment(Instant now, const internet::Datagram& datagram);
  DropReason arrives(Instant now, Connection& c, Segment& segment);
  Verdict check_sequence(Instant now, Connection& c, Segment& segment);
  Verdict check_reset(Instant now, Connection& c, Segment& segment);
  Verdict check_syn(Instant now, Connection& c, Segment& segment);
  Verdict check_ack(Instant now, Connection& c, Segment& segment);
  Verdict check_urgent(Instant now, Connection& c, Segment& segment);
  Verdict take_text(Instant now, Connection& c, Segment& segment);
  Verdict check_fin(Instant now, Connection& c, Segment& segment);
  Verdict check_timestamps(Instant now, Connection& c, const Segment& segment);
  void answer_old_syn(Instant now, Connection& c, const Segment& segment);
  void trim(Connection& c, Segment& segment);
  void want_ack(Instant now, Connection& c, bool is_out_of_order);
  void take_fin(Instant now, Connection& c);
  // arrives_ack.cc: the fifth step.
  Verdict check_ack_of_syn(Instant now, Connection& c, Segment& segment);
  void take_acknowledgment(Instant now, Connection& c, SequenceNumber ack, Delivery& delivery);
  [[nodiscard]] Delivery begin_delivery(Instant now, const Connection& c,
                                        const std::optional<Timestamps>& timestamps) const;
  void measure(Instant now, Connection& c, const Delivery& delivery);
  void our_fin_acknowledged(Instant now, Connection& c);
  // recover.cc: loss, found, repaired, and forgiven.
  void recover(Instant now, Connection& c, const Acked& acked);
  void look_for_loss(Instant now, Connection& c, bool is_by_timer = false);
  void begin_timeout(Instant now, Connection& c);
  void on_tail_probe(Instant now, Connection& c);
  // arrives_open.cc: CLOSED, LISTEN and SYN-SENT.
  DropReason arrives_closed(const Segment& segment);
  DropReason arrives_listen(Instant now, Listener& listener, const Segment& segment,
                            const TimeWait* old);
  Connection& begin_passive(Instant now, Listener& from, const Segment& syn, SequenceNumber iss);
  DropReason arrives_syn_sent(Instant now, Connection& c, Segment& segment);
  void take_syn(Instant now, Connection& c, const Segment& segment);
  void established(Instant now, Connection& c, Cause cause);
  // time_wait.cc
  void enter_time_wait(Instant now, Connection& c, Cause cause);
  DropReason arrives_time_wait(Instant now, TimeWait& wait, const Segment& segment);
  void end_time_wait(TimeWait& wait);
  // output.cc
  void output(Instant now, Connection& c);
  void send_syn(Instant now, Connection& c);
  void send_ack(Instant now, Connection& c);
  void send_data(Instant now, Connection& c, const Outgoing& outgoing, std::uint32_t mss);
  void send_probe(Instant now, Connection& c);      // an old sequence number: the peer must answer
  void send_challenge(Instant now, Connection& c);  // RFC 5961 7
  void send_reset(Instant now, const Connection& c);
  void answer_with_reset(const Segment& segment);  // 9293-3.5-c
  void transmit(Instant now, Connection& c, Flags flags, SequenceNumber sequence, Packet&& payload,
                std::uint32_t segment_bytes);
  [[nodiscard]] Header header_of(Instant now, Connection& c, Flags flags, SequenceNumber sequence);
  void ship(const Node& from, const Header& header, Packet&& payload, ChecksumBy by,
            std::uint8_t hop_limit, std::uint8_t traffic_class, std::uint32_t interface);
  void ack_was_sent(Connection& c);
  void refresh_path(Connection& c);
  void compute_mss(Connection& c);
  [[nodiscard]] std::uint32_t segment_limit(const Connection& c) const;
  // timeouts.cc: 3.10.8.
  void poll(Instant now);
  void on_alarm(Instant now, Connection& c, Alarm alarm);
  void on_retransmit(Instant now, Connection& c);
  void on_handshake_retransmit(Instant now, Connection& c);
  void on_window_probe(Instant now, Connection& c);
  void on_idle(Instant now, Connection& c);
  void arm_retransmit(Instant now, Connection& c, Held held);
  void restart_retransmit(Instant now, Connection& c);
  void arm_for_loss(Instant now, Connection& c);
  [[nodiscard]] bool may_probe(const Connection& c) const;
  [[nodiscard]] Duration probe_timeout(const Connection& c) const;
  void arm_idle(Instant now, Connection& c);
  void give_up(Instant now, Connection& c);
  [[nodiscard]] Duration retransmit_timeout(const Connection& c) const;
  // icmp.cc
  void on_icmp_error(Instant now, const internet::IcmpError& error);

 private:
  void notify();
  void bury();
  std::vector<ConnectionId> scheduled_, changed_, telling_, dead_;  // telling_: its turn has come
  std::vector<ListenerId> changed_listeners_, telling_listeners_;
  bool is_notifying_ = false;
};

}  // namespace lanyard::tcp
