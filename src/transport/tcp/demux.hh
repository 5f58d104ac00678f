// SPDX-License-Identifier: Apache-2.0
// Which conversation a segment belongs to: a hash table over the 4-tuple, keyed so that nobody
// outside can make collisions. Look-up only; nothing ever iterates over it.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "core/random.hh"
#include "core/timers.hh"
#include "transport/tcp/folded.hh"
#include "wire/address.hh"

namespace lanyard::tcp {

// What a 4-tuple leads to: a Connection, or what is left of one in TIME-WAIT. Its timer wakes it.
struct Node : Timer {
  [[nodiscard]] bool is_between(const Endpoint& mine, const Endpoint& peer) const {
    return local.port == mine.port && remote.port == peer.port && local.address == mine.address &&
           remote.address == peer.address;
  }
  Endpoint local, remote;
  std::uint32_t hash = 0;  // the demux's
  bool is_time_wait = false;
};

// A node, or a connection that is folded, or neither.
class Place {
 public:
  Place() = default;
  explicit Place(const Node& node) : bits_(std::bit_cast<std::uintptr_t>(&node)) {}
  explicit Place(const Folded& folded) : bits_(std::bit_cast<std::uintptr_t>(&folded) | 1) {}
  [[nodiscard]] Node* node() const { return is_folded() ? nullptr : std::bit_cast<Node*>(bits_); }
  [[nodiscard]] Folded* folded() const {
    return is_folded() ? std::bit_cast<Folded*>(bits_ & ~std::uintptr_t{1}) : nullptr;
  }
  [[nodiscard]] bool is_empty() const { return bits_ == 0; }
  [[nodiscard]] std::uint32_t hash() const;
  [[nodiscard]] bool is_between(const Endpoint& local, const Endpoint& remote) const;
  friend bool operator==(Place, Place) = default;

 private:
  [[nodiscard]] bool is_folded() const { return (bits_ & 1) != 0; }
  std::uintptr_t bits_ = 0;
};

// It leads to places, which stay where they are: that what lies there is folded and unfolded is
// nothing to it, and touches no memory of its own.
class Demux {
 public:
  explicit Demux(const SipKey& key) : key_(key) {}
  [[nodiscard]] Place* find(const Endpoint& local, const Endpoint& remote) const;  // or null
  // `place`, which leads to `node`, is found by its ends until it is removed.
  void insert(Node& node, Place& place);
  void remove(const Place& place);
  // Has `heir` found instead of another, whose ends and hash it has.
  void replace(const Place& old, Place& heir);
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  // One word: where it leads, and in the upper bits, which no address here uses, eight of the hash
  // and how far from home it lies, so that few steps on the way look at memory elsewhere.
  class Entry {
   public:
    Entry() = default;
    Entry(const Place& place, std::uint32_t hash);
    [[nodiscard]] Place* place() const;
    [[nodiscard]] bool is_empty() const { return bits_ == 0; }
    [[nodiscard]] bool may_have(std::uint32_t hash) const { return bits_ >> 56 == hash >> 24; }
    // At most far_max, which is as much or more.
    [[nodiscard]] std::size_t distance() const { return bits_ >> 48 & far_max; }
    [[nodiscard]] Entry at(std::size_t distance) const;
    static constexpr std::size_t far_max = 0xff;

   private:
    std::uint64_t bits_ = 0;
  };
  [[nodiscard]] std::uint32_t hash_of(const Endpoint& local, const Endpoint& remote) const;
  [[nodiscard]] std::uint32_t make_hash(const Endpoint& local, const Endpoint& remote) const;
  [[nodiscard]] std::size_t index_of(const Place& place) const;
  [[nodiscard]] std::size_t distance_from_home(std::size_t index) const;
  void grow();
  void put(const Place& place, std::uint32_t hash);
  SipKey key_;
  std::vector<Entry> entries_;  // linear probing; a power of two
  std::size_t size_ = 0;
  // The hash asked for last: whoever is not there is put there next.
  struct Hashed {
    Endpoint local, remote;
    std::uint32_t hash = 0;
  };
  mutable Hashed hashed_;
};

}  // namespace lanyard::tcp
