// SPDX-License-Identifier: Apache-2.0
#include "lab/record_buffer.hh"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace lanyard::lab {

RecordBuffer::RecordBuffer(std::FILE* file)
    : file_(file), piece_(std::make_unique_for_overwrite<std::uint8_t[]>(piece_bytes)) {
  // The piece is the buffer.
  std::setvbuf(file_, nullptr, _IONBF, 0);
}

RecordBuffer::~RecordBuffer() {
  write();
  std::fclose(file_);
}

void RecordBuffer::write() {
  if (used_ != 0 && error_ == 0 && std::fwrite(piece_.get(), 1, used_, file_) != used_)
    error_ = errno == 0 ? EIO : errno;
  used_ = 0;
}

void RecordBuffer::append(Bytes bytes) {
  while (!bytes.empty()) {
    if (used_ == piece_bytes) write();
    const std::size_t size = std::min(bytes.size(), piece_bytes - used_);
    std::memcpy(piece_.get() + used_, bytes.data(), size);
    commit(size);
    bytes = bytes.subspan(size);
  }
}

void RecordBuffer::flush() {
  write();
  if (std::fflush(file_) != 0 && error_ == 0) error_ = errno;
}

}  // namespace lanyard::lab
