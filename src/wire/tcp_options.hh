// SPDX-License-Identifier: Apache-2.0
// The options of a TCP header (RFC 9293 3.2, 7323, 2018, 7413, 5482), read into values and written.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "core/bytes.hh"
#include "wire/sequence.hh"

namespace lanyard::tcp {

namespace option {
inline constexpr std::uint8_t end_of_list = 0;
inline constexpr std::uint8_t no_operation = 1;
inline constexpr std::uint8_t mss = 2;
inline constexpr std::uint8_t window_scale = 3;
inline constexpr std::uint8_t sack_permitted = 4;
inline constexpr std::uint8_t sack = 5;
inline constexpr std::uint8_t timestamps = 8;
inline constexpr std::uint8_t md5_signature = 19;
inline constexpr std::uint8_t user_timeout = 28;
inline constexpr std::uint8_t authentication = 29;
inline constexpr std::uint8_t fast_open = 34;
inline constexpr std::uint8_t experimental = 254;         // RFC 6994
inline constexpr std::uint16_t fast_open_magic = 0xf989;  // RFC 7413 7, after the kind above
}  // namespace option

inline constexpr std::size_t options_size_max = 40;
inline constexpr std::uint8_t window_scale_max = 14;  // RFC 7323 2.3
inline constexpr std::size_t sack_blocks_max = 4;

struct SackBlock {
  SequenceNumber left{};
  SequenceNumber right{};  // one past the last
  friend constexpr bool operator==(const SackBlock&, const SackBlock&) = default;
};

struct Timestamps {
  std::uint32_t value = 0;
  std::uint32_t echo = 0;
  friend constexpr bool operator==(const Timestamps&, const Timestamps&) = default;
};

struct UserTimeout {
  bool in_minutes = false;  // else in seconds
  std::uint16_t value = 0;  // 15 bits
  friend constexpr bool operator==(const UserTimeout&, const UserTimeout&) = default;
};

struct FastOpenCookie {
  std::array<std::uint8_t, 16> bytes{};
  std::uint8_t size = 0;         // 0: a request for a cookie; else 4..16, even
  bool is_experimental = false;  // in the form from before it had a kind of its own
  friend constexpr bool operator==(const FastOpenCookie&, const FastOpenCookie&) = default;
};

// The values that a segment's options give. Of an option that comes twice the first counts.
struct Options {
  std::optional<std::uint16_t> mss{};
  std::optional<std::uint8_t> window_scale{};  // never above 14
  bool sack_permitted = false;
  std::optional<Timestamps> timestamps{};
  std::array<SackBlock, sack_blocks_max> sack{};
  std::uint8_t sack_blocks = 0;
  std::optional<FastOpenCookie> fast_open{};
  std::optional<UserTimeout> user_timeout{};
  bool has_md5_signature = false;   // recognised, not checked
  bool has_authentication = false;  // TCP-AO: recognised, not checked
  bool is_malformed = false;        // what stood before the malformed option is valid

  [[nodiscard]] std::span<const SackBlock> sacked() const { return {sack.data(), sack_blocks}; }

  // Reads the bytes between the header's first 20 and the data. MSS, window scale and
  // SACK-permitted mean something on a SYN only; elsewhere they are skipped.
  [[nodiscard]] static Options parse(Bytes options, bool is_syn);
  // The bytes that write() needs: a multiple of 4, at most 40 if the caller chose well.
  [[nodiscard]] std::size_t size() const;
  // Writes size() bytes, each option with its length byte, NOPs in front for alignment. What is
  // only recognised (MD5, AO) is not written.
  void write(std::uint8_t* to) const;

  friend bool operator==(const Options&, const Options&) = default;
};

// One option as it stands, for those who want every one of them.
struct RawOption {
  std::uint8_t kind = 0;
  std::size_t offset = 0;  // in the options
  Bytes bytes{};           // kind, length and data
  Bytes data{};
};

// Walks options one by one, End of Option List not returned, up to the first that is malformed.
class OptionReader {
 public:
  explicit OptionReader(Bytes options) : options_(options) {}
  [[nodiscard]] std::optional<RawOption> next();
  [[nodiscard]] bool is_malformed() const { return is_malformed_; }
  [[nodiscard]] std::size_t offset() const { return at_; }

 private:
  Bytes options_;
  std::size_t at_ = 0;
  bool is_malformed_ = false;
};

}  // namespace lanyard::tcp
