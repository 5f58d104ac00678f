// SPDX-License-Identifier: Apache-2.0
#include "device/xdp_socket.hh"

#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "device/packet_socket.hh"
#include "device/virtio_frames.hh"
#include "link/segment.hh"

namespace lanyard::device {
namespace {

constexpr std::uint32_t ring_entries = 2048;  // each way, a power of two
constexpr std::size_t frames_bytes = std::size_t{2} * ring_entries * XdpSocket::frame_bytes_max;

std::uint32_t acquire(std::uint32_t* word) {
  return std::atomic_ref(*word).load(std::memory_order_acquire);
}
void release(std::uint32_t* word, std::uint32_t value) {
  std::atomic_ref(*word).store(value, std::memory_order_release);
}

template <typename Entry>
Entry& entry(const XdpRing& ring, std::uint32_t index) {
  return static_cast<Entry*>(ring.entries)[index % ring_entries];
}

// Entries that wait for the reader.
std::uint32_t waiting(const XdpRing& ring) {
  return acquire(ring.producer) - *ring.consumer;
}

template <typename Entry>
void produce(const XdpRing& ring, const Entry& what) {
  const std::uint32_t at = *ring.producer;
  entry<Entry>(ring, at) = what;
  release(ring.producer, at + 1);
}

template <typename Entry>
Entry consume(const XdpRing& ring) {
  const std::uint32_t at = *ring.consumer;
  const Entry what = entry<Entry>(ring, at);
  release(ring.consumer, at + 1);
  return what;
}

int bpf(int command, bpf_attr& attributes) {
  return static_cast<int>(::syscall(SYS_bpf, command, &attributes, sizeof attributes));
}

// return bpf_redirect_map(&map, ctx->rx_queue_index, XDP_PASS): what has no socket in the map goes
// on to the kernel.
std::array<bpf_insn, 6> steering_program(int map) {
  const auto insn = [](int code, std::uint8_t to, std::uint8_t from, std::int16_t offset,
                       int value) {
    bpf_insn one{};
    one.code = static_cast<std::uint8_t>(code);
    one.dst_reg = to & 0xf;
    one.src_reg = from & 0xf;
    one.off = offset;
    one.imm = value;
    return one;
  };
  constexpr std::int16_t queue_index = offsetof(xdp_md, rx_queue_index);
  return {insn(BPF_LDX | BPF_W | BPF_MEM, BPF_REG_2, BPF_REG_1, queue_index, 0),
          insn(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map),
          insn(0, 0, 0, 0, 0),
          insn(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, XDP_PASS),
          insn(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_redirect_map),
          insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)};
}

void close_if_open(int descriptor) {
  if (descriptor >= 0) ::close(descriptor);
}

}  // namespace

std::expected<std::unique_ptr<XdpSocket>, std::string> XdpSocket::open(
    const std::string& interface) {
  const unsigned index = ::if_nametoindex(interface.c_str());
  if (index == 0) return failure(fmt::format("interface {}", interface));
  std::unique_ptr<XdpSocket> device(new XdpSocket);
  device->socket_ = ::socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (device->socket_ < 0) return failure("XDP socket");
  Done done = device->share_memory();
  if (done) done = device->map_rings();
  if (done) done = device->bind(index);
  if (done) done = device->steer(index);
  if (!done) return std::unexpected(done.error());
  return device;
}

XdpSocket::~XdpSocket() {
  close_if_open(link_);
  close_if_open(program_);
  close_if_open(map_);
  for (const XdpRing* ring : {&fill_, &completion_, &receive_, &transmit_}) {
    if (ring->memory != nullptr) ::munmap(ring->memory, ring->memory_bytes);
  }
  close_if_open(socket_);
  if (frames_ != nullptr) ::munmap(frames_, frames_bytes);
}

XdpSocket::Done XdpSocket::share_memory() {
  void* memory = ::mmap(nullptr, frames_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) return failure("memory of an XDP socket");
  frames_ = static_cast<std::uint8_t*>(memory);
  xdp_umem_reg shared{};
  shared.addr = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(memory));
  shared.len = frames_bytes;
  shared.chunk_size = frame_bytes_max;
  if (::setsockopt(socket_, SOL_XDP, XDP_UMEM_REG, &shared, sizeof shared) != 0) {
    return failure("XDP_UMEM_REG");
  }
  for (std::uint64_t i = 0; i < ring_entries; ++i) {
    free_.push_back((ring_entries + i) * frame_bytes_max);
  }
  return {};
}

