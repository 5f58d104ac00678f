// SPDX-License-Identifier: Apache-2.0
// See fold.hh.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>

#include "core/bytes.hh"
#include "transport/tcp/fold.hh"

namespace lanyard::tcp {

// There are at least eight octets of differences, so that a word of bits can be read whole.
class FoldReader {
 public:
  explicit FoldReader(const std::uint8_t* bytes)
      : next_(bytes + 1 + *bytes), word_from_(bytes + 1) {
    next_word();
  }
  template <typename T>
  [[gnu::always_inline]] void operator()(T& value, std::type_identity_t<T> guess) {
    if (!bit()) {
      value = guess;
    } else if constexpr (std::same_as<T, bool>) {
      value = !guess;
    } else {
      const auto [coded, end] = fold_numbers::take(next_);
      next_ = end;
      value = fold_numbers::unzigzag<T>(coded, guess);
    }
  }
  template <typename... T>
  [[gnu::always_inline]] void together(Guessed<T>... fields) {
    if (bit()) {
      ((*this)(fields.value, fields.guess), ...);
    } else {
      ((fields.value = fields.guess), ...);
    }
  }
  template <typename T>
  requires(sizeof(T) == 4) [[gnu::always_inline]] void word(T& value) {
    value = fold_numbers::to<T>(raw<std::uint32_t>());
  }
  template <typename T>
  [[gnu::always_inline]] void owned(std::unique_ptr<T>& pointer) {
    if (bit()) pointer.reset(std::bit_cast<T*>(raw<std::uintptr_t>()));
  }
  [[gnu::always_inline]] void next_word() {
    word_ = load64(word_from_);
    word_from_ += 8;
  }

 private:
  [[gnu::always_inline]] bool bit() {
    const bool is_set = word_ >> 63 != 0;
    word_ <<= 1;
    return is_set;
  }
  template <typename T>
  T raw() {
    T number;
    std::memcpy(&number, next_, sizeof number);
    next_ += sizeof number;
    return number;
  }
  const std::uint8_t* next_;
  const std::uint8_t* word_from_;
  std::uint64_t word_ = 0;
};

}  // namespace lanyard::tcp
