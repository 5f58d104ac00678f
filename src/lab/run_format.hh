// SPDX-License-Identifier: Apache-2.0
// What stands in the custom blocks of a run file. A block begins with its kind; numbers are
// little-endian.
//   begin, program, end    JSON in UTF-8
//   rows                   a row after the other, each with its tag:
//     0 event   id:8 cause:8 at:8 node:4 kind:2 values:1 (value:8)* text:4 bytes
//     1 cause   packet:8 event:8
//   inputs                 rows of lab/replay/input.hh; readers that do not replay pass over them
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/bytes.hh"
#include "core/event.hh"
#include "lab/node_spec.hh"

namespace lanyard::lab {

enum class RunBlock : std::uint32_t { begin = 1, program = 2, rows = 3, end = 4, inputs = 5 };
enum class RunRow : std::uint8_t { event = 0, cause = 1 };

inline constexpr int run_file_version = 1;
inline constexpr int run_inputs_version = 1;

[[nodiscard]] std::string_view text_of_kind(NodeKind kind);  // "host", "linux", "switch", "router"

// Appends numbers and rows to a block.
class RunWriter {
 public:
  explicit RunWriter(std::vector<std::uint8_t>& to) : to_(to) {}
  template <typename T>
  void number(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i)
      to_.push_back(static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) >> (8 * i)));
  }
  void text(std::string_view text);
  void event(const Event& event);
  void cause(std::uint64_t packet, EventId cause);

 private:
  std::vector<std::uint8_t>& to_;
};

// Takes numbers from a block; after the first that is not there everything is 0 and is_good() is
// false.
class RunReader {
 public:
  explicit RunReader(Bytes bytes) : rest_(bytes) {}
  [[nodiscard]] bool is_good() const { return is_good_; }
  [[nodiscard]] bool is_empty() const { return rest_.empty(); }
  [[nodiscard]] std::size_t left() const { return rest_.size(); }
  template <typename T>
  T number() {
    std::uint64_t value = 0;
    const Bytes bytes = take(sizeof(T));
    for (std::size_t i = 0; i < bytes.size(); ++i)
      value |= static_cast<std::uint64_t>(bytes[i]) << (8 * i);
    return static_cast<T>(value);
  }
  // The text points into the block.
  Event event();
  Bytes take(std::size_t size);
  [[nodiscard]] Bytes rest() const { return rest_; }

 private:
  Bytes rest_;
  bool is_good_ = true;
};

}  // namespace lanyard::lab
