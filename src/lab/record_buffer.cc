// SPDX-License-Identifier: Apache-2.0
#include "lab/record_buffer.hh"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace lanyard::lab {

RecordBuffer::RecordBuffer(std::FILE* file) : file_(file) {
  // The pieces are the buffer.
  std::setvbuf(file_, nullptr, _IONBF, 0);
  pieces_[0] = std::make_unique_for_overwrite<std::uint8_t[]>(piece_bytes);
  piece_ = pieces_[0].get();
}

RecordBuffer::~RecordBuffer() {
  write();
  std::fclose(file_);
}

void RecordBuffer::write() {
  const std::size_t size = used_ - written_;
  if (size == 0 || error_ != 0) return;
  if (std::fwrite(piece_ + written_, 1, size, file_) != size) error_ = errno == 0 ? EIO : errno;
  written_ = used_;
}

void RecordBuffer::next_piece() {
  write();
  auto& piece = pieces_[++number_ % pieces_kept];
  if (piece == nullptr) piece = std::make_unique_for_overwrite<std::uint8_t[]>(piece_bytes);
  piece_ = piece.get();
  used_ = written_ = 0;
}

void RecordBuffer::append(Bytes bytes) {
  while (!bytes.empty()) {
    if (used_ == piece_bytes) next_piece();
    const std::size_t size = std::min(bytes.size(), piece_bytes - used_);
    std::memcpy(piece_ + used_, bytes.data(), size);
    commit(size);
    bytes = bytes.subspan(size);
  }
}

void RecordBuffer::flush() {
  write();
  if (std::fflush(file_) != 0 && error_ == 0) error_ = errno;
}

}  // namespace lanyard::lab
