// SPDX-License-Identifier: Apache-2.0
// What stands in the custom blocks of a run file. A block begins with its kind; numbers are
// little-endian.
//   begin, program, end    JSON in UTF-8
//   rows                   a row after the other, each with its tag:
//     0 event   id:8 cause:8 at:8 node:4 kind:2 values:1 (value:8)* text:4 bytes
//     1 cause   packet:8 event:8
//     2 event   the same in numbers of any size: what id and at are more than in the row of tag 2
//               before in this block (before the first: 0), id - cause (without a cause: 0), node,
//               kind * 16 + values * 2 + (1: with a text), (value)*, with a text: size, bytes
//     3 cause   packet, event
//   inputs                 rows of lab/replay/input.hh; readers that do not replay pass over them
//   Version 1 has the tags 0 and 1, version 2 has 2 and 3. Numbers of any size are seven bits to a
//   byte, the lowest first, the eighth says that there is more; those that may be negative are
//   2 * n or -2 * n - 1.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/bytes.hh"
#include "core/event.hh"
#include "lab/node_spec.hh"

namespace lanyard::lab {

enum class RunBlock : std::uint32_t { begin = 1, program = 2, rows = 3, end = 4, inputs = 5 };
enum class RunRow : std::uint8_t { event = 0, cause = 1, short_event = 2, short_cause = 3 };

// 1: every frame is there with all its bytes. 2: the end of one may stand with an earlier one
// (record_frames.hh), and rows are short.
inline constexpr int run_file_version = 2;
inline constexpr int run_inputs_version = 1;

[[nodiscard]] std::string_view text_of_kind(NodeKind kind);  // "host", "linux", "switch", "router"

// A block of rows, built in a buffer of its own.
class RowBlock {
 public:
  static constexpr std::size_t bytes_max = 64 * 1024;

  void event(const Event& event);
  void cause(std::uint64_t packet, EventId cause);
  [[nodiscard]] bool is_full() const { return used_ >= bytes_max; }
  [[nodiscard]] bool is_empty() const { return used_ == 0; }
  // What goes into the file; then clear().
  [[nodiscard]] Bytes bytes() const { return Bytes(bytes_).first(used_); }
  void clear();

 private:
  void grow(std::size_t wanted);
  // Room for a row with so much text.
  std::uint8_t* row(RunRow tag, std::size_t text_bytes);

  std::vector<std::uint8_t> bytes_;
  std::size_t used_ = 0;
  EventId last_id_ = 0;
  std::int64_t last_at_ns_ = 0;
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
  // A number of any size.
  std::uint64_t any();
  std::int64_t any_signed();
  // The text points into the block.
  Event event();
  Event short_event();
  Bytes take(std::size_t size);
  [[nodiscard]] Bytes rest() const { return rest_; }

 private:
  Bytes rest_;
  bool is_good_ = true;
  EventId last_id_ = 0;
  std::int64_t last_at_ns_ = 0;
};

}  // namespace lanyard::lab
