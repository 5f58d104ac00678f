// SPDX-License-Identifier: Apache-2.0
#include "guest/gate.hh"

#include <sys/ioctl.h>

#include <utility>

namespace lanyard::guest {

Gate::Kept Gate::keep(bool begins) {
  const std::lock_guard hold(mutex_);
  int unread = 0;
  if (ours_ < 0 || ioctl(ours_, FIONREAD, &unread) != 0) return Kept::no;
  if (begins && unread > 0) return Kept::no;
  if (begins) {
    corks_ = {.ends_before = corks_.ends_before || corks_.ends_after, .begins = true};
  } else {
    corks_.ends_after = true;
  }
  return unread > 0 ? Kept::with_bytes : Kept::yes;
}

Corks Gate::take_locked() {
  return std::exchange(corks_, {});
}

Corks Gate::take() {
  const std::lock_guard hold(mutex_);
  return take_locked();
}

bool Gate::take_unless_begins(Corks& corks) {
  const std::lock_guard hold(mutex_);
  if (corks_.begins) return false;
  corks = take_locked();
  return true;
}

void Gate::shut() {
  const std::lock_guard hold(mutex_);
  ours_ = -1;
}

std::shared_ptr<Gate> Gates::find(std::uint64_t inode) {
  const std::lock_guard hold(mutex_);
  const auto found = gates_.find(inode);
  return found == gates_.end() ? nullptr : found->second;
}

std::shared_ptr<Gate> Gates::open(std::uint64_t inode, int ours) {
  const std::lock_guard hold(mutex_);
  return gates_[inode] = std::make_shared<Gate>(ours);
}

void Gates::shut(std::uint64_t inode) {
  const std::lock_guard hold(mutex_);
  const auto found = gates_.find(inode);
  if (found == gates_.end()) return;
  found->second->shut();
  gates_.erase(found);
}

}  // namespace lanyard::guest
