// SPDX-License-Identifier: Apache-2.0
#include "device/packet_ring.hh"

#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "device/packet_socket.hh"
#include "device/virtio_frames.hh"
#include "device/virtio_header.hh"
#include "link/segment.hh"

namespace lanyard::device {
namespace {

constexpr VirtioAbilities kernel_abilities{.has_header = true, .cuts_tcp = true, .cuts_udp = false};
// A block holds more than one super-segment, a slot just one with all its headers. The kernel
// closes a block after its age, so that as many milliseconds may pass until we look as there are
// blocks.
constexpr std::uint32_t block_bytes = 256 * 1024, blocks = 32;
constexpr std::uint32_t slot_bytes = 128 * 1024, slots = 32;
constexpr std::uint32_t block_age_ms = 1;
constexpr std::size_t rings_bytes =
    std::size_t{block_bytes} * blocks + std::size_t{slot_bytes} * slots;
// Where the kernel looks for a frame in a slot (packet_mmap: tp_hdrlen without the address).
constexpr std::size_t slot_frame_offset = TPACKET_ALIGN(sizeof(tpacket3_hdr));

// The words that both sides turn to hand a block or slot over; what is beside them is read after
// and written before.
std::uint32_t status_of(std::uint32_t& word) {
  return std::atomic_ref(word).load(std::memory_order_acquire);
}
void set_status(std::uint32_t& word, std::uint32_t status) {
  std::atomic_ref(word).store(status, std::memory_order_release);
}

tpacket_block_desc& descriptor_at(std::uint8_t* block) {
  return *static_cast<tpacket_block_desc*>(static_cast<void*>(block));
}
tpacket3_hdr& header_at(std::uint8_t* frame) {
  return *static_cast<tpacket3_hdr*>(static_cast<void*>(frame));
}

// A packet of these bytes: what is beyond an ordinary frame becomes a slice.
Packet packet_of(Bytes bytes) {
  const std::size_t front = std::min(bytes.size(), received_front_bytes);
  Packet packet = Packet::copy_of(bytes.first(front), received_headroom);
  if (front < bytes.size()) packet.append(Slice::copy_of(bytes.subspan(front)));
  return packet;
}

std::uint8_t* put(std::uint8_t* to, Bytes bytes) {
  std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

}  // namespace

std::expected<std::unique_ptr<PacketRing>, std::string> PacketRing::open(
    const std::string& interface) {
  const auto descriptor = open_packet_socket();
  if (!descriptor) return std::unexpected(descriptor.error());
  std::unique_ptr<PacketRing> device(new PacketRing(*descriptor));
  if (auto done = device->map_rings(); !done) return std::unexpected(done.error());
  if (auto done = bind_packet_socket(*descriptor, interface); !done) {
    return std::unexpected(done.error());
  }
  return device;
}

PacketRing::~PacketRing() {
  if (memory_ != nullptr) ::munmap(memory_, rings_bytes);
  ::close(descriptor_);
}

std::expected<void, std::string> PacketRing::map_rings() {
  const int version = TPACKET_V3;
  if (::setsockopt(descriptor_, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0) {
    return failure("PACKET_VERSION 3");
  }
  tpacket_req3 ring{};
  ring.tp_block_size = block_bytes;
  ring.tp_block_nr = blocks;
  ring.tp_frame_size = 2048;  // unused by a ring of blocks, but checked
  ring.tp_frame_nr = block_bytes / ring.tp_frame_size * blocks;
  ring.tp_retire_blk_tov = block_age_ms;
  if (::setsockopt(descriptor_, SOL_PACKET, PACKET_RX_RING, &ring, sizeof ring) != 0) {
    return failure("PACKET_RX_RING");
  }
  ring = {};
  ring.tp_block_size = ring.tp_frame_size = slot_bytes;
  ring.tp_block_nr = ring.tp_frame_nr = slots;
  if (::setsockopt(descriptor_, SOL_PACKET, PACKET_TX_RING, &ring, sizeof ring) != 0) {
    return failure("PACKET_TX_RING");
  }
  void* memory = ::mmap(nullptr, rings_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
  if (memory == MAP_FAILED) return failure("mmap of packet rings");
  memory_ = static_cast<std::uint8_t*>(memory);
  return {};
}

DeviceAbilities PacketRing::abilities() const {
  return device_abilities(kernel_abilities);
}

std::uint8_t* PacketRing::received_block() const {
  return memory_ + block_ * block_bytes;
}

std::uint8_t* PacketRing::slot(std::size_t index) const {
  return memory_ + std::size_t{block_bytes} * blocks + index * slot_bytes;
}

void PacketRing::hand_back() {
  set_status(descriptor_at(received_block()).hdr.bh1.block_status, TP_STATUS_KERNEL);
  block_ = (block_ + 1) % blocks;
}

Result<Packet> PacketRing::receive() {
  if (left_in_block_ == 0) {
    auto& block = descriptor_at(received_block()).hdr.bh1;
    if ((status_of(block.block_status) & TP_STATUS_USER) == 0) return unexpected(Errno::try_again);
    left_in_block_ = block.num_pkts;
    at_ = block.offset_to_first_pkt;
    if (left_in_block_ == 0) {
      hand_back();
      return unexpected(Errno::try_again);
    }
  }
  std::uint8_t* const frame = received_block() + at_;
  const tpacket3_hdr& header = header_at(frame);
  VirtioHeader virtio{};
  std::memcpy(&virtio, frame + header.tp_mac - sizeof virtio, sizeof virtio);
  const bool is_whole = header.tp_snaplen == header.tp_len;
  Packet packet = packet_of({frame + header.tp_mac, header.tp_snaplen});
  at_ += header.tp_next_offset;
  if (--left_in_block_ == 0) hand_back();
  const std::optional<Offload> offload = offload_of(virtio, packet);
  if (!is_whole || !offload) return unexpected(Errno::protocol_error);
  packet.offload = *offload;
  return packet;
}

Result<void> PacketRing::send(Packet frame) {
  if (is_taken_whole(kernel_abilities, frame)) return lay_down(frame);
  for (const Packet& piece : link::segment(std::move(frame), ChecksumBy::device)) {
    if (auto done = lay_down(piece); !done) return done;
  }
  return {};
}

Result<void> PacketRing::lay_down(const Packet& frame) {
  tpacket3_hdr& header = header_at(slot(slot_));
  const std::size_t size = sizeof(VirtioHeader) + frame.size();
  if (slot_frame_offset + size > slot_bytes) return unexpected(Errno::message_too_long);
  if (status_of(header.tp_status) != TP_STATUS_AVAILABLE) flush();
  const std::uint32_t status = status_of(header.tp_status);
  // A frame the kernel would not have (too long for the interface, say) frees its slot as well.
  if (status != TP_STATUS_AVAILABLE && status != TP_STATUS_WRONG_FORMAT) {
    return unexpected(Errno::try_again);
  }
  const VirtioHeader virtio = virtio_header_of(frame);
  std::uint8_t* to = slot(slot_) + slot_frame_offset;
  std::memcpy(to, &virtio, sizeof virtio);
  to = put(to + sizeof virtio, frame.front());
  for (const Slice& slice : frame.slices()) to = put(to, slice.bytes());
  header.tp_len = static_cast<std::uint32_t>(size);
  header.tp_next_offset = 0;
  set_status(header.tp_status, TP_STATUS_SEND_REQUEST);
  slot_ = (slot_ + 1) % slots;
  has_laid_down_ = true;
  return {};
}

// An interface that is down, or has no room, leaves the frames where they are for the next time.
void PacketRing::flush() {
  if (!has_laid_down_) return;
  has_laid_down_ = ::send(descriptor_, nullptr, 0, MSG_DONTWAIT) < 0;
}

std::uint64_t PacketRing::take_lost() {
  tpacket_stats_v3 statistics{};
  socklen_t size = sizeof statistics;
  (void)::getsockopt(descriptor_, SOL_PACKET, PACKET_STATISTICS, &statistics, &size);
  return statistics.tp_drops;
}

}  // namespace lanyard::device
