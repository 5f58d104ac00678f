// SPDX-License-Identifier: Apache-2.0
#include "device/tap.hh"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include "device/virtio_header.hh"
#include "link/segment.hh"
#include "wire/udp.hh"

namespace lanyard::device {
namespace {

// Newer than Debian 12's headers.
constexpr unsigned tun_f_uso4 = 0x20;
constexpr unsigned tun_f_uso6 = 0x40;

// An ordinary frame fits into a packet's front, with room before it for a stack that forwards it;
// a super-segment's rest goes into a block of its own, which becomes a slice.
constexpr std::size_t headroom = 64;
constexpr std::size_t front_bytes = 1920;
constexpr std::size_t rest_bytes = 66 * 1024;
constexpr std::uint32_t super_segment_bytes = 65'000;  // with headers still below 65536

std::string failure(const char* what, int error) {
  const auto number = static_cast<Errno>(error);
  return fmt::format("{}: {} ({})", what, errno_text(number), errno_name(number));
}

Errno errno_of(int error) {
  if (error == EIO || error == EBADFD) return Errno::network_down;  // TUN: the interface is down
  return static_cast<Errno>(error);
}

}  // namespace

std::expected<std::unique_ptr<Tap>, std::string> Tap::open(const std::string& name) {
  ifreq request{};
  if (name.size() >= sizeof request.ifr_name) {
    return std::unexpected(fmt::format("an interface name has at most {} letters: {}",
                                       sizeof request.ifr_name - 1, name));
  }
  const int descriptor = ::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return std::unexpected(failure("open /dev/net/tun", errno));
  std::copy(name.begin(), name.end(), std::begin(request.ifr_name));
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  if (::ioctl(descriptor, TUNSETIFF, &request) != 0) {
    const int error = errno;
    ::close(descriptor);
    return std::unexpected(failure(fmt::format("TUNSETIFF {}", name).c_str(), error));
  }
  return adopt(descriptor);
}

std::expected<std::unique_ptr<Tap>, std::string> Tap::adopt(int descriptor) {
  std::unique_ptr<Tap> tap(new Tap(descriptor));
  if (auto done = tap->set_up(); !done) return std::unexpected(done.error());
  return tap;
}

Tap::~Tap() {
  if (spare_ != nullptr) drop_reference(spare_);
  ::close(descriptor_);
}

std::expected<void, std::string> Tap::set_up() {
  ifreq request{};
  if (::ioctl(descriptor_, TUNGETIFF, &request) != 0) {
    return std::unexpected(failure("TUNGETIFF", errno));
  }
  name_ = std::begin(request.ifr_name);
  if ((request.ifr_flags & IFF_TAP) == 0 || (request.ifr_flags & IFF_NO_PI) == 0) {
    return std::unexpected(
        fmt::format("{} is not a TAP interface without packet information", name_));
  }
  const int flags = ::fcntl(descriptor_, F_GETFL);
  if (flags < 0 || ::fcntl(descriptor_, F_SETFL, flags | O_NONBLOCK) != 0) {
    return std::unexpected(failure("fcntl O_NONBLOCK", errno));
  }
  has_header_ = (request.ifr_flags & IFF_VNET_HDR) != 0;
  if (!has_header_) return {};
  int size = sizeof(VirtioHeader);
  if (::ioctl(descriptor_, TUNSETVNETHDRSZ, &size) != 0) {
    return std::unexpected(failure("TUNSETVNETHDRSZ", errno));
  }
  ask_for_offloads();
  return {};
}

// Says what we can take from the kernel: as much as it knows.
void Tap::ask_for_offloads() {
  constexpr unsigned tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
  cuts_udp_ = ::ioctl(descriptor_, TUNSETOFFLOAD, tcp | tun_f_uso4 | tun_f_uso6) == 0;
  cuts_tcp_ = cuts_udp_ || ::ioctl(descriptor_, TUNSETOFFLOAD, tcp) == 0;
}

DeviceAbilities Tap::abilities() const {
  return {.takes_checksums = has_header_,
          .super_segment_bytes_max = cuts_tcp_ ? super_segment_bytes : 0};
}

Result<Packet> Tap::receive() {
  if (spare_ == nullptr) spare_ = allocate_block(rest_bytes);
  VirtioHeader header{};
  Packet frame(headroom, front_bytes);
  const std::array<iovec, 3> pieces = {{{&header, has_header_ ? sizeof header : 0},
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
  if (!has_header_) return frame;
  const std::optional<Offload> offload = offload_of(header, frame);
  if (!offload) return unexpected(Errno::protocol_error);
  frame.offload = *offload;
  return frame;
}

// The kernel takes a super-segment only with its checksum unfinished.
Result<void> Tap::send(Packet frame) {
  const bool is_udp = frame.offload.checksum_offset == udp::checksum_offset;
  const bool is_taken_whole = frame.offload.checksum_wanted && (is_udp ? cuts_udp_ : cuts_tcp_);
  if (frame.offload.segment_bytes == 0 && has_header_) return write(frame);
  if (frame.offload.segment_bytes != 0 && is_taken_whole) return write(frame);
  const ChecksumBy by = has_header_ ? ChecksumBy::device : ChecksumBy::us;
  for (Packet& piece : link::segment(std::move(frame), by)) {
    if (auto done = write(piece); !done) return done;
  }
  return {};
}

Result<void> Tap::write(Packet& frame) {
  constexpr std::size_t pieces_max = 64;
  if (frame.slices().size() + 2 > pieces_max) frame.linear();
  VirtioHeader header = virtio_header_of(frame);
  std::array<iovec, pieces_max> pieces;
  std::size_t count = 0;
  const auto add = [&pieces, &count](Bytes bytes) {
    // writev does not write to what it is given.
    pieces.at(count++) = {const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
  };
  if (has_header_) pieces.at(count++) = {&header, sizeof header};
  add(frame.front());
  for (const Slice& slice : frame.slices()) add(slice.bytes());
  const ssize_t done = ::writev(descriptor_, pieces.data(), static_cast<int>(count));
  if (done < 0) return unexpected(errno_of(errno));
  return {};
}

}  // namespace lanyard::device
