// SPDX-License-Identifier: Apache-2.0
#include "guest/intake.hh"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <utility>

namespace lanyard::guest {

namespace {

// A block that is filled less than this is copied out of, so that a queue of short writes does not
// hold a large block for each.
constexpr std::size_t kept_bytes_min = 32 * 1024;
constexpr std::size_t slices_per_write_max = 64;

}  // namespace

Intake::~Intake() {
  for (Block* block : blocks_)
    if (block != nullptr) drop_reference(block);
}

ssize_t Intake::read(int descriptor, std::size_t room, std::vector<Slice>& out) {
  room = std::min(room, bytes_max);
  std::array<iovec, bytes_max / block_bytes> parts{};
  msghdr message{};
  message.msg_iov = parts.data();
  for (std::size_t begin = 0; begin < room; begin += block_bytes) {
    Block*& block = blocks_.at(message.msg_iovlen);
    if (block == nullptr) block = allocate_block(block_bytes);
    parts.at(message.msg_iovlen++) = {block->data(), std::min(block_bytes, room - begin)};
  }
  const ssize_t got = recvmsg(descriptor, &message, MSG_DONTWAIT);
  for (std::size_t begin = 0, i = 0; got > 0 && begin < static_cast<std::size_t>(got); ++i) {
    const std::size_t size = std::min(block_bytes, static_cast<std::size_t>(got) - begin);
    begin += size;
    if (size < kept_bytes_min) {
      out.push_back(Slice::copy_of(Bytes(blocks_.at(i)->data(), size)));
      continue;
    }
    Block* const block = std::exchange(blocks_.at(i), nullptr);
    out.emplace_back(block, 0, static_cast<std::uint32_t>(size));
    drop_reference(block);  // the slice holds it
  }
  return got;
}

ssize_t write_slices(int descriptor, std::span<const Slice> slices, std::size_t& offered) {
  std::array<iovec, slices_per_write_max> parts{};
  const std::size_t count = std::min(slices.size(), parts.size());
  offered = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Bytes bytes = slices[i].bytes();
    // sendmsg(2) only reads them.
    parts.at(i) = {const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
    offered += bytes.size();
  }
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = count;
  return sendmsg(descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace lanyard::guest
