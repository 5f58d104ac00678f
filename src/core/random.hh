// SPDX-License-Identifier: Apache-2.0
// Chance and secrets, all from one seed. Every owner of chance splits its own stream from the seed
// by name, so that adding a fault on one link changes the dice of no other.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/bytes.hh"

namespace lanyard {

// SipHash-2-4 of `message` under a 128-bit key: the keyed PRF behind ISNs, ports, flow labels and
// stream names.
using SipKey = std::array<std::uint64_t, 2>;
[[nodiscard]] std::uint64_t siphash(const SipKey& key, Bytes message);

// SipHash-1-3 of a message of whole words (each little-endian), as the hash tables of Rust and the
// kernel's hsiphash() take it: in less than half the rounds, and only where nobody outside learns
// what comes out.
[[nodiscard]] std::uint64_t siphash_1_3(const SipKey& key, std::span<const std::uint64_t> message);

// A pseudo-random stream (xoshiro256**); the same seed gives the same numbers on every machine and
// compiler.
class RandomStream {
 public:
  explicit RandomStream(const std::array<std::uint64_t, 4>& state) : state_(state) {}

  [[nodiscard]] std::uint64_t next();
  // Uniform in [0, bound), without bias; bound > 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);
  // True `parts` times out of a thousand million.
  [[nodiscard]] bool happens(std::uint64_t parts_per_billion) {
    return below(1'000'000'000) < parts_per_billion;
  }
  [[nodiscard]] SipKey key() { return {next(), next()}; }

 private:
  std::array<std::uint64_t, 4> state_;
};

// The root of all chance in a world, or a named branch of it.
class Seed {
 public:
  explicit Seed(std::uint64_t number) : key_{number, 0x6c616e79617264ULL} {}
  // The branch called `name`, as in seed.branch("link r1 -- dc").branch("loss").
  [[nodiscard]] Seed branch(std::string_view name) const;
  [[nodiscard]] RandomStream stream() const;

 private:
  explicit Seed(const SipKey& key) : key_(key) {}
  SipKey key_;
};

}  // namespace lanyard
