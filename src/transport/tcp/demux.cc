// SPDX-License-Identifier: Apache-2.0
#include "transport/tcp/demux.hh"

#include <algorithm>
#include <array>
#include <utility>

#include "core/check.hh"

namespace lanyard::tcp {

namespace {

bool is_of(const Node& node, const Endpoint& local, const Endpoint& remote) {
  return node.local.port == local.port && node.remote.port == remote.port &&
         node.local.address == local.address && node.remote.address == remote.address;
}

}  // namespace

std::uint32_t Demux::hash_of(const Endpoint& local, const Endpoint& remote) const {
  const bool is_known = hashed_.local.port == local.port && hashed_.remote.port == remote.port &&
                        hashed_.local.address == local.address &&
                        hashed_.remote.address == remote.address;
  if (!is_known) hashed_ = {local, remote, make_hash(local, remote)};
  return hashed_.hash;
}

// Of IPv4 only what differs is hashed; the length tells the families apart.
std::uint32_t Demux::make_hash(const Endpoint& local, const Endpoint& remote) const {
  std::array<std::uint8_t, 36> tuple;
  store16(tuple.data(), local.port);
  store16(tuple.data() + 2, remote.port);
  if (local.address.is_v4() && remote.address.is_v4()) {
    store32(tuple.data() + 4, local.address.v4_number());
    store32(tuple.data() + 8, remote.address.v4_number());
    return static_cast<std::uint32_t>(siphash(key_, Bytes(tuple).first(12)));
  }
  std::copy_n(local.address.bytes().begin(), 16, tuple.begin() + 4);
  std::copy_n(remote.address.bytes().begin(), 16, tuple.begin() + 20);
  return static_cast<std::uint32_t>(siphash(key_, tuple));
}

Node* Demux::find(const Endpoint& local, const Endpoint& remote) const {
  if (latest_ != nullptr && is_of(*latest_, local, remote)) return latest_;
  Node* const found = look_up(local, remote);
  if (found != nullptr) latest_ = found;
  return found;
}

Node* Demux::look_up(const Endpoint& local, const Endpoint& remote) const {
  if (entries_.empty()) return nullptr;
  const std::uint32_t hash = hash_of(local, remote);
  const std::size_t mask = entries_.size() - 1;
  for (std::size_t i = hash & mask; entries_[i].node != nullptr; i = (i + 1) & mask) {
    if (entries_[i].hash == hash && is_of(*entries_[i].node, local, remote))
      return entries_[i].node;
  }
  return nullptr;
}

void Demux::put(Entry entry) {
  const std::size_t mask = entries_.size() - 1;
  std::size_t i = entry.hash & mask;
  while (entries_[i].node != nullptr) i = (i + 1) & mask;
  entries_[i] = entry;
}

void Demux::grow() {
  std::vector<Entry> old(std::max<std::size_t>(16, entries_.size() * 2));
  std::swap(old, entries_);
  for (const Entry& entry : old)
    if (entry.node != nullptr) put(entry);
}

void Demux::insert(Node& node) {
  if ((size_ + 1) * 4 > entries_.size() * 3) grow();
  node.hash = hash_of(node.local, node.remote);
  const Entry entry{&node, node.hash};
  const std::size_t mask = entries_.size() - 1;
  for (std::size_t i = entry.hash & mask; entries_[i].node != nullptr; i = (i + 1) & mask)
    CHECK(entries_[i].hash != entry.hash || !is_of(*entries_[i].node, node.local, node.remote));
  put(entry);
  ++size_;
}

void Demux::replace(const Node& node, Node& heir) {
  if (latest_ == &node) latest_ = &heir;
  heir.hash = node.hash;
  const std::size_t mask = entries_.size() - 1;
  std::size_t place = node.hash & mask;
  while (entries_[place].node != &node) place = (place + 1) & mask;
  entries_[place].node = &heir;
}

// Entries behind the gap move up, so that no probe stops short of them.
void Demux::remove(const Node& node) {
  if (latest_ == &node) latest_ = nullptr;
  const std::size_t mask = entries_.size() - 1;
  std::size_t gap = node.hash & mask;
  while (entries_[gap].node != &node) gap = (gap + 1) & mask;
  for (std::size_t i = (gap + 1) & mask; entries_[i].node != nullptr; i = (i + 1) & mask) {
    const std::size_t home = entries_[i].hash & mask;
    if (((i - home) & mask) < ((i - gap) & mask)) continue;
    entries_[gap] = entries_[i];
    gap = i;
  }
  entries_[gap] = {};
  --size_;
}

}  // namespace lanyard::tcp
