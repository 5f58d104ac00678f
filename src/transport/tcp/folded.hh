// SPDX-License-Identifier: Apache-2.0
// A connection at which nothing happens, folded: all that it knows in about a hundred octets
// instead of seven hundred. Folding and unfolding lose nothing; whoever looks at a connection finds
// it unfolded (connections.hh).
#pragma once

#include <cstdint>
#include <memory>

#include "wire/address.hh"

namespace lanyard::tcp {

struct Connection;

class Folded {
 public:
  struct Free {
    void operator()(Folded* folded) const;
  };
  using Owner = std::unique_ptr<Folded, Free>;
  Folded(const Folded&) = delete;
  Folded& operator=(const Folded&) = delete;

  // Whether there is nothing under way that would have to be looked after.
  [[nodiscard]] static bool may_fold(const Connection& c);
  // Takes over what `c` owns but for its settings, which `settings` stands for.
  [[nodiscard]] static Owner fold(Connection& c, std::uint32_t settings);
  // Fills a new connection, which then owns what this did; returns the number of its settings.
  std::uint32_t unfold(Connection& c) const;

  [[nodiscard]] bool is_between(const Endpoint& local, const Endpoint& remote) const;
  [[nodiscard]] std::uint32_t hash() const { return hash_; }    // the demux's
  [[nodiscard]] std::uint32_t index() const { return index_; }  // its slot

 private:
  Folded(std::uint32_t hash, std::uint32_t index) : hash_(hash), index_(index) {}
  [[nodiscard]] const std::uint8_t* bytes() const {
    return static_cast<const std::uint8_t*>(static_cast<const void*>(this + 1));
  }
  std::uint32_t hash_, index_;  // followed by the ends and the fields
};

}  // namespace lanyard::tcp
