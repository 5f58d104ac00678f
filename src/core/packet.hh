// SPDX-License-Identifier: Apache-2.0
// One packet: a block of bytes with headroom into which headers are pushed, then any number of
// shared payload slices. A stream's bytes are copied once into a slice and once out of it; the send
// queue, the retransmission queue, an in-memory link and a switch's flood share them. Blocks come
// from pools, one per thread; a packet stays on its thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/bytes.hh"
#include "core/event.hh"
#include "core/slice.hh"

namespace lanyard {

// What a sender left for a device to do, or a device has already done (as virtio_net_hdr says it).
struct Offload {
  // A TCP or UDP checksum is still to be computed: over [checksum_start, end), stored at
  // checksum_start + checksum_offset, where the pseudo-header's folded sum already stands. Counted
  // from the packet's first byte; pushing and pulling headers moves it along.
  bool checksum_wanted = false;
  // The transport checksum is known to be right; a receiver need not look.
  bool checksum_good = false;
  std::uint16_t checksum_start = 0;
  std::uint16_t checksum_offset = 0;
  // A super-segment: to be cut into segments of this many payload bytes where a link wants frames;
  // 0: an ordinary one.
  std::uint16_t segment_bytes = 0;
};

// Move-only: a packet has one owner. share() makes another packet with the same bytes.
class Packet {
 public:
  Packet() {}
  // An empty packet that can grow by `headroom` in front and by `room` behind.
  Packet(std::size_t headroom, std::size_t room);
  // A packet of these bytes, with headroom in front.
  [[nodiscard]] static Packet copy_of(Bytes bytes, std::size_t headroom = 64);
  Packet(Packet&& other) noexcept;
  Packet& operator=(Packet&& other) noexcept;
  Packet(const Packet&) = delete;
  Packet& operator=(const Packet&) = delete;
  ~Packet();

  [[nodiscard]] explicit operator bool() const { return block_ != nullptr; }
  [[nodiscard]] std::size_t size() const { return tail_ - head_ + slices_bytes_; }

  // The contiguous first bytes: all headers of a packet of ours, the whole frame of one from a
  // device.
  [[nodiscard]] Bytes front() const {
    return block_ == nullptr ? Bytes{} : Bytes{block_->data() + head_, tail_ - head_};
  }
  [[nodiscard]] MutableBytes mutable_front();
  [[nodiscard]] std::span<const Slice> slices() const {
    return slices_bytes_ == 0 ? std::span<const Slice>() : slices_.view();
  }
  // Bytes [offset, offset + size) of front(), which must be there, shared.
  [[nodiscard]] Slice front_slice(std::size_t offset, std::size_t size) const;
  [[nodiscard]] std::size_t front_bytes_kept() const;  // of memory, by such a slice
  // Bytes [offset, offset + size) as shared slices, appended to `out`; the range must lie inside
  // the packet.
  void slices_of(std::size_t offset, std::size_t size, std::vector<Slice>& out) const;
  // The same, appended to this packet.
  void append_from(const Packet& other, std::size_t offset, std::size_t size);

  // Opens `size` uninitialised bytes in front and returns them; the headroom grows if need be.
  std::uint8_t* push_front(std::size_t size);
  // Drops `size` bytes in front, which must lie in front(). A checksum still wanted that starts in
  // them counts as good: the bytes never were on a wire.
  void pull_front(std::size_t size);
  // Opens `size` uninitialised bytes at the end of front(); no slice may have been appended yet.
  std::uint8_t* push_back(std::size_t size);
  void append(Bytes bytes);
  void append(Slice slice);
  // Drops bytes at the end until `size` are left.
  void truncate(std::size_t size);

  // Makes the whole packet contiguous (copies only if there are slices) and returns it.
  Bytes linear();
  // Copies bytes [offset, offset + out.size()) into `out`; the range must lie inside the packet.
  void copy_to(std::size_t offset, MutableBytes out) const;
  // Another packet with the same bytes and facts: slices are shared, the front is copied.
  [[nodiscard]] Packet share() const;

  Offload offload;
  // The event that caused this packet (0: none kept), so that effects can be traced to causes.
  EventId cause = 0;
  // The lab's number for this packet (0: none yet): kept by share(), by fragments and hop by hop.
  std::uint64_t id = 0;

 private:
  template <typename Take>
  void each_slice(std::size_t offset, std::size_t size, Take take) const;
  void make_room(std::size_t headroom, std::size_t room);
  void make_front_room(std::size_t size);
  void make_back_room(std::size_t size);
  void pull_wanted_checksum(std::size_t size);
  void own_front();
  void drop_slices();
  Block* block_ = nullptr;
  std::uint32_t head_ = 0;
  std::uint32_t tail_ = 0;
  std::uint32_t slices_bytes_ = 0;
  union {
    SliceList slices_;  // there are some when they have bytes: most packets never touch it
  };
};

// Computes a wanted checksum in place, so that the packet is what a wire would carry. A
// super-segment keeps its size.
void finish_checksum(Packet& packet);

}  // namespace lanyard

#include "core/packet_inline.hh"
