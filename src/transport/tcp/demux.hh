// SPDX-License-Identifier: Apache-2.0
// Which conversation a segment belongs to: a hash table over the 4-tuple, keyed so that nobody
// outside can make collisions. Look-up only; nothing ever iterates over it.
#pragma once

#include <cstdint>
#include <vector>

#include "core/random.hh"
#include "core/timers.hh"
#include "wire/address.hh"

namespace lanyard::tcp {

// What a 4-tuple leads to: a Connection, or what is left of one in TIME-WAIT. Its timer wakes it.
struct Node : Timer {
  Endpoint local, remote;
  std::uint32_t hash = 0;  // the demux's
  bool is_time_wait = false;
};

class Demux {
 public:
  explicit Demux(const SipKey& key) : key_(key) {}
  [[nodiscard]] Node* find(const Endpoint& local, const Endpoint& remote) const;
  void insert(Node& node);
  void remove(const Node& node);
  // Puts `heir` in the place of `node`, whose ends it has.
  void replace(const Node& node, Node& heir);
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct Entry {
    Node* node = nullptr;
    std::uint32_t hash = 0;
  };
  [[nodiscard]] std::uint32_t hash_of(const Endpoint& local, const Endpoint& remote) const;
  [[nodiscard]] std::uint32_t make_hash(const Endpoint& local, const Endpoint& remote) const;
  [[nodiscard]] Node* look_up(const Endpoint& local, const Endpoint& remote) const;
  void grow();
  void put(Entry entry);
  SipKey key_;
  std::vector<Entry> entries_;  // linear probing; a power of two
  std::size_t size_ = 0;
  mutable Node* latest_ = nullptr;  // found last: segments come in runs
  // The hash asked for last: whoever is not there is put there next.
  struct Hashed {
    Endpoint local, remote;
    std::uint32_t hash = 0;
  };
  mutable Hashed hashed_;
};

}  // namespace lanyard::tcp
