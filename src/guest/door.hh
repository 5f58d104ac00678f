// SPDX-License-Identifier: Apache-2.0
// A thread that waits for one program's calls, of those that cork and uncork streams all the time
// (nginx, twice for a request). The kernel wakes it on the program's own processor, and it answers
// TCP_CORK there, without a turn of the loop; what it changes it leaves at the stream's gate. All
// other calls it hands over to the loop.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "guest/gate.hh"
#include "guest/notify.hh"
#include "guest/tracee.hh"

namespace lanyard::guest {

class Door {
 public:
  // A call for the loop comes later through a door than without one, so it pays only for programs
  // most of whose calls are for it: this many more than others open it, and as many others close
  // it.
  static constexpr int calls_ahead = 64;
  [[nodiscard]] static bool is_for(const Call& call);

  // While there is a door nobody else may receive from the listener. Null: no thread or no
  // descriptors are left.
  static std::unique_ptr<Door> open(Listener& listener, Gates& gates);
  ~Door();
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  // Polls as readable when there is news.
  [[nodiscard]] int descriptor() const { return tells_.get(); }
  struct News {
    std::vector<Call> calls;
    std::vector<std::uint64_t> corks;  // inodes: at their gates are changes that no bytes tell of
    bool has_left = false;             // the thread has ended; others may receive
  };
  [[nodiscard]] News take();

 private:
  Door(Listener& listener, Gates& gates);
  void run();
  [[nodiscard]] bool wait() const;
  [[nodiscard]] bool answer(const Call& call);
  template <typename Change>
  void tell(Change change);

  Listener& listener_;
  Gates& gates_;
  DescriptorFetcher fetcher_;
  Descriptor tells_, stops_;
  std::mutex mutex_;
  News news_;
  std::thread thread_;
};

}  // namespace lanyard::guest
