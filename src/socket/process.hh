// SPDX-License-Identifier: Apache-2.0
// In-process programs: a plain function that calls blocking sockets, run as a cooperative task on a
// virtual host. It reads like the course's socket program and runs in virtual or real time alike:
//   Socket server(process, Family::ipv4, Type::stream);
//   server.bind({IpAddress::any(Family::ipv4), 8888}); server.listen(5);
//   Socket peer = *server.accept(); auto text = peer.recv(1024); peer.send(*text); peer.close();
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.hh"
#include "core/task.hh"
#include "socket/sockets.hh"

namespace lanyard::socket {

// Where a name server is, and what a host calls itself: what /etc/resolv.conf and /etc/hosts say.
struct Names {
  std::string host_name;
  std::vector<Endpoint> name_servers;
  std::vector<std::pair<std::string, IpAddress>> hosts;  // looked at first
};

// What a running program has: its host's sockets and names, the time, chance, and somewhere to
// print.
class Process {
 public:
  virtual ~Process() = default;
  virtual Sockets& sockets() = 0;
  virtual Tasks& tasks() = 0;
  virtual const Names& names() = 0;
  virtual RandomStream& random() = 0;
  // Prints to standard output (1) or standard error (2) of this program.
  virtual void print(int descriptor, std::string_view text) = 0;
  // Another task of the same program (a server's handler).
  virtual void spawn(std::function<void(Process&)> body) = 0;
  // What SIGINT calls instead of ending the program by itself; it gives the exit status. For who
  // cannot be interrupted there is nothing to do.
  virtual void at_interrupt(std::function<int()> last_word) { static_cast<void>(last_word); }

  [[nodiscard]] Instant now() { return tasks().now(); }
  void sleep(Duration duration) { tasks().sleep(duration); }
};

// A program built into Lanyard: its exit status.
using Program = std::function<int(Process&, std::span<const std::string> arguments)>;

// A blocking socket. Every call waits as the call of the same name does; errors are errno values.
// Move-only, closes itself.
class Socket final : private Waker {
 public:
  Socket(Process& process, Family family, Type type, int protocol = 0);  // is_open() tells
  Socket(Process& process, Handle handle);  // takes over an accepted one
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&&) = delete;
  ~Socket();

  [[nodiscard]] bool is_open() const { return handle_ != Handle::none; }
  [[nodiscard]] Handle handle() const { return handle_; }
  Result<void> bind(const Endpoint& local);
  Result<void> listen(int backlog);
  Result<Socket> accept(Endpoint* peer = nullptr);
  Result<void> connect(const Endpoint& peer);
  // All of it, or an error; less where the time-out came first.
  Result<std::size_t> send(Bytes bytes);
  Result<std::size_t> send(std::string_view text) { return send(bytes_of(text)); }
  Result<std::size_t> send(const Slice& slice);   // the same without a copy; of streams only
  Result<std::size_t> recv(MutableBytes buffer);  // at least one byte, or 0 at the end
  Result<std::string> recv(std::size_t size);     // up to `size` bytes; empty at the end
  Result<std::size_t> sendto(Bytes bytes, const Endpoint& peer);
  Result<Received> recvfrom(MutableBytes buffer);
  Result<void> shutdown(Shutdown how);
  Result<void> close();
  // Gives the handle up unclosed, to be taken over by another task's Socket.
  Handle release();
  Result<void> set_option(Option option, const OptionValue& value);
  // How long a call may wait before it gives timed_out (connect) or try_again (the others, as
  // SO_RCVTIMEO and SO_SNDTIMEO).
  void set_timeout(Duration timeout) { timeout_ = timeout; }
  [[nodiscard]] Result<Endpoint> getsockname() const;
  [[nodiscard]] Result<Endpoint> getpeername() const;

 private:
  void on_readiness(Handle socket) override;
  bool wait(bool (*is_ready)(const Readiness&));
  template <typename Take>
  Result<std::size_t> send_all(std::size_t size, Take take);
  Process* process_;
  Handle handle_ = Handle::none;
  std::vector<Task*> waiting_;
  Duration timeout_ = Duration::infinite();
};

}  // namespace lanyard::socket
