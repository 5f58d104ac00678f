// SPDX-License-Identifier: Apache-2.0
#include "device/memory_link.hh"

#include <sys/eventfd.h>
#include <unistd.h>

#include "core/check.hh"
#include "link/segment.hh"

namespace lanyard::device {

std::pair<std::unique_ptr<MemoryDevice>, std::unique_ptr<MemoryDevice>> MemoryDevice::make_pair(
    const DeviceAbilities& abilities, std::size_t frames_max) {
  std::unique_ptr<MemoryDevice> first(new MemoryDevice(abilities, frames_max));
  std::unique_ptr<MemoryDevice> second(new MemoryDevice(abilities, frames_max));
  first->peer_ = second.get();
  second->peer_ = first.get();
  return {std::move(first), std::move(second)};
}

MemoryDevice::MemoryDevice(const DeviceAbilities& abilities, std::size_t frames_max)
    : abilities_(abilities),
      frames_max_(frames_max),
      bell_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  CHECK(bell_ >= 0);
}

MemoryDevice::~MemoryDevice() {
  if (peer_ != nullptr) peer_->peer_ = nullptr;
  ::close(bell_);
}

Result<Packet> MemoryDevice::receive() {
  if (waiting_.empty()) return unexpected(Errno::try_again);
  Packet frame = std::move(waiting_.front());
  waiting_.pop_front();
  eventfd_t rung = 0;
  if (waiting_.empty()) CHECK(::eventfd_read(bell_, &rung) == 0);
  return frame;
}

Result<void> MemoryDevice::send(Packet frame) {
  if (peer_ == nullptr) return unexpected(Errno::network_down);
  if (abilities_.super_segment_bytes_max > 0 && abilities_.takes_checksums) {
    return peer_->put(std::move(frame));
  }
  const ChecksumBy by = abilities_.takes_checksums ? ChecksumBy::device : ChecksumBy::us;
  for (Packet& piece : link::segment(std::move(frame), by)) {
    if (auto done = peer_->put(std::move(piece)); !done) return done;
  }
  return {};
}

Result<void> MemoryDevice::put(Packet frame) {
  if (waiting_.size() >= frames_max_) return unexpected(Errno::try_again);
  if (waiting_.empty()) CHECK(::eventfd_write(bell_, 1) == 0);
  waiting_.push_back(std::move(frame));
  return {};
}

}  // namespace lanyard::device
