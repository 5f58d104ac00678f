// SPDX-License-Identifier: Apache-2.0
// The sockets with which programs ask sock_diag(7) (ss, and whoever else looks at sockets): each is
// a pair whose other end answers for the virtual host.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "device/event_loop.hh"
#include "guest/notify.hh"
#include "guest/sock_diag.hh"
#include "guest/virtual_socket.hh"

namespace lanyard::guest {

class Diagnosis {
 public:
  // `find`: which of a program's sockets has this handle; null: none.
  using Find = std::function<const VirtualSocket*(socket::Handle)>;
  Diagnosis(device::EventLoop& loop, socket::Sockets& sockets, Find find);
  ~Diagnosis();
  Diagnosis(const Diagnosis&) = delete;
  Diagnosis& operator=(const Diagnosis&) = delete;

  // Answers socket(AF_NETLINK, ..., NETLINK_SOCK_DIAG).
  void open(const Call& call);
  // Answers a call about one of these sockets, of which the program's end is `theirs`; false: it is
  // about something else.
  [[nodiscard]] bool handle(const Call& call, const Descriptor& theirs);

 private:
  struct Asker {
    Descriptor ours;
    std::uint32_t port = 0;           // sockaddr_nl's nl_pid
    std::deque<std::string> answers;  // for which the pair has no room yet
  };
  [[nodiscard]] std::vector<DiagnosedSocket> look() const;
  [[nodiscard]] DiagnosedSocket look_at(socket::SocketRow&& row) const;
  void on_pair(std::uint64_t inode, std::uint32_t events);
  void bind(const Call& call, Asker& asker);
  void send(const Call& call, Asker& asker);
  void receive(const Call& call, const Descriptor& theirs);
  void answer(Asker& asker, Bytes requests);
  static void hand_over(Asker& asker);

  device::EventLoop& loop_;
  socket::Sockets& sockets_;
  Find find_;
  std::map<std::uint64_t, std::unique_ptr<Asker>> askers_;  // by the inode of the program's end
  std::vector<std::uint8_t> buffer_;
};

}  // namespace lanyard::guest
