// SPDX-License-Identifier: Apache-2.0
#include "transport/tcp/demux.hh"

#include <algorithm>
#include <array>
#include <utility>

#include "core/check.hh"

namespace lanyard::tcp {

namespace {

constexpr unsigned address_bits = 48;
constexpr std::uint64_t address_mask = (std::uint64_t{1} << address_bits) - 1;

}  // namespace

std::uint32_t Place::hash() const {
  return is_folded() ? folded()->hash() : node()->hash;
}

bool Place::is_between(const Endpoint& local, const Endpoint& remote) const {
  return is_folded() ? folded()->is_between(local, remote) : node()->is_between(local, remote);
}

Demux::Entry::Entry(const Place& place, std::uint32_t hash)
    : bits_(std::bit_cast<std::uintptr_t>(&place)) {
  CHECK((bits_ & ~address_mask) == 0);
  bits_ |= std::uint64_t{hash >> 24} << 56;
}

Place* Demux::Entry::place() const {
  return std::bit_cast<Place*>(bits_ & address_mask);
}

Demux::Entry Demux::Entry::at(std::size_t distance) const {
  Entry entry;
  entry.bits_ = (bits_ & ~(std::uint64_t{far_max} << address_bits)) |
                std::uint64_t{std::min(distance, far_max)} << address_bits;
  return entry;
}

std::uint32_t Demux::hash_of(const Endpoint& local, const Endpoint& remote) const {
  const bool is_known = hashed_.local.port == local.port && hashed_.remote.port == remote.port &&
                        hashed_.local.address == local.address &&
                        hashed_.remote.address == remote.address;
  if (!is_known) hashed_ = {local, remote, make_hash(local, remote)};
  return hashed_.hash;
}

// Of IPv4 only what differs is hashed; the length tells the families apart. Nobody outside is told
// where anything lies, so that the shorter SipHash does.
std::uint32_t Demux::make_hash(const Endpoint& local, const Endpoint& remote) const {
  const std::uint64_t ports = std::uint64_t{local.port} << 16 | remote.port;
  if (local.address.is_v4()) {
    const std::uint64_t addresses =
        std::uint64_t{local.address.v4_number()} << 32 | remote.address.v4_number();
    return static_cast<std::uint32_t>(siphash_1_3(key_, std::array{addresses, ports}));
  }
  const std::uint8_t* const mine = local.address.bytes().data();
  const std::uint8_t* const peer = remote.address.bytes().data();
  return static_cast<std::uint32_t>(siphash_1_3(
      key_, std::array{load64(mine), load64(mine + 8), load64(peer), load64(peer + 8), ports}));
}

Place* Demux::find(const Endpoint& local, const Endpoint& remote) const {
  if (entries_.empty()) return nullptr;
  const std::uint32_t hash = hash_of(local, remote);
  const std::size_t mask = entries_.size() - 1;
  for (std::size_t i = hash & mask; !entries_[i].is_empty(); i = (i + 1) & mask) {
    if (!entries_[i].may_have(hash)) continue;
    Place* const place = entries_[i].place();
    if (place->is_between(local, remote)) return place;
  }
  return nullptr;
}

void Demux::put(const Place& place, std::uint32_t hash) {
  const std::size_t mask = entries_.size() - 1;
  std::size_t distance = 0;
  while (!entries_[(hash + distance) & mask].is_empty()) ++distance;
  entries_[(hash + distance) & mask] = Entry(place, hash).at(distance);
}

void Demux::grow() {
  std::vector<Entry> old(std::max<std::size_t>(16, entries_.size() * 2));
  std::swap(old, entries_);
  for (const Entry& entry : old)
    if (!entry.is_empty()) put(*entry.place(), entry.place()->hash());
}

void Demux::insert(Node& node, Place& place) {
  if ((size_ + 1) * 4 > entries_.size() * 3) grow();
  CHECK(find(node.local, node.remote) == nullptr);
  node.hash = hash_of(node.local, node.remote);
  put(place, node.hash);
  ++size_;
}

std::size_t Demux::index_of(const Place& place) const {
  const std::size_t mask = entries_.size() - 1;
  std::size_t index = place.hash() & mask;
  while (entries_[index].place() != &place) index = (index + 1) & mask;
  return index;
}

std::size_t Demux::distance_from_home(std::size_t index) const {
  const std::size_t distance = entries_[index].distance();
  if (distance < Entry::far_max) return distance;
  return (index - entries_[index].place()->hash()) & (entries_.size() - 1);
}

void Demux::replace(const Place& old, Place& heir) {
  Entry& entry = entries_[index_of(old)];
  entry = Entry(heir, heir.hash()).at(entry.distance());
}

// Entries behind the gap move up, so that no probe stops short of them.
void Demux::remove(const Place& place) {
  const std::size_t mask = entries_.size() - 1;
  std::size_t gap = index_of(place);
  for (std::size_t i = (gap + 1) & mask; !entries_[i].is_empty(); i = (i + 1) & mask) {
    const std::size_t distance = distance_from_home(i), moved = (i - gap) & mask;
    if (distance < moved) continue;
    entries_[gap] = entries_[i].at(distance - moved);
    gap = i;
  }
  entries_[gap] = {};
  --size_;
}

}  // namespace lanyard::tcp
