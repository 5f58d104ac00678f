// SPDX-License-Identifier: Apache-2.0
#include "machine.hh"

#include <stdexcept>

namespace model {

namespace {

using lanyard::IpAddress;
using lanyard::load16;
using lanyard::load32;
using lanyard::store16;
using lanyard::store32;

const IpAddress own_address = IpAddress::v4(10, 0, 0, 1);
const IpAddress peer_address = IpAddress::v4(10, 0, 0, 2);
constexpr std::uint16_t peer_window = 60000;
constexpr std::size_t header_bytes = 20, timestamps_bytes = 12;
constexpr std::uint32_t in_flight_bytes = 300;

// RFC 9293 3.1, with the pseudo-header, the plainest way there is.
std::uint16_t checksum(const std::vector<std::uint8_t>& segment) {
  std::uint32_t sum =
      0x0a00 + 0x0001 + 0x0a00 + 0x0002 + 6 + static_cast<std::uint32_t>(segment.size());
  for (std::size_t i = 0; i < segment.size(); ++i) {
    sum += i % 2 == 0 ? static_cast<std::uint32_t>(segment[i]) << 8 : segment[i];
  }
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

// The Timestamps option of a segment the stack sent, if it has one (RFC 7323 3.2).
void read_timestamps(lanyard::Bytes header, Seen& seen) {
  for (std::size_t at = header_bytes; at + 1 < header.size() && header[at] != 0;) {
    if (header[at] == 1) {
      ++at;
      continue;
    }
    if (header[at] == 8 && at + 10 <= header.size()) {
      seen.tsval = load32(&header[at + 2]);
      seen.tsecr = load32(&header[at + 6]);
    }
    if (header[at + 1] < 2) return;
    at += header[at + 1];
  }
}

}  // namespace

lanyard::Result<lanyard::internet::Path> OnePath::find(const IpAddress&, const IpAddress&,
                                                       std::uint32_t) const {
  lanyard::internet::Path path;
  path.source = own_address;
  path.interface = 2;
  path.mtu = 1500;
  return path;
}

bool OnePath::is_own_address(const IpAddress& address, std::uint32_t) const {
  return address == own_address;
}

Machine::Machine(State state, std::uint32_t isn, bool has_data_in_flight, bool has_timestamps)
    : has_timestamps_(has_timestamps) {
  // Folded whenever it may be: that must make no difference.
  static const lanyard::transport::Config config = [] {
    lanyard::transport::Config made;
    made.unfolded_connections_max = 0;
    return made;
  }();
  tcp_ = std::make_unique<lanyard::tcp::Tcp>(config, lanyard::Seed(1), path_, nullptr, 1, out_);
  block_.irs = isn;
  peer_nxt_ = isn;
  reach(state, has_data_in_flight);
  block_.state = state;
}

Machine::~Machine() = default;

std::vector<std::uint8_t> Machine::bytes_of(const Segment& segment) const {
  const std::size_t options = segment.tsval ? timestamps_bytes : 0;
  std::vector<std::uint8_t> bytes(header_bytes + options + segment.length);
  store16(&bytes[0], peer_port_);
  store16(&bytes[2], own_port_);
  store32(&bytes[4], segment.seq);
  store32(&bytes[8], segment.ack);
  bytes[12] = static_cast<std::uint8_t>((header_bytes + options) / 4 << 4);
  bytes[13] = segment.flags;
  store16(&bytes[14], peer_window);
  if (segment.tsval) {
    store32(&bytes[20], 0x0101080a);  // two NOPs, kind 8, length 10
    store32(&bytes[24], *segment.tsval);
    store32(&bytes[28], (segment.flags & ack) != 0 ? echo_ : 0);
  }
  sum(bytes);
  return bytes;
}

void Machine::sum(std::vector<std::uint8_t>& bytes) {
  store16(&bytes[16], 0);
  store16(&bytes[16], checksum(bytes));
}

std::vector<Seen> Machine::arrives(const Segment& segment) {
  return arrive(bytes_of(segment));
}

std::vector<Seen> Machine::arrive(const std::vector<std::uint8_t>& bytes) {
  lanyard::internet::Datagram datagram;
  datagram.source = peer_address;
  datagram.destination = own_address;
  datagram.protocol = lanyard::internet::Protocol::tcp;
  datagram.interface = 2;
  datagram.hop_limit = 64;
  datagram.packet = lanyard::Packet::copy_of(bytes);
  (void)tcp_->on_segment(now_, std::move(datagram));
  accept();
  return take();
}

// As a server does: what came up is accepted at once.
void Machine::accept() {
  if (connection_ != lanyard::tcp::ConnectionId::none ||
      listener_ == lanyard::tcp::ListenerId::none || !tcp_->has_waiting(listener_)) {
    return;
  }
  connection_ = *tcp_->accept(now_, listener_, 1);
}

bool Machine::send(std::size_t bytes, std::vector<Seen>& sent) {
  const std::vector<std::uint8_t> text(bytes, 'x');
  const auto result = tcp_->send(now_, connection_, text);
  sent = take();
  return result && *result == bytes;
}

std::size_t Machine::receive(std::vector<Seen>& sent) {
  std::vector<std::uint8_t> buffer(readable());
  const auto result = buffer.empty() ? 0 : tcp_->receive(now_, connection_, buffer);
  sent = take();
  return result ? *result : 0;
}

bool Machine::shutdown(std::vector<Seen>& sent) {
  const auto result = tcp_->shutdown_write(now_, connection_);
  sent = take();
  return result.has_value();
}

std::vector<Seen> Machine::wait(lanyard::Duration duration) {
  const lanyard::Instant end = now_ + duration;
  std::vector<Seen> all;
  for (auto due = tcp_->next_deadline(); due <= end; due = tcp_->next_deadline()) {
    if (due > now_) now_ = due;
    tcp_->poll(now_);
    const auto sent = take();
    all.insert(all.end(), sent.begin(), sent.end());
  }
  now_ = end;
  return all;
}

std::vector<Seen> Machine::take() {
  std::vector<Seen> seen;
  for (auto& datagram : out_) {
    lanyard::Packet& packet = datagram.packet;
    const lanyard::Bytes bytes = packet.linear();
    Seen one{bytes[13], load32(&bytes[4]), load32(&bytes[8]), load16(&bytes[14]), 0};
    const std::size_t header = static_cast<std::size_t>(bytes[12] >> 4) * 4;
    one.length = static_cast<std::uint32_t>(bytes.size() - header);
    read_timestamps(bytes.first(header), one);
    if (one.tsval) echo_ = *one.tsval;
    if ((one.flags & ack) != 0 && (one.flags & rst) == 0) {
      block_.rcv_nxt = one.ack;
      block_.rcv_wnd = one.window;
    }
    if ((one.flags & rst) == 0) {
      const std::uint32_t end =
          one.seq + one.length + ((one.flags & syn) != 0) + ((one.flags & fin) != 0);
      if (static_cast<std::int32_t>(end - block_.nxt) > 0 || block_.nxt == 0) block_.nxt = end;
      if ((one.flags & syn) != 0) block_.iss = block_.una = one.seq;
      if ((one.flags & fin) != 0) block_.is_fin_sent = true;
    }
    seen.push_back(one);
  }
  out_.clear();
  return seen;
}

// A segment on the way to the first state; from then on who calls decides about timestamps.
void Machine::hand(Segment segment) {
  if (has_timestamps_) segment.tsval = peer_clock_;
  arrives(segment);
}

void Machine::send_ack() {
  hand({.flags = ack, .seq = peer_nxt_, .ack = block_.nxt});
  block_.una = block_.nxt;
}

void Machine::establish() {
  hand({.flags = syn, .seq = peer_nxt_});
  ++peer_nxt_;
  send_ack();
  if (connection_ == lanyard::tcp::ConnectionId::none) throw std::runtime_error("nobody came");
}

void Machine::reach(State state, bool has_data_in_flight) {
  block_.max_snd_wnd = peer_window;
  if (state == State::closed) return;
  if (state == State::syn_sent) {
    lanyard::tcp::Open open;
    open.remote = {peer_address, peer_port_};
    open.settings = tcp_->default_settings();
    connection_ = *tcp_->connect(now_, open);
    own_port_ = tcp_->local(connection_).port;
    take();
    block_.rcv_nxt = block_.rcv_wnd = 0;
    return;
  }
  const auto binding = tcp_->bind({.local = {own_address, own_port_}});
  listener_ = *tcp_->listen(*binding, 5, tcp_->default_settings(), 1);
  if (state == State::listen) return;
  if (state == State::syn_received) {
    hand({.flags = syn, .seq = peer_nxt_});
    return;
  }
  establish();
  const bool peer_closes_first = state == State::close_wait || state == State::last_ack;
  if (peer_closes_first) {
    hand({.flags = fin | ack, .seq = peer_nxt_++, .ack = block_.nxt});
  }
  if (has_data_in_flight) {
    const std::vector<std::uint8_t> text(in_flight_bytes, 'x');
    (void)tcp_->send(now_, connection_, text);
    take();
  }
  if (state == State::established || state == State::close_wait) return;
  (void)tcp_->shutdown_write(now_, connection_);
  take();
  if (state == State::fin_wait_1 || state == State::last_ack) return;
  if (state == State::closing) {
    hand({.flags = fin | ack, .seq = peer_nxt_++, .ack = block_.una});
    return;
  }
  send_ack();
  if (state == State::fin_wait_2) return;
  hand({.flags = fin | ack, .seq = peer_nxt_++, .ack = block_.nxt});
}

State Machine::state() const {
  for (const auto& row : tcp_->rows()) {
    if (row.state != lanyard::tcp::State::listen && row.remote.port == peer_port_) {
      return static_cast<State>(row.state);
    }
  }
  return State::closed;
}

std::size_t Machine::readable() const {
  return connection_ != lanyard::tcp::ConnectionId::none && tcp_->exists(connection_)
             ? tcp_->readable_bytes(connection_)
             : 0;
}

}  // namespace model
