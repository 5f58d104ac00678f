// SPDX-License-Identifier: Apache-2.0
// The supervisor of one virtual host: answers its programs' socket calls with the host's Sockets
// and moves bytes between Sockets and the socket pairs. Read virtual_socket.hh first. Everything
// runs on the event loop's thread, but for the doors (door.hh). The calls, one file per group:
//   control.cc  socket bind listen accept connect shutdown     transfer.cc  streams' bytes
//   names.cc    getsockname getpeername, memory files          datagrams.cc sendto sendmsg recvmsg
//   options.cc  setsockopt getsockopt                          ioctl.cc     SIOC*
#pragma once

#include <sys/socket.h>

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "device/event_loop.hh"
#include "guest/asked.hh"
#include "guest/buffers.hh"
#include "guest/diagnosis.hh"
#include "guest/entrances.hh"
#include "guest/intake.hh"
#include "guest/socket_address.hh"
#include "guest/supervised_host.hh"
#include "guest/tracee.hh"

namespace lanyard::guest {

class Supervisor final : private socket::Waker, private Receptionist {
 public:
  Supervisor(device::EventLoop& loop, SupervisedHost host);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Serves a program's listener until the last of its tasks has gone.
  void serve(Descriptor listener) { entrances_.open(std::move(listener)); }

 private:
  // supervisor.cc: the flow of calls.
  void on_call(const Call& call) override;
  void on_gone(const Listener& listener) override;
  void handle_socket_call(const Asked& asked);
  void hold(const Asked& asked, Waits waits);
  void try_held(VirtualSocket& socket);
  void retry(Held& held);
  void on_tick();
  void arm_tick();
  void on_readiness(socket::Handle socket) override;
  void mark_dirty(VirtualSocket& socket);
  void service_dirty();
  void on_pair(VirtualSocket& socket, std::uint32_t events);
  void service(VirtualSocket& socket);
  void on_round_ended() override;
  [[nodiscard]] Instant now() const { return loop_.now(); }
  [[nodiscard]] VirtualSocket* find(std::uint64_t inode);
  [[nodiscard]] VirtualSocket* find(const Descriptor& theirs);
  void note(std::string_view text);
  // control.cc
  void open_socket(const Call& call);
  VirtualSocket* adopt(socket::Handle handle, int family, int type, int protocol,
                       Descriptor& theirs);
  [[nodiscard]] bool open_pair(VirtualSocket& socket, int kind, Descriptor& theirs);
  void watch_pair(const VirtualSocket& socket);
  void bind(const Asked& asked);
  void listen(const Asked& asked);
  void accept(const Asked& asked);
  [[nodiscard]] bool deliver_accepted(const Asked& asked);
  void connect(const Asked& asked);
  void connect_stream(const Asked& asked, const Endpoint& peer);
  void connection_made(VirtualSocket& socket);
  void connection_failed(VirtualSocket& socket);
  void look_at_connecting(VirtualSocket& socket);
  void announce(VirtualSocket& listener);
  void shutdown(const Asked& asked);
  [[nodiscard]] Result<Endpoint> address_argument(const Asked& asked, std::size_t index) const;
  [[nodiscard]] bool give_address(pid_t thread, std::uint64_t to, std::uint64_t size_at,
                                  const SocketAddress& address) const;
  // corks.cc
  void open_gate(VirtualSocket& socket);
  void shut_gate(VirtualSocket& socket);
  void on_corks(std::uint64_t inode) override;
  void set_corks(VirtualSocket& socket, const Corks& corks);
  // closing.cc: the ends of sockets.
  void look_for_closed(bool all);
  [[nodiscard]] bool has_hung_up(const VirtualSocket& socket) const;
  void program_closed(VirtualSocket& socket);
  void finish_closing(VirtualSocket& socket);
  void show_reset(VirtualSocket& socket, Errno error);
  void show_broken_pipe(VirtualSocket& socket);
  void retire(VirtualSocket& socket, VirtualSocket::Stage stage);
  void erase(VirtualSocket& socket);
  // transfer.cc, urgent.cc
  void pull(VirtualSocket& socket);
  void program_direction_ended(VirtualSocket& socket);
  void push(VirtualSocket& socket);
  void wait_for_room(VirtualSocket& socket);
  [[nodiscard]] bool hand_over(VirtualSocket& socket);
  void send_to_stream(const Asked& asked);
  void hide_writability(const Asked& asked);
  void show_writability(VirtualSocket& socket);
  void send_urgent(const Asked& asked);
  [[nodiscard]] bool push_urgent(VirtualSocket& socket);
  // datagrams.cc
  void pull_datagrams(VirtualSocket& socket);
  void push_datagrams(VirtualSocket& socket);
  [[nodiscard]] int charge_of(std::size_t size);
  // datagram_errors.cc
  void tell_of_error(VirtualSocket& socket);
  void knock(VirtualSocket& socket);
  std::optional<Errno> take_knock(const Asked& asked);
  [[nodiscard]] bool show_error(VirtualSocket& socket);
  void hush(const Asked& asked);
  void settle_error(const Asked& asked);
  [[nodiscard]] bool make_able_to_show_errors(const Asked& asked);
  void take_back(VirtualSocket& socket, const Descriptor& theirs);
  void look_for_unnamed();
  [[nodiscard]] std::optional<Errno> take_pending_error(VirtualSocket& socket);
  // datagram_calls.cc
  struct Taken;
  void send_datagram(const Asked& asked);
  void send_messages(const Asked& asked);
  void receive_datagram(const Asked& asked);
  void receive_messages(const Asked& asked);
  [[nodiscard]] Result<std::size_t> send_one(const Asked& asked, const Buffers& buffers);
  [[nodiscard]] Result<std::size_t> receive_one(const Asked& asked, Buffers& buffers, int flags);
  [[nodiscard]] Result<Taken> next_datagram(const Asked& asked, bool only_looks);
  [[nodiscard]] Result<std::size_t> receive_queued_error(const Asked& asked, Buffers& buffers);
  // names.cc, options.cc, ioctl.cc
  void get_name(const Asked& asked, bool of_peer);
  void open_file(const Call& call);
  void set_option(const Asked& asked);
  void get_option(const Asked& asked);
  void control_device(const Call& call, const VirtualSocket* socket);

  device::EventLoop& loop_;
  SupervisedHost host_;
  DescriptorFetcher fetcher_;
  std::map<std::uint64_t, std::unique_ptr<VirtualSocket>> by_inode_;
  std::map<socket::Handle, VirtualSocket*> by_handle_;
  std::vector<std::uint64_t> dirty_;
  bool service_is_due_ = false;
  bool was_touched_ = false;
  std::list<Held> held_;
  Descriptor ticker_;
  Instant armed_for_ = Instant::never();
  std::deque<std::uint64_t> retired_;
  std::set<std::string> noted_;
  std::vector<std::uint64_t> owed_errors_;  // sockets whose error waits for a pause
  std::set<std::uint64_t> named_;           // the inodes of sockets with a pair_name
  Descriptor elsewhere_;                    // where our end of such a pair looks for a moment
  std::map<std::size_t, int> charges_;      // of a datagram in a pair, by its size
  std::vector<std::uint8_t> buffer_;
  Intake intake_;
  Entrances entrances_;
  Diagnosis diagnosis_;
  std::vector<Slice> slices_;  // on their way, empty between calls
  std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace lanyard::guest
