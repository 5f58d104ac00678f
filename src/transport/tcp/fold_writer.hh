// SPDX-License-Identifier: Apache-2.0
// See fold.hh.
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
#include "transport/tcp/fold.hh"

namespace lanyard::tcp {

// What is written lies in memory of the caller's, so that all the rest can be kept in registers.
struct FoldMemory {
  static constexpr std::size_t words_max = 4;
  std::array<std::uint64_t, words_max> words;
  std::array<std::uint8_t, words_max * 64 * fold_numbers::octets_max> differences;
};

class FoldWriter {
 public:
  explicit FoldWriter(FoldMemory& memory)
      : next_(memory.differences.data()), word_to_(memory.words.data()) {}
  // Numbers, enumerations, instants.
  template <typename T>
  [[gnu::always_inline]] void operator()(T& value, std::type_identity_t<T> guess) {
    const bool differs = !(value == guess);
    bit(differs);
    if (std::same_as<T, bool> || !differs) return;
    next_ = fold_numbers::put(next_, fold_numbers::zigzag(value, guess));
  }
  // Fields whose guesses are nearly always right, all of them: one bit.
  template <typename... T>
  [[gnu::always_inline]] void together(Guessed<T>... fields) {
    const std::uint64_t differences =
        ((fold_numbers::of(fields.value) ^ fold_numbers::of(fields.guess)) | ...);
    bit(differences != 0);
    if (differences != 0) ((*this)(fields.value, fields.guess), ...);
  }
  // A number that cannot be guessed.
  template <typename T>
  requires(sizeof(T) == 4) [[gnu::always_inline]] void word(T& value) {
    raw(static_cast<std::uint32_t>(fold_numbers::of(value)));
  }
  // What a pointer owns goes along as it is.
  template <typename T>
  [[gnu::always_inline]] void owned(std::unique_ptr<T>& pointer) {
    bit(pointer != nullptr);
    if (pointer != nullptr) raw(std::bit_cast<std::uintptr_t>(pointer.release()));
  }
  [[gnu::always_inline]] void next_word() {
    CHECK(bits_ <= 64);
    *word_to_++ = bits_ == 0 ? 0 : word_ << (64 - bits_);
    last_bits_ = bits_;
    word_ = bits_ = 0;
  }
  [[nodiscard]] std::uint8_t* differences_end() const { return next_; }
  [[nodiscard]] std::uint64_t* words_end() const { return word_to_; }
  [[nodiscard]] std::uint64_t last_bits() const { return last_bits_; }

 private:
  [[gnu::always_inline]] void bit(bool is_set) {
    word_ = word_ << 1 | std::uint64_t{is_set};
    ++bits_;
  }
  template <typename T>
  void raw(T number) {
    std::memcpy(next_, &number, sizeof number);
    next_ += sizeof number;
  }
  std::uint8_t* next_;
  std::uint64_t* word_to_;
  std::uint64_t word_ = 0, bits_ = 0, last_bits_ = 0;
};

// What was written, in its final form.
class FoldedFields {
 public:
  FoldedFields(const FoldMemory& memory, const FoldWriter& writer)
      : memory_(memory),
        words_(static_cast<std::size_t>(writer.words_end() - memory.words.data())),
        bits_bytes_((words_ - 1) * 8 + (writer.last_bits() + 7) / 8),
        differences_(
            static_cast<std::size_t>(writer.differences_end() - memory.differences.data())) {}
  [[nodiscard]] std::size_t size() const { return 1 + bits_bytes_ + differences_; }
  // The bits' last word may reach over what follows.
  void write(std::uint8_t* to) const {
    *to++ = static_cast<std::uint8_t>(bits_bytes_);
    for (std::size_t i = 0; i < words_; ++i) store64(to + i * 8, memory_.words[i]);
    std::memcpy(to + bits_bytes_, memory_.differences.data(), differences_);
  }

 private:
  const FoldMemory& memory_;
  std::size_t words_, bits_bytes_, differences_;
};

}  // namespace lanyard::tcp
