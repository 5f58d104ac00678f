// SPDX-License-Identifier: Apache-2.0
// Where the calls of a host's programs come in: the loop waits for them, or a door does (door.hh).
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "device/event_loop.hh"
#include "guest/door.hh"

namespace lanyard::guest {

// Who answers them; told on the loop's thread.
class Receptionist {
 public:
  virtual void on_call(const Call& call) = 0;
  // A door has left changes at the gate of the socket with this inode.
  virtual void on_corks(std::uint64_t inode) = 0;
  // The last task that could call has gone.
  virtual void on_gone(const Listener& listener) = 0;
  // Behind some of these.
  virtual void on_round_ended() = 0;

 protected:
  ~Receptionist() = default;
};

class Entrances {
 public:
  Entrances(device::EventLoop& loop, Receptionist& receptionist)
      : loop_(loop), receptionist_(receptionist) {}
  ~Entrances();
  Entrances(const Entrances&) = delete;
  Entrances& operator=(const Entrances&) = delete;

  // Receives from a program's listener until the last of its tasks has gone.
  void open(Descriptor listener);
  [[nodiscard]] Gates& gates() { return gates_; }

 private:
  struct Entrance {
    Listener listener;
    int ahead = 0;  // by how many more calls than others were for a door, lately
    std::unique_ptr<Door> door{};
  };
  void watch(Entrance& entrance);
  void on_listener(Entrance& entrance, std::uint32_t events);
  void open_door(Entrance& entrance);
  void on_door(Entrance& entrance);

  device::EventLoop& loop_;
  Receptionist& receptionist_;
  Gates gates_;
  std::map<int, Entrance> entrances_;
};

}  // namespace lanyard::guest
