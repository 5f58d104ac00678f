// SPDX-License-Identifier: Apache-2.0
// Where a door (door.hh) leaves the changes of a stream's TCP_CORK, and the loop finds them with
// the bytes that they stand between.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

namespace lanyard::guest {

// Changes of a cork, in their order. All bytes that lie in the pair were written after `begins`.
struct Corks {
  bool ends_before = false, begins = false, ends_after = false;
};

class Gate {
 public:
  // `ours` is our end of the pair.
  explicit Gate(int ours) : ours_(ours) {}

  enum class Kept { no, yes, with_bytes };
  // The door's: keeps a change. It must not be answered (`no`) where bytes lie before a beginning,
  // or the stream is over; `with_bytes`: what lies in the pair brings the loop here anyway.
  [[nodiscard]] Kept keep(bool begins);

  // The loop's. Nothing is kept while the lock is held: what is read meanwhile belongs to
  // `take_locked`.
  [[nodiscard]] std::unique_lock<std::mutex> lock() { return std::unique_lock(mutex_); }
  [[nodiscard]] Corks take_locked();
  [[nodiscard]] Corks take();
  // False: a cork begins, and bytes may lie behind it that are to be read with it.
  [[nodiscard]] bool take_unless_begins(Corks& corks);
  // Before our end is closed.
  void shut();

 private:
  std::mutex mutex_;
  int ours_;
  Corks corks_;
};

// The gates of a host, by the inode of the program's end.
class Gates {
 public:
  [[nodiscard]] std::shared_ptr<Gate> find(std::uint64_t inode);
  [[nodiscard]] std::shared_ptr<Gate> open(std::uint64_t inode, int ours);
  void shut(std::uint64_t inode);

 private:
  std::mutex mutex_;
  std::map<std::uint64_t, std::shared_ptr<Gate>> gates_;
};

}  // namespace lanyard::guest
