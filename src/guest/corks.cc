// SPDX-License-Identifier: Apache-2.0
// The loop's half of what doors answer. Read door.hh and gate.hh first.
#include "guest/supervisor.hh"

namespace lanyard::guest {

// From now on a door may answer for it.
void Supervisor::open_gate(VirtualSocket& socket) {
  if (socket.stage != VirtualSocket::Stage::connected || socket.gate != nullptr) return;
  socket.gate = entrances_.gates().open(socket.inode, socket.ours.get());
}

void Supervisor::shut_gate(VirtualSocket& socket) {
  if (socket.gate == nullptr) return;
  entrances_.gates().shut(socket.inode);
  socket.gate = nullptr;
}

// Brings the stack's socket to where the program's calls have brought its own.
void Supervisor::on_corks(std::uint64_t inode) {
  VirtualSocket* socket = find(inode);
  if (socket == nullptr || socket->gate == nullptr) return;
  Corks corks;
  if (!socket->gate->take_unless_begins(corks)) {
    pull(*socket);
    socket = find(inode);
    if (socket == nullptr || socket->gate == nullptr) return;
    corks = socket->gate->take();  // where there was no room to read
  }
  set_corks(*socket, corks);
}

void Supervisor::set_corks(VirtualSocket& socket, const Corks& corks) {
  const auto set = [&](bool is_on) {
    was_touched_ = true;
    (void)host_.sockets->set_option(now(), socket.handle, socket::Option::cork,
                                    socket::OptionValue(std::int64_t{is_on}));
  };
  if (corks.ends_before) set(false);
  if (corks.begins) set(true);
  if (corks.ends_after) set(false);
}

}  // namespace lanyard::guest
