// SPDX-License-Identifier: Apache-2.0
// A file that is only written to its end, in large pieces. The last few stay in memory, so that
// what was written a moment ago can be looked at again.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <memory>

#include "core/bytes.hh"

namespace lanyard::lab {

class RecordBuffer {
 public:
  static constexpr std::size_t piece_bytes = std::size_t{1} << 20;
  static constexpr std::size_t pieces_kept = 8;

  // Where bytes stand.
  struct Place {
    std::uint64_t piece = 0;
    std::uint32_t offset = 0;
  };

  // Takes the file, which is open for writing.
  explicit RecordBuffer(std::FILE* file);
  ~RecordBuffer();
  RecordBuffer(const RecordBuffer&) = delete;
  RecordBuffer& operator=(const RecordBuffer&) = delete;

  // Room for `size` bytes in a row, piece_bytes at most, at the end; taken by commit().
  [[nodiscard]] std::uint8_t* room(std::size_t size) {
    if (piece_bytes - used_ < size) next_piece();
    return piece_ + used_;
  }
  // Where room() is.
  [[nodiscard]] Place place() const { return {number_, static_cast<std::uint32_t>(used_)}; }
  void commit(std::size_t size) { used_ += size; }
  void append(Bytes bytes);

  // The bytes there, or nothing if that is too long ago.
  [[nodiscard]] const std::uint8_t* at(const Place& place) const {
    if (place.piece + pieces_kept <= number_) return nullptr;
    return pieces_[place.piece % pieces_kept].get() + place.offset;
  }

  // Writes what is not in the file yet.
  void flush();
  [[nodiscard]] bool is_flushed() const { return used_ == written_; }
  // 0, or the errno of the first write that failed; nothing is written after it.
  [[nodiscard]] int error() const { return error_; }

 private:
  void next_piece();
  void write();

  std::FILE* file_;
  std::array<std::unique_ptr<std::uint8_t[]>, pieces_kept> pieces_;
  std::uint64_t number_ = 0;  // of the piece at hand
  std::uint8_t* piece_ = nullptr;
  std::size_t used_ = 0, written_ = 0;  // of it
  int error_ = 0;
};

}  // namespace lanyard::lab
