// SPDX-License-Identifier: Apache-2.0
// A file that is only written to its end, in pieces large enough that the kernel is called seldom
// and small enough to stay in the processor's cache.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>

#include "core/bytes.hh"

namespace lanyard::lab {

class RecordBuffer {
 public:
  static constexpr std::size_t piece_bytes = std::size_t{128} << 10;

  // Takes the file, which is open for writing.
  explicit RecordBuffer(std::FILE* file);
  ~RecordBuffer();
  RecordBuffer(const RecordBuffer&) = delete;
  RecordBuffer& operator=(const RecordBuffer&) = delete;

  // Room for `size` bytes in a row, piece_bytes at most, at the end; taken by commit().
  [[nodiscard]] std::uint8_t* room(std::size_t size) {
    if (piece_bytes - used_ < size) write();
    return piece_.get() + used_;
  }
  void commit(std::size_t size) { used_ += size; }
  void append(Bytes bytes);

  // Writes what is not in the file yet.
  void flush();
  [[nodiscard]] bool is_flushed() const { return used_ == 0; }
  // 0, or the errno of the first write that failed; nothing is written after it.
  [[nodiscard]] int error() const { return error_; }

 private:
  void write();

  std::FILE* file_;
  std::unique_ptr<std::uint8_t[]> piece_;
  std::size_t used_ = 0;
  int error_ = 0;
};

}  // namespace lanyard::lab
