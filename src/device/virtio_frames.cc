// SPDX-License-Identifier: Apache-2.0
#include "device/virtio_frames.hh"

#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "device/virtio_header.hh"
#include "link/segment.hh"
#include "wire/udp.hh"

namespace lanyard::device {
namespace {

// A super-segment's rest goes into a block of its own, which becomes a slice.
constexpr std::size_t headroom = received_headroom;
constexpr std::size_t front_bytes = received_front_bytes;
constexpr std::size_t rest_bytes = 66 * 1024;
constexpr std::uint32_t super_segment_bytes = 65'000;  // with headers still below 65536

Errno errno_of(int error) {
  if (error == EIO || error == EBADFD) return Errno::network_down;  // TUN: the interface is down
  return static_cast<Errno>(error);
}

}  // namespace

VirtioFrames::~VirtioFrames() {
  if (spare_ != nullptr) drop_reference(spare_);
  ::close(descriptor_);
}

DeviceAbilities device_abilities(const VirtioAbilities& abilities) {
  return {.takes_checksums = abilities.has_header,
          .super_segment_bytes_max = abilities.cuts_tcp ? super_segment_bytes : 0};
}

bool is_taken_whole(const VirtioAbilities& abilities, const Packet& frame) {
  if (frame.offload.segment_bytes == 0) return abilities.has_header;
  const bool is_udp = frame.offload.checksum_offset == udp::checksum_offset;
  return frame.offload.checksum_wanted && (is_udp ? abilities.cuts_udp : abilities.cuts_tcp);
}

Result<Packet> VirtioFrames::receive() {
  if (spare_ == nullptr) spare_ = allocate_block(rest_bytes);
  VirtioHeader header{};
  Packet frame(headroom, front_bytes);
  const std::array<iovec, 3> pieces = {{{&header, abilities_.has_header ? sizeof header : 0},
                                        {frame.push_back(front_bytes), front_bytes},
                                        {spare_->data(), rest_bytes}}};
  const ssize_t got = ::readv(descriptor_, pieces.data(), pieces.size());
  if (got < 0) return unexpected(errno_of(errno));
  const std::size_t before = pieces[0].iov_len;
  if (static_cast<std::size_t>(got) < before) return unexpected(Errno::protocol_error);
  const std::size_t size = static_cast<std::size_t>(got) - before;
  if (size > front_bytes) {
    frame.append(Slice(spare_, 0, static_cast<std::uint32_t>(size - front_bytes)));
    drop_reference(spare_);
    spare_ = nullptr;
  } else {
    frame.truncate(size);
  }
  if (!abilities_.has_header) return frame;
  const std::optional<Offload> offload = offload_of(header, frame);
  if (!offload) return unexpected(Errno::protocol_error);
  frame.offload = *offload;
  return frame;
}

Result<void> VirtioFrames::send(Packet frame) {
  if (is_taken_whole(abilities_, frame)) return write(frame);
  const ChecksumBy by = abilities_.has_header ? ChecksumBy::device : ChecksumBy::us;
  for (Packet& piece : link::segment(std::move(frame), by)) {
    if (auto done = write(piece); !done) return done;
  }
  return {};
}

Result<void> VirtioFrames::write(Packet& frame) {
  constexpr std::size_t pieces_max = 64;
  if (frame.slices().size() + 2 > pieces_max) frame.linear();
  VirtioHeader header = virtio_header_of(frame);
  std::array<iovec, pieces_max> pieces;
  std::size_t count = 0;
  const auto add = [&pieces, &count](Bytes bytes) {
    // writev does not write to what it is given.
    pieces.at(count++) = {const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
  };
  if (abilities_.has_header) pieces.at(count++) = {&header, sizeof header};
  add(frame.front());
  for (const Slice& slice : frame.slices()) add(slice.bytes());
  const ssize_t done = ::writev(descriptor_, pieces.data(), static_cast<int>(count));
  if (done < 0) return unexpected(errno_of(errno));
  return {};
}

}  // namespace lanyard::device
