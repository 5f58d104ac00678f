// SPDX-License-Identifier: Apache-2.0
// How an idle object is written small: its fields one after the other, each beside a guess. One bit
// says whether the guess was right; where it was not, the difference follows, in as few octets as
// it needs. The writer and the reader have the same calls, so that one list of fields serves both.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>

#include "core/bytes.hh"
#include "core/check.hh"
#include "transport/tcp/fold_numbers.hh"

namespace lanyard::tcp {

class FoldWriter {
 public:
  // Numbers, enumerations, instants.
  template <typename T>
  void operator()(T& value, std::type_identity_t<T> guess) {
    const bool differs = !(value == guess);
    bit(differs);
    if constexpr (!std::same_as<T, bool>) {
      if (!differs) return;
      std::uint64_t left = fold_numbers::zigzag(value, guess);
      for (; left >= 0x80; left >>= 7) put(static_cast<std::uint8_t>(left | 0x80));
      put(static_cast<std::uint8_t>(left));
    }
  }
  // A number that cannot be guessed.
  template <typename T>
  requires(sizeof(T) == 4) void word(T& value) {
    raw(static_cast<std::uint32_t>(fold_numbers::of(value)));
  }
  // What a pointer owns goes along as it is.
  template <typename T>
  void owned(std::unique_ptr<T>& pointer) {
    bit(pointer != nullptr);
    if (pointer != nullptr) raw(std::bit_cast<std::uintptr_t>(pointer.release()));
  }
  [[nodiscard]] Bytes bytes() const { return Bytes(bytes_).first(size_); }

 private:
  void bit(bool is_set) {
    if (bits_ == 8) bits_at_ = size_, bits_ = 0, put(0);
    bytes_[bits_at_] = static_cast<std::uint8_t>(bytes_[bits_at_] | unsigned{is_set} << bits_++);
  }
  void put(std::uint8_t byte) {
    CHECK(size_ < bytes_.size());
    bytes_[size_++] = byte;
  }
  template <typename T>
  void raw(T number) {
    CHECK(size_ + sizeof number <= bytes_.size());
    std::memcpy(bytes_.data() + size_, &number, sizeof number);
    size_ += sizeof number;
  }
  std::array<std::uint8_t, 768> bytes_;
  std::size_t size_ = 0, bits_at_ = 0;
  unsigned bits_ = 8;
};

class FoldReader {
 public:
  explicit FoldReader(const std::uint8_t* bytes) : next_(bytes) {}
  template <typename T>
  void operator()(T& value, std::type_identity_t<T> guess) {
    if (!bit()) {
      value = guess;
    } else if constexpr (std::same_as<T, bool>) {
      value = !guess;
    } else {
      std::uint64_t coded = 0;
      unsigned shift = 0;
      for (; (*next_ & 0x80) != 0; shift += 7) coded |= std::uint64_t{*next_++ & 0x7fU} << shift;
      coded |= std::uint64_t{*next_++} << shift;
      value = fold_numbers::unzigzag<T>(coded, guess);
    }
  }
  template <typename T>
  requires(sizeof(T) == 4) void word(T& value) {
    value = fold_numbers::to<T>(raw<std::uint32_t>());
  }
  template <typename T>
  void owned(std::unique_ptr<T>& pointer) {
    if (bit()) pointer.reset(std::bit_cast<T*>(raw<std::uintptr_t>()));
  }

 private:
  bool bit() {
    if (bits_ == 8) bits_ = 0, flags_ = *next_++;
    return (flags_ >> bits_++ & 1) != 0;
  }
  template <typename T>
  T raw() {
    T number;
    std::memcpy(&number, next_, sizeof number);
    next_ += sizeof number;
    return number;
  }
  const std::uint8_t* next_;
  unsigned flags_ = 0, bits_ = 8;
};

}  // namespace lanyard::tcp
