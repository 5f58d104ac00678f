// SPDX-License-Identifier: Apache-2.0
#include "transport/tcp/demux.hh"

#include <algorithm>
#include <array>
#include <utility>

#include "core/check.hh"

namespace lanyard::tcp {

std::uint32_t Demux::hash_of(const Endpoint& local, const Endpoint& remote) const {
  std::array<std::uint8_t, 36> tuple;
  std::copy_n(local.address.bytes().begin(), 16, tuple.begin());
  std::copy_n(remote.address.bytes().begin(), 16, tuple.begin() + 16);
  store16(tuple.data() + 32, local.port);
  store16(tuple.data() + 34, remote.port);
  return static_cast<std::uint32_t>(siphash(key_, tuple));
}

Node* Demux::find(const Endpoint& local, const Endpoint& remote) const {
  if (entries_.empty()) return nullptr;
  const std::uint32_t hash = hash_of(local, remote);
  const std::size_t mask = entries_.size() - 1;
  for (std::size_t i = hash & mask; entries_[i].node != nullptr; i = (i + 1) & mask) {
    if (entries_[i].hash != hash) continue;
    const Node& node = *entries_[i].node;
    if (node.local.port == local.port && node.remote.port == remote.port &&
        node.local.address == local.address && node.remote.address == remote.address)
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
  CHECK(find(node.local, node.remote) == nullptr);
  if ((size_ + 1) * 4 > entries_.size() * 3) grow();
  put({&node, hash_of(node.local, node.remote)});
  ++size_;
}

// Entries behind the gap move up, so that no probe stops short of them.
void Demux::remove(const Node& node) {
  const std::size_t mask = entries_.size() - 1;
  std::size_t gap = hash_of(node.local, node.remote) & mask;
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
