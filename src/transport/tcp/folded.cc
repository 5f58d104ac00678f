// SPDX-License-Identifier: Apache-2.0
#include "transport/tcp/folded.hh"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <utility>

#include "transport/slots.hh"
#include "transport/tcp/connection.hh"
#include "transport/tcp/fold_congestion.hh"
#include "transport/tcp/fold_reader.hh"
#include "transport/tcp/fold_sending.hh"
#include "transport/tcp/fold_writer.hh"

namespace lanyard::tcp {

namespace {

// Both addresses as a wire carries them, then both ports; the first octet is the family.
struct Ends {
  std::array<std::uint8_t, 37> bytes;
  std::size_t size = 0;
};

constexpr std::size_t ends_size(Family family) {
  return 1 + (family == Family::ipv4 ? 2 * 4 : 2 * 16) + 2 * sizeof(Port);
}

Ends ends_of(const Endpoint& local, const Endpoint& remote) {
  const Family family = local.address.family();
  Ends ends;
  std::uint8_t* next = ends.bytes.data();
  *next++ = static_cast<std::uint8_t>(family);
  for (const Endpoint* const end : {&local, &remote})
    next = std::ranges::copy(end->address.wire_bytes(), next).out;
  store16(next, local.port);
  store16(next + 2, remote.port);
  ends.size = ends_size(family);
  return ends;
}

void read_ends(const std::uint8_t* bytes, Endpoint& local, Endpoint& remote) {
  const std::size_t size = bytes[0] == static_cast<std::uint8_t>(Family::ipv4) ? 4 : 16;
  const std::uint8_t* next = bytes + 1;
  for (Endpoint* const end : {&local, &remote}) {
    end->address = size == 4 ? IpAddress::from_v4_bytes(next) : IpAddress::from_v6_bytes(next);
    next += size;
  }
  local.port = load16(next);
  remote.port = load16(next + 2);
}

}  // namespace

// The fields of what a connection consists of: its parts let nobody else see them.
struct Fields {
  // Nothing is queued, in flight or being repaired.
  static bool may_fold(const Sender& s) {
    return s.queued() == 0 && s.in_flight() == nullptr && s.records_.is_empty() &&
           s.recovery_ == Sender::Recovery::none && !s.is_urgent_;
  }
  // Nothing waits to be read, reported or completed.
  static bool may_fold(const Receiver& r) {
    return r.queued() == 0 && !r.ahead_ && r.blocks_used_ == 0 && !r.has_duplicate_ && !r.has_mark_;
  }
  template <typename Fold>
  [[gnu::always_inline]] static void fold(Fold& f, Sender& s, SequenceNumber peer_next) {
    f.word(s.iss_);
    f(s.una_, s.iss_ + 1);
    f(s.next_, s.una_);
    f(s.wl1_, peer_next);
    f(s.wl2_, s.una_);
    f(s.data_start_, s.una_);
    f(s.recover_, s.iss_);
    f(s.small_end_, s.iss_);
    f(s.window_, 65536);
    f(s.window_max_, s.window_);
    f.together(Guessed{s.duplicates_, 0}, Guessed{s.is_fin_asked_, false},
               Guessed{s.is_fin_sent_, false}, Guessed{s.is_first_due_, false},
               Guessed{s.prefers_new_, false}, Guessed{s.urgent_end_, SequenceNumber()});
    f(s.is_selective_, true);
    f(s.has_small_, false);
  }
  template <typename Fold>
  [[gnu::always_inline]] static void fold(Fold& f, Receiver& r) {
    f.word(r.irs_);
    f(r.next_, r.irs_ + 1);
    f(r.edge_, r.next_ + 65535);
    f(r.position_, 0);
    f(r.buffer_, 65536);
    f(r.buffer_max_, 4 * 1024 * 1024);
    f(r.round_end_, r.position_ + r.buffer_);
    f.together(Guessed{r.mark_, 0}, Guessed{r.is_inline_, false});
    f(r.scale_, 7);
  }
  template <typename Fold>
  [[gnu::always_inline]] static void fold(Fold& f, RoundTripEstimator& e) {
    f(e.least_us_, 0);
    f(e.smoothed_us8_, e.least_us_ * 8);
    f(e.variation_us4_, e.least_us_ * 2);
    f(e.has_sample_, true);
    f(e.is_distrusted_, false);
  }
};

namespace {

// A number of 64 bits that is none or lies near another.
template <typename Fold, typename Id>
[[gnu::always_inline]] inline void fold_id(Fold& f, Id& id, std::uint64_t near) {
  bool is_some = id != Id{};
  f(is_some, true);
  if (is_some) f(id, static_cast<Id>(near));
}

template <typename Fold>
[[gnu::always_inline]] inline void fold_times(Fold& f, Connection& c) {
  f(c.created_at, Instant::start());
  f(c.last_received, c.created_at);
  f(c.last_sent, c.last_received);
  f(c.last_acked, c.last_received);
  f(c.confirmed_at, c.last_received);
  f(c.ts_recent_at, c.last_received);
  f.together(Guessed{c.timed_at, Instant::never()}, Guessed{c.challenge_window, Instant::start()},
             Guessed{c.challenges_left, 0});
}

template <typename Fold>
[[gnu::always_inline]] inline void fold_counters(Fold& f, Counters& n) {
  f(n.bytes_sent, 0);
  f(n.bytes_acked, n.bytes_sent);
  f(n.bytes_received, 0);
  f.together(Guessed{n.bytes_retransmitted, 0}, Guessed{n.retransmissions, 0});
  f(n.segments_in, 2);
  f(n.segments_out, n.segments_in);
}

template <typename Fold>
[[gnu::always_inline]] inline void fold_sizes(Fold& f, Connection& c) {
  constexpr std::uint16_t headers_v4 = 40, timestamps_option = 12;
  f(c.path.mtu, 1500);
  f(c.path.super_segment_max, 0);
  f(c.path.takes_checksums, true);
  f(c.own_mss, static_cast<std::uint16_t>(c.path.mtu - headers_v4));
  f(c.peer_mss, c.own_mss);
  f(c.mss, static_cast<std::uint16_t>(c.peer_mss - timestamps_option));
  f(c.seen_mss, 536);
  f(c.own_scale, 7);
  f(c.peer_scale, c.own_scale);
}

// Every field but ends, slot and settings: what is not here is as in a new connection, and
// may_fold() sees to that. Whether what belongs to sending follows.
template <typename Fold>
[[gnu::always_inline]] inline bool fold_fields(Fold& f, Connection& c) {
  auto& flags = static_cast<ConnectionFlags&>(c);
  std::array<std::uint8_t, sizeof flags> bits;
  std::memcpy(bits.data(), &flags, sizeof flags);
  // A client's, with all that nearly every peer agrees to.
  constexpr std::array<std::uint8_t, sizeof flags> guess{0, 0x0f, 0x01};
  for (std::size_t i = 0; i < bits.size(); ++i) f(bits[i], guess[i]);
  std::memcpy(&flags, bits.data(), sizeof flags);
  fold_id(f, c.owner, static_cast<std::uint64_t>(c.id));
  fold_id(f, c.binding, static_cast<std::uint64_t>(c.id));
  f.together(Guessed{c.listener, ListenerId::none}, Guessed{c.local.interface, 0},
             Guessed{c.remote.interface, 0}, Guessed{c.backoff, 0}, Guessed{c.probes, 0},
             Guessed{c.retransmits, 0});
  f(c.state, State::established);
  f(c.interface, 0);
  f(c.quick_acks, 0);
  fold_sizes(f, c);
  Fields::fold(f, c.receiver);
  Fields::fold(f, c.sender, c.receiver.next());
  Fields::fold(f, c.round_trip);
  f.owned(c.rare);
  f.next_word();
  f.word(c.timestamp_offset);
  f.word(c.ts_recent);
  f(c.last_ack_sent, c.receiver.next());
  f(c.early_fin, SequenceNumber());
  f(c.timed_end, SequenceNumber());
  fold_times(f, c);
  fold_counters(f, c.counters);
  bool is_sending = c.congestion != nullptr;
  f(is_sending, false);
  f.next_word();
  return is_sending;
}

// What comes with the first data that is sent; the settings say the kind of the control.
template <typename Kind, typename Fold>
[[gnu::always_inline]] inline void fold_control(Fold& f, Connection& c) {
  if (!c.congestion) c.congestion = std::make_unique<Kind>(c.mss, false);
  CongestionFields::fold(f, static_cast<Kind&>(*c.congestion), c);
}

template <typename Fold>
[[gnu::always_inline]] inline void fold_sending(Fold& f, Connection& c, congestion::Kind kind) {
  f(kind, congestion::Kind::cubic);
  if (!c.recovery) c.recovery = std::make_unique<Recovery>();
  SendingFields::fold(f, *c.recovery, c);
  if (kind == congestion::Kind::cubic) {
    fold_control<congestion::Cubic>(f, c);
  } else {
    fold_control<congestion::NewReno>(f, c);
  }
  f.next_word();
}

// Whoever gives a connection, or a part of it, another field has to say above how it is folded.
static_assert(sizeof(Connection) == 616 && sizeof(Sender) == 80 && sizeof(Receiver) == 104 &&
              sizeof(RoundTripEstimator) == 16);

}  // namespace

void Folded::Free::operator()(Folded* folded) const {
  folded->~Folded();
  ::operator delete(folded);
}

bool Folded::may_fold(const Connection& c) {
  const bool is_quiet = !c.is_over && !c.is_scheduled && !c.is_changed && !c.ack_now &&
                        !c.ack_delayed && c.waiting == Waiting::nothing && !c.Timer::is_armed() &&
                        c.retransmitting_since == Instant::never();
  const bool has_no_error = !c.error && !c.soft_error;
  return is_quiet && has_no_error &&
         (c.state == State::established || c.state == State::close_wait) &&
         Fields::may_fold(c.sender) && Fields::may_fold(c.receiver);
}

Folded::Owner Folded::fold(Connection& c, std::uint32_t settings) {
  const Ends ends = ends_of(c.local, c.remote);
  auto turn = static_cast<std::uint32_t>(static_cast<std::uint64_t>(c.id) >> 32);
  FoldMemory room;
  FoldWriter writer(room);
  writer(settings, 0);
  writer(turn, 1);
  if (fold_fields(writer, c)) fold_sending(writer, c, c.settings->congestion);
  const FoldedFields fields(room, writer);
  void* const memory = ::operator new(sizeof(Folded) + ends.size + fields.size());
  Owner folded(new (memory) Folded(c.hash, transport::index_of(c.id)));
  auto* const bytes = static_cast<std::uint8_t*>(static_cast<void*>(folded.get() + 1));
  std::memcpy(bytes, ends.bytes.data(), ends.size);
  fields.write(bytes + ends.size);
  return folded;
}

std::uint32_t Folded::unfold(Connection& c) const {
  read_ends(bytes(), c.local, c.remote);
  FoldReader reader(bytes() + ends_size(static_cast<Family>(bytes()[0])));
  std::uint32_t settings = 0, turn = 0;
  reader(settings, 0);
  reader(turn, 1);
  c.hash = hash_;
  c.id = static_cast<ConnectionId>(std::uint64_t{turn} << 32 | index_);
  if (fold_fields(reader, c)) fold_sending(reader, c, congestion::Kind::cubic);
  return settings;
}

bool Folded::is_between(const Endpoint& local, const Endpoint& remote) const {
  const Ends ends = ends_of(local, remote);
  return bytes()[0] == ends.bytes[0] && std::memcmp(bytes(), ends.bytes.data(), ends.size) == 0;
}

}  // namespace lanyard::tcp
