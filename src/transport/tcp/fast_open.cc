// SPDX-License-Identifier: Apache-2.0
#include "transport/tcp/fast_open.hh"

#include <algorithm>
#include <utility>

#include "transport/congestion/kind.hh"
#include "transport/tcp/opening.hh"

namespace lanyard::tcp {

namespace {

constexpr std::uint8_t cookie_bytes = 8;
// RFC 7413 5.1: how long one that was reset counts among the pending ones, as Linux.
constexpr Duration reset_counts_for = Duration::seconds(60);
// Of a segment, kept free of early data: whatever options a SYN may carry.
constexpr std::uint32_t options_room = 40;
constexpr std::uint8_t losses_max = 16;

// What a listener lets be pending; 0: Fast Open is off.
std::uint32_t pending_max(const transport::Config& config, const Listener& listener) {
  if ((config.fast_open & transport::fast_open::server) == 0) return 0;
  const std::uint32_t asked = listener.settings->fast_open_pending_max;
  const bool is_for_all = (config.fast_open & transport::fast_open::all_listeners) != 0;
  return asked == 0 && is_for_all ? listener.backlog : asked;
}

// 4.2.2, 5.1: those that were reset go out of the count when their time is over.
bool has_room(Instant now, const transport::Config& config, Listener& listener) {
  auto& resets = listener.fast_open_resets;
  while (!resets.empty() && resets.front() <= now) {
    resets.pop_front();
    --listener.fast_opens_pending;
  }
  return listener.fast_opens_pending < pending_max(config, listener);
}

bool is_same_cookie(const FastOpenCookie& a, const FastOpenCookie& b) {
  return a.size == b.size && a.bytes == b.bytes;
}

Rare& rare_of(Connection& c) {
  if (!c.rare) c.rare = std::make_unique<Rare>();
  return *c.rare;
}

}  // namespace

FastOpenCookie FastOpenKey::cookie_for(const IpAddress& client, const IpAddress& server) const {
  std::array<std::uint8_t, 32> both{};
  const Bytes first = client.wire_bytes(), second = server.wire_bytes();
  std::copy(first.begin(), first.end(), both.begin());
  std::copy(second.begin(), second.end(), both.begin() + first.size());
  const std::uint64_t sum = siphash(key_, Bytes(both).first(first.size() + second.size()));
  FastOpenCookie cookie;
  cookie.size = cookie_bytes;
  for (std::size_t i = 0; i < cookie_bytes; ++i)
    cookie.bytes[i] = static_cast<std::uint8_t>(sum >> (8 * i));
  return cookie;
}

std::optional<FastOpenCookie> FastOpenCache::ask(Instant now, const IpAddress& server) const {
  const auto found = known_.find(server);
  if (found == known_.end()) return FastOpenCookie{};
  const Known& known = found->second;
  // As Linux: a minute, doubled with each loss after the second.
  if (known.losses > 1 && now < known.lost_at + Duration::seconds(60) * (1LL << known.losses))
    return std::nullopt;
  return known.cookie;
}

std::uint16_t FastOpenCache::mss(const IpAddress& server) const {
  const auto found = known_.find(server);
  return found == known_.end() ? 0 : found->second.mss;
}

FastOpenCache::Known& FastOpenCache::at(const IpAddress& server) {
  if (known_.size() >= servers_max && !known_.contains(server)) {
    known_.erase(std::min_element(known_.begin(), known_.end(), [](const auto& a, const auto& b) {
      return a.second.used < b.second.used;
    }));
  }
  Known& known = known_[server];
  known.used = ++uses_;
  return known;
}

void FastOpenCache::learn(const IpAddress& server, std::uint16_t mss,
                          const std::optional<FastOpenCookie>& cookie) {
  Known& known = at(server);
  known.mss = mss;
  if (!cookie || cookie->size == 0) return;
  known.cookie = *cookie;
  known.losses = 0;
}

void FastOpenCache::note_loss(Instant now, const IpAddress& server) {
  Known& known = at(server);
  known.lost_at = now;
  if (known.losses < losses_max) ++known.losses;
}

// RFC 7413 4.2.2 [RFC7413-4-a]: what the SYN,ACK grants; true: the text of the SYN is taken.
bool may_open_fast(Machine& m, Instant now, Listener& listener, Connection& c, const Segment& syn) {
  const std::optional<FastOpenCookie>& asked = syn.options.fast_open;
  const bool is_free = (m.config.fast_open & transport::fast_open::server_without_cookie) != 0 ||
                       listener.settings->fast_open_without_cookie;
  if (!asked && !(is_free && syn.payload_size > 0)) return false;
  if (!has_room(now, m.config, listener)) return false;
  if (is_free) return true;
  FastOpenCookie granted = m.fast_open_key.cookie_for(c.remote.address, c.local.address);
  if (is_same_cookie(*asked, granted)) return true;
  granted.is_experimental = asked->is_experimental;
  rare_of(c).cookie = granted;
  return false;
}

// 4.2.2: the program gets the connection, and what came with the SYN, before the handshake ends.
void take_early(Machine& m, Listener& listener, Connection& c, const Segment& syn) {
  Rare& rare = rare_of(c);
  c.is_early = c.was_established = c.was_writable = true;
  rare.pending_at = listener.id;
  ++listener.fast_opens_pending;
  --listener.half_open;
  (void)c.receiver.offer(c.own_mss);  // as the SYN,ACK will
  const std::uint32_t size = std::min(syn.payload_size, c.receiver.window());
  if (size > 0) {
    const auto taken = c.receiver.take(syn.sequence + 1, syn.datagram->packet, syn.payload_offset,
                                       size, m.config.out_of_order_segments_max);
    c.counters.bytes_received += taken.bytes;
    rare.was_early_taken = true;
  }
  listener.waiting.push_back(c.id);
  m.changed(listener);
}

// The handshake has ended, well or not.
void end_early(Machine& m, Instant now, Connection& c, bool was_reset) {
  c.is_early = false;
  Listener* const listener = m.listeners.find(std::exchange(c.rare->pending_at, ListenerId::none));
  if (listener == nullptr) return;
  const bool is_accepted = c.listener == ListenerId::none;
  if (was_reset && is_accepted) {
    listener->fast_open_resets.push_back(now + reset_counts_for);
  } else {
    --listener->fast_opens_pending;
  }
}

// 4.2.1: with a cookie the SYN carries what fits of the data; without one it asks for it.
void begin_early(Machine& m, Instant now, Connection& c, Bytes early) {
  const bool is_free = (m.config.fast_open & transport::fast_open::client_without_cookie) != 0 ||
                       c.settings->fast_open_without_cookie;
  const auto cookie = m.fast_opens.ask(now, c.remote.address);
  if (!cookie) return;
  Rare& rare = rare_of(c);
  if (!is_free) rare.cookie = cookie;
  if (cookie->size == 0 && !is_free) return;
  if (const std::uint16_t mss = m.fast_opens.mss(c.remote.address); mss != 0) c.peer_mss = mss;
  m.compute_mss(c);
  const std::size_t room = c.mss - options_room;  // timestamps are not agreed on yet
  rare.early_bytes = static_cast<std::uint32_t>(std::min({room, early.size(), c.send_room()}));
  c.sender.append(early.first(rare.early_bytes));
}

// 4.2.1: the SYN,ACK of a SYN that asked, or carried data. What it does not acknowledge goes again.
void learn_early(Machine& m, Instant now, Connection& c, const Segment& syn_ack) {
  Rare& rare = *c.rare;
  rare.was_early_taken =
      rare.early_bytes > 0 && after(c.sender.una(), c.sender.iss() + rare.early_bytes);
  const auto& granted = syn_ack.options.fast_open;
  const bool is_lost =
      c.was_syn_resent && rare.early_bytes > 0 && !rare.was_early_taken && !granted;
  if (rare.cookie && is_lost) m.fast_opens.note_loss(now, c.remote.address);
  if (rare.cookie) m.fast_opens.learn(c.remote.address, c.peer_mss, granted);
  if (rare.early_bytes == 0) return;
  c.congestion = congestion::make(c.settings->congestion, c.mss, c.was_syn_resent);
  c.recovery->start(c.sender.una());
  if (c.sender.flight() > 0) c.sender.lose_all();
}

}  // namespace lanyard::tcp
