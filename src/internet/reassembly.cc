// SPDX-License-Identifier: Apache-2.0
#include "internet/reassembly.hh"

#include <algorithm>

#include "core/random.hh"

namespace lanyard::internet {

namespace {

// What a fragment and a datagram cost beside their bytes, so that tiny fragments fill the same
// limit (BI-15).
constexpr std::size_t piece_cost = 128;
constexpr std::size_t partial_cost = 256;
constexpr std::uint32_t datagram_bytes_max = 65535;

constexpr std::uint8_t ecn_ce = 3;

bool same_bytes(const Packet& a, const Packet& b) {
  std::vector<std::uint8_t> left(a.size());
  std::vector<std::uint8_t> right(b.size());
  a.copy_to(0, left);
  b.copy_to(0, right);
  return left == right;
}

}  // namespace

std::size_t FragmentKeyHash::operator()(const FragmentKey& key) const noexcept {
  const std::hash<IpAddress> hash;
  const std::size_t addresses = hash(key.source) * 31 + hash(key.destination);
  return (addresses * 31 + key.identification) * 31 + key.protocol;
}

std::expected<std::optional<Reassembled>, DropReason> Reassembly::add(Instant now,
                                                                      Fragment fragment) {
  const std::size_t size = fragment.data.size();
  if (size == 0) return std::unexpected(DropReason::bad_fragment);
  const bool is_too_long = fragment.offset + size > datagram_bytes_max;
  Partial& partial = partial_for(now, fragment.key);
  if (partial.is_dead) return std::unexpected(DropReason::fragment_overlap);
  // BI-14: the ping of death takes its datagram with it.
  if (is_too_long || partial.pieces.size() >= config_.fragments_per_datagram_max) {
    kill(partial);
    return std::unexpected(DropReason::bad_fragment);
  }
  switch (fit(partial, fragment)) {
    case Fit::duplicate:
      return std::nullopt;
    case Fit::overlaps:
      // RFC 8200 4.5 [RFC8200-4.5-i], RFC 5722 4, BI-13, BI-17: silently, with what is to come.
      kill(partial);
      return std::unexpected(DropReason::fragment_overlap);
    case Fit::fits:
      break;
  }
  insert(partial, std::move(fragment));
  if (partial.total && partial.have == *partial.total) return assemble(partial);
  make_room(partial);
  return std::nullopt;
}

Reassembly::Partial& Reassembly::partial_for(Instant now, const FragmentKey& key) {
  const auto found = by_key_.find(key);
  if (found != by_key_.end()) return *found->second;
  if (partials_.size() >= std::max(1U, config_.reassembly_datagrams_max)) {
    give_up(partials_.begin(), DropReason::reassembly_full);
  }
  partials_.emplace_back();
  Partial& partial = partials_.back();
  partial.key = key;
  // RFC 1122 3.3.2 [RFC1122-3.3.2-b]: a fixed time from the first fragment to come.
  partial.expires = now + config_.reassembly_timeout;
  partial.cost = partial_cost;
  bytes_ += partial_cost;
  by_key_.emplace(key, std::prev(partials_.end()));
  return partial;
}

Reassembly::Fit Reassembly::fit(const Partial& partial, const Fragment& fragment) {
  const std::uint32_t begin = fragment.offset;
  const std::uint32_t end = begin + static_cast<std::uint32_t>(fragment.data.size());
  const auto after = std::lower_bound(
      partial.pieces.begin(), partial.pieces.end(), begin,
      [](const Piece& piece, std::uint32_t offset) { return piece.offset < offset; });
  const bool has_same_range =
      after != partial.pieces.end() && after->offset == begin && after->end == end;
  if (has_same_range && same_bytes(after->data, fragment.data)) return Fit::duplicate;
  if (after != partial.pieces.end() && after->offset < end) return Fit::overlaps;
  if (after != partial.pieces.begin() && std::prev(after)->end > begin) return Fit::overlaps;
  // Two ends, or bytes behind the end, are an overlap too: one of them lies.
  if (partial.total && end > *partial.total) return Fit::overlaps;
  const bool is_behind = after != partial.pieces.end();  // something lies behind it
  return !fragment.more && is_behind ? Fit::overlaps : Fit::fits;
}

// RFC 3168 5.3: congestion experienced by one fragment is experienced by the datagram.
void Reassembly::merge_ecn(Partial& partial, std::uint8_t ecn) {
  if (partial.pieces.empty()) {
    partial.ecn = ecn;
  } else if (ecn == ecn_ce) {
    partial.ecn = partial.ecn == 0 ? std::uint8_t{0} : ecn_ce;
  }
}

void Reassembly::insert(Partial& partial, Fragment fragment) {
  const std::uint32_t end = fragment.offset + static_cast<std::uint32_t>(fragment.data.size());
  merge_ecn(partial, fragment.ecn);
  if (!fragment.more) partial.total = end;
  if (fragment.offset == 0) partial.header = std::move(fragment.header);
  const auto at = std::lower_bound(
      partial.pieces.begin(), partial.pieces.end(), fragment.offset,
      [](const Piece& piece, std::uint32_t offset) { return piece.offset < offset; });
  const std::size_t cost = fragment.data.size() + piece_cost;
  partial.have += end - fragment.offset;
  partial.cost += cost;
  bytes_ += cost;
  partial.pieces.insert(at, {fragment.offset, end, std::move(fragment.data)});
}

Reassembled Reassembly::assemble(Partial& partial) {
  Reassembled whole;
  whole.header = std::move(partial.header);
  whole.ecn = partial.ecn;
  whole.data = Packet(128, *partial.total);
  for (Piece& piece : partial.pieces) {
    piece.data.copy_to(0, {whole.data.push_back(piece.data.size()), piece.data.size()});
  }
  whole.data.cause = partial.pieces.back().data.cause;
  whole.data.id = partial.pieces.front().data.id;
  erase(by_key_.find(partial.key)->second);
  return whole;
}

void Reassembly::kill(Partial& partial) {
  partial.is_dead = true;
  partial.pieces = std::vector<Piece>();
  partial.header = {};
  bytes_ -= partial.cost - partial_cost;
  partial.cost = partial_cost;
}

void Reassembly::give_up(Partials::iterator partial, DropReason reason) {
  if (!partial->is_dead) {
    GivenUp given_up{reason, partial->key, false, std::move(partial->header), {}};
    given_up.has_first = partial->pieces.front().offset == 0;  // there is one, or it were dead
    if (given_up.has_first) given_up.first = std::move(partial->pieces.front().data);
    given_up_.push_back(std::move(given_up));
  }
  erase(partial);
}

void Reassembly::erase(Partials::iterator partial) {
  bytes_ -= partial->cost;
  by_key_.erase(partial->key);
  partials_.erase(partial);
}

// BI-15: the oldest datagrams make room for the newest fragment.
void Reassembly::make_room(const Partial& keep) {
  while (bytes_ > config_.reassembly_bytes_max && &partials_.front() != &keep) {
    give_up(partials_.begin(), DropReason::reassembly_full);
  }
}

void Reassembly::poll(Instant now) {
  while (!partials_.empty() && partials_.front().expires <= now) {
    give_up(partials_.begin(), DropReason::reassembly_timeout);
  }
}

Instant Reassembly::next_deadline() const {
  return partials_.empty() ? Instant::never() : partials_.front().expires;
}

std::vector<Reassembly::GivenUp> Reassembly::take_given_up() {
  return std::exchange(given_up_, {});
}

}  // namespace lanyard::internet