XdpSocket::Done XdpSocket::map_rings() {
  struct Wanted {
    XdpRing* ring;
    int option;
    std::uint64_t page;
    std::size_t entry_bytes;
    xdp_ring_offset xdp_mmap_offsets::*offsets;
  };
  const std::array<Wanted, 4> wanted = {
      {{&fill_, XDP_UMEM_FILL_RING, XDP_UMEM_PGOFF_FILL_RING, 8, &xdp_mmap_offsets::fr},
       {&completion_, XDP_UMEM_COMPLETION_RING, XDP_UMEM_PGOFF_COMPLETION_RING, 8,
        &xdp_mmap_offsets::cr},
       {&receive_, XDP_RX_RING, XDP_PGOFF_RX_RING, sizeof(xdp_desc), &xdp_mmap_offsets::rx},
       {&transmit_, XDP_TX_RING, XDP_PGOFF_TX_RING, sizeof(xdp_desc), &xdp_mmap_offsets::tx}}};
  for (const Wanted& one : wanted) {
    const std::uint32_t size = ring_entries;
    if (::setsockopt(socket_, SOL_XDP, one.option, &size, sizeof size) != 0) {
      return failure("rings of an XDP socket");
    }
  }
  xdp_mmap_offsets offsets{};
  socklen_t size = sizeof offsets;
  if (::getsockopt(socket_, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &size) != 0) {
    return failure("XDP_MMAP_OFFSETS");
  }
  for (const Wanted& one : wanted) {
    const xdp_ring_offset& at = offsets.*one.offsets;
    const std::size_t bytes = at.desc + ring_entries * one.entry_bytes;
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                          socket_, static_cast<off_t>(one.page));
    if (memory == MAP_FAILED) return failure("mmap of an XDP ring");
    const auto word = [&](std::uint64_t offset) {
      return static_cast<std::uint32_t*>(
          static_cast<void*>(static_cast<std::uint8_t*>(memory) + offset));
    };
    *one.ring = {
        word(at.producer), word(at.consumer), word(at.flags), word(at.desc), memory, bytes};
  }
  for (std::uint64_t i = 0; i < ring_entries; ++i) produce(fill_, i * frame_bytes_max);
  return {};
}

XdpSocket::Done XdpSocket::bind(unsigned interface) {
  sockaddr_xdp address{};
  address.sxdp_family = AF_XDP;
  address.sxdp_ifindex = interface;
  address.sxdp_flags = XDP_USE_NEED_WAKEUP;
  if (::bind(socket_, static_cast<const sockaddr*>(static_cast<const void*>(&address)),
             sizeof address) != 0) {
    return failure("bind of an XDP socket");
  }
  return {};
}

XdpSocket::Done XdpSocket::steer(unsigned interface) {
  bpf_attr attributes{};
  attributes.map_type = BPF_MAP_TYPE_XSKMAP;
  attributes.key_size = attributes.value_size = 4;
  attributes.max_entries = 1;
  map_ = bpf(BPF_MAP_CREATE, attributes);
  if (map_ < 0) return failure("map of XDP sockets");
  const auto pointer = [](const void* to) {
    return static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(to));
  };
  const std::uint32_t queue = 0;
  attributes = {};
  attributes.map_fd = static_cast<std::uint32_t>(map_);
  attributes.key = pointer(&queue);
  attributes.value = pointer(&socket_);
  if (bpf(BPF_MAP_UPDATE_ELEM, attributes) != 0) return failure("XDP socket into its map");
  const auto instructions = steering_program(map_);
  attributes = {};
  attributes.prog_type = BPF_PROG_TYPE_XDP;
  attributes.insns = pointer(instructions.data());
  attributes.insn_cnt = static_cast<std::uint32_t>(instructions.size());
  attributes.license = pointer("Apache-2.0");
  program_ = bpf(BPF_PROG_LOAD, attributes);
  if (program_ < 0) return failure("XDP program");
  // In the driver where it can, in the kernel's own receive path where not.
  for (const std::uint32_t mode : {XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE}) {
    attributes = {};
    attributes.link_create.prog_fd = static_cast<std::uint32_t>(program_);
    attributes.link_create.target_ifindex = interface;
    attributes.link_create.attach_type = BPF_XDP;
    attributes.link_create.flags = mode;
    link_ = bpf(BPF_LINK_CREATE, attributes);
    if (link_ >= 0) return {};
  }
  return failure("XDP program to its interface");
}

Result<Packet> XdpSocket::receive() {
  if (waiting(receive_) == 0) return unexpected(Errno::try_again);
  const auto came = consume<xdp_desc>(receive_);
  const Bytes bytes{frames_ + came.addr, came.len};
  Packet packet = Packet::copy_of(bytes, received_headroom);
  // The place the frame's bytes began in may lie behind some room of the kernel's.
  produce(fill_, came.addr / frame_bytes_max * frame_bytes_max);
  return packet;
}

Result<void> XdpSocket::send(Packet frame) {
  for (Packet& piece : link::segment(std::move(frame), ChecksumBy::us)) {
    if (auto done = lay_down(piece); !done) return done;
  }
  return {};
}

Result<void> XdpSocket::lay_down(Packet& frame) {
  if (frame.size() > frame_bytes_max) return unexpected(Errno::message_too_long);
  if (free_.empty()) flush();
  if (free_.empty()) return unexpected(Errno::try_again);
  const std::uint64_t place = free_.back();
  free_.pop_back();
  std::uint8_t* to = frames_ + place;
  const auto put = [&to](Bytes bytes) {
    std::memcpy(to, bytes.data(), bytes.size());
    to += bytes.size();
  };
  put(frame.front());
  for (const Slice& slice : frame.slices()) put(slice.bytes());
  produce(transmit_, xdp_desc{place, static_cast<std::uint32_t>(frame.size()), 0});
  has_laid_down_ = true;
  return {};
}

// The kernel sends a batch a call; what it is done with comes back through the completion ring.
void XdpSocket::flush() {
  if (has_laid_down_ && (acquire(transmit_.flags) & XDP_RING_NEED_WAKEUP) != 0) {
    while (::sendto(socket_, nullptr, 0, MSG_DONTWAIT, nullptr, 0) == 0 &&
           acquire(transmit_.consumer) != *transmit_.producer) {
      take_back();
    }
  }
  has_laid_down_ = acquire(transmit_.consumer) != *transmit_.producer;
  take_back();
}

void XdpSocket::take_back() {
  while (waiting(completion_) != 0) free_.push_back(consume<std::uint64_t>(completion_));
}

}  // namespace lanyard::device
