// SPDX-License-Identifier: Apache-2.0
#include "core/random.hh"

#include <bit>
#include <cstring>
#include <string>

namespace lanyard {
namespace {

// SipHash is defined on little-endian words.
std::uint64_t load_little(const std::uint8_t* from) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return std::endian::native == std::endian::little ? word : std::byteswap(word);
}

std::uint64_t load_little32(const std::uint8_t* from) {
  std::uint32_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return std::endian::native == std::endian::little ? word : std::byteswap(word);
}

// Fewer than eight bytes; of four and more the first four and the last four, which may overlap.
std::uint64_t load_rest(const std::uint8_t* from, std::size_t size) {
  if (size >= 4) return load_little32(from) | load_little32(from + size - 4) << (8 * (size - 4));
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < size; ++i) word |= std::uint64_t{from[i]} << (8 * i);
  return word;
}

struct SipState {
  std::uint64_t v0, v1, v2, v3;

  explicit SipState(const SipKey& key)
      : v0(key[0] ^ 0x736f6d6570736575ULL),
        v1(key[1] ^ 0x646f72616e646f6dULL),
        v2(key[0] ^ 0x6c7967656e657261ULL),
        v3(key[1] ^ 0x7465646279746573ULL) {}

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }

  template <int rounds>
  void go_round() {
    round();
    if constexpr (rounds > 1) go_round<rounds - 1>();
  }

  template <int rounds>
  void take(std::uint64_t word) {
    v3 ^= word;
    go_round<rounds>();
    v0 ^= word;
  }

  template <int rounds>
  std::uint64_t finish() {
    v2 ^= 0xff;
    go_round<rounds>();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

}  // namespace

std::uint64_t siphash(const SipKey& key, Bytes message) {
  SipState state(key);
  const std::size_t whole = message.size() / 8 * 8;
  for (std::size_t i = 0; i < whole; i += 8) state.take<2>(load_little(message.data() + i));
  state.take<2>(load_rest(message.data() + whole, message.size() - whole) |
                std::uint64_t{message.size() & 0xff} << 56);
  return state.finish<4>();
}

std::uint64_t siphash_1_3(const SipKey& key, std::span<const std::uint64_t> message) {
  SipState state(key);
  for (const std::uint64_t word : message) state.take<1>(word);
  state.take<1>(std::uint64_t{message.size() * 8 & 0xff} << 56);
  return state.finish<3>();
}

// xoshiro256** by Blackman and Vigna.
std::uint64_t RandomStream::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::uint64_t RandomStream::below(std::uint64_t bound) {
  // Numbers of the last, incomplete run of `bound` are thrown again.
  while (true) {
    const std::uint64_t number = next();
    const std::uint64_t rest = number % bound;
    if (number - rest <= std::uint64_t{0} - bound) return rest;
  }
}

Seed Seed::branch(std::string_view name) const {
  // Two hashes of the name, told apart by a last byte, make the branch's key.
  std::string message(name);
  message.push_back('\1');
  const std::uint64_t first = siphash(key_, bytes_of(message));
  message.back() = '\2';
  return Seed(SipKey{first, siphash(key_, bytes_of(message))});
}

RandomStream Seed::stream() const {
  std::array<std::uint64_t, 4> state{};
  for (std::size_t i = 0; i < state.size(); ++i) {
    const std::array<std::uint8_t, 2> message = {static_cast<std::uint8_t>(i), 3};
    state[i] = siphash(key_, message);
  }
  state[0] |= 1;  // xoshiro256** must not start from all zeros
  return RandomStream(state);
}

}  // namespace lanyard
