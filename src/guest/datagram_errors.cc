// SPDX-License-Identifier: Apache-2.0
// Errors of datagram sockets. A pair cannot give an errno, so there are two ways to make a program
// look. Without IP_RECVERR, an empty datagram: the next receive that we see is told. With it, poll
// must say POLLERR until the error queue is empty (ip(7)): then the pair is of another kind
// (SOCK_DGRAM), and our end looks elsewhere for a moment while something of the program's lies in
// it unread, which Linux tells the program's end with ECONNRESET. Such a pair does not tell us when
// the program closes its end: then nothing has its name any more.
#include <fcntl.h>
#include <poll.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>
#include <fstream>

#include "guest/supervisor.hh"

namespace lanyard::guest {

namespace {

sockaddr* as_sockaddr(sockaddr_un& address) {
  return std::bit_cast<sockaddr*>(&address);
}

constexpr Duration sending_pause = Duration::milliseconds(20);

// Whether a descriptor of a thread closes on exec: its fdinfo says so, and nothing else does.
bool closes_on_exec(pid_t thread, int number) {
  std::ifstream info("/proc/" + std::to_string(thread) + "/fdinfo/" + std::to_string(number));
  for (std::string key, value; info >> key >> value;) {
    if (key == "flags:") return (std::stoul(value, nullptr, 8) & O_CLOEXEC) != 0;
  }
  return false;
}

// What a program has set on its end lies in the pair, and goes along to another one.
void copy_native_options(const Descriptor& from, const Descriptor& to) {
  fcntl(to.get(), F_SETFL, fcntl(from.get(), F_GETFL));
  for (const int name : {SO_RCVTIMEO, SO_SNDTIMEO, SO_RCVLOWAT, SO_SNDBUF}) {
    char value[sizeof(timeval)];
    socklen_t size = sizeof value;
    if (getsockopt(from.get(), SOL_SOCKET, name, value, &size) != 0) continue;
    // The kernel keeps, and says, twice what was asked for (socket(7)).
    int bytes = 0;
    if (name == SO_SNDBUF) {
      std::memcpy(&bytes, value, sizeof bytes);
      bytes /= 2;
      std::memcpy(value, &bytes, sizeof bytes);
    }
    setsockopt(to.get(), SOL_SOCKET, name, value, size);
  }
}

// The name of a unix socket as its address has it; empty: it has none.
std::string name_of(const Descriptor& descriptor) {
  sockaddr_un address{};
  socklen_t size = sizeof address;
  if (getsockname(descriptor.get(), as_sockaddr(address), &size) != 0) return {};
  const std::size_t prefix = offsetof(sockaddr_un, sun_path);
  return size <= prefix ? std::string() : std::string(address.sun_path, size - prefix);
}

// An abstract name of the kernel's choice (unix(7), autobind); empty: it had none left.
std::string give_name(const Descriptor& descriptor) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (void)::bind(descriptor.get(), as_sockaddr(address), sizeof(sa_family_t));
  return name_of(descriptor);
}

// Makes a unix datagram socket's peer the one with this name; false: there is none.
bool look_at(const Descriptor& descriptor, const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  return ::connect(descriptor.get(), as_sockaddr(address), size) == 0;
}

}  // namespace

// A raw socket's send does not fail for an error that waits, as the pair's would then: it is told
// when the program waits in a poll, or has not sent for a while.
void Supervisor::tell_of_error(VirtualSocket& socket) {
  const bool may_send = socket.type == SOCK_RAW && now() < socket.wrote_at + sending_pause;
  if (may_send && !is_polling(socket.last_thread)) {
    owed_errors_.push_back(socket.inode);
    arm_tick();
    return;
  }
  if (socket.pair_name.empty() || !show_error(socket)) knock(socket);
}

void Supervisor::knock(VirtualSocket& socket) {
  resynchronise(socket);
  if (!socket.queued.empty() && socket.queued.back().error) return;
  if (send(socket.ours.get(), "", 0, MSG_DONTWAIT | MSG_NOSIGNAL) != 0) return;
  socket.queued.push_back(
      {{}, charge_of(0), std::exchange(socket.error, std::nullopt).value_or(Errno::try_again)});
}

// The error that a knock tells of, which is then told: the knock goes, if it is what the program
// would meet next.
std::optional<Errno> Supervisor::take_knock(const Asked& asked) {
  VirtualSocket& socket = asked.socket;
  resynchronise(socket);
  for (QueuedDatagram& each : socket.queued) {
    if (!each.error || *each.error == Errno::try_again) continue;
    const Errno error = std::exchange(*each.error, Errno::try_again);
    if (&each == &socket.queued.front()) {
      char none = 0;
      (void)recv(asked.theirs.get(), &none, sizeof none, MSG_DONTWAIT);
      socket.queued.pop_front();
    }
    return error;
  }
  return std::nullopt;
}

// False: the program's end was not found where it was last.
bool Supervisor::show_error(VirtualSocket& socket) {
  const Descriptor theirs = fetcher_.fetch(socket.last_thread, socket.last_number);
  if (find(theirs) != &socket) return false;
  socket.shows_error = true;
  pollfd look{theirs.get(), 0, 0};
  if (poll(&look, 1, 0) > 0 && (look.revents & POLLERR) != 0) return true;
  if (!elsewhere_.is_open()) {
    elsewhere_ = Descriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    (void)give_name(elsewhere_);
  }
  pull_datagrams(socket);
  send(theirs.get(), "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
  return look_at(socket.ours, name_of(elsewhere_)) && look_at(socket.ours, socket.pair_name);
}

// The pair says nothing of an error any more; if there still is one, it soon will again.
void Supervisor::hush(const Asked& asked) {
  int unused = 0;
  socklen_t size = sizeof unused;
  getsockopt(asked.theirs.get(), SOL_SOCKET, SO_ERROR, &unused, &size);
  asked.socket.shows_error = false;
  mark_dirty(asked.socket);
}

// After a call that may have taken the last error.
void Supervisor::settle_error(const Asked& asked) {
  VirtualSocket& socket = asked.socket;
  const bool goes_on_sending = socket.type == SOCK_RAW;
  if (goes_on_sending) socket.wrote_at = now();
  if (socket.shows_error && (goes_on_sending || !host_.sockets->readiness(socket.handle).failed))
    hush(asked);
}

// The socket's error, which is then told.
std::optional<Errno> Supervisor::take_pending_error(VirtualSocket& socket) {
  if (socket.error) return std::exchange(socket.error, std::nullopt);
  const auto error = host_.sockets->get_option(now(), socket.handle, socket::Option::error);
  const auto* number = error ? std::get_if<std::int64_t>(&*error) : nullptr;
  if (number == nullptr || *number == 0) return std::nullopt;
  return static_cast<Errno>(*number);
}

// Under the number that the call names, the program has the other kind of pair from now on. Copies
// of the descriptor, and an epoll set it is in, keep the old one: this comes early in a socket's
// life. False: no descriptors.
bool Supervisor::make_able_to_show_errors(const Asked& asked) {
  VirtualSocket& socket = asked.socket;
  if (!socket.pair_name.empty()) return true;
  const Call& call = asked.call;
  const int number = call.int_argument(0);
  pull_datagrams(socket);
  take_back(socket, asked.theirs);
  Descriptor before = std::move(socket.ours), theirs;
  const std::uint64_t inode = socket.inode;
  const bool was_opened = open_pair(socket, SOCK_DGRAM, theirs);
  std::string name = was_opened ? give_name(theirs) : std::string();
  if (was_opened) copy_native_options(asked.theirs, theirs);
  if (name.empty() || !call.listener->replace_descriptor(call, number, theirs.get(),
                                                         closes_on_exec(call.thread, number))) {
    if (was_opened) loop_.forget(socket.ours.get());
    socket.ours = std::move(before);
    socket.inode = inode;
    return false;
  }
  loop_.forget(before.get());
  auto owned = by_inode_.extract(inode);
  owned.key() = socket.inode;
  by_inode_.insert(std::move(owned));
  for (Held& held : held_) {
    if (held.inode == inode) held.inode = socket.inode;
  }
  socket.pair_name = std::move(name);
  named_.insert(socket.inode);
  socket.is_dirty = false;
  mark_dirty(socket);
  return true;
}

// What the program has not read yet leaves the pair again.
void Supervisor::take_back(VirtualSocket& socket, const Descriptor& theirs) {
  resynchronise(socket);
  std::deque<CarriedDatagram> unread;
  for (const QueuedDatagram& each : socket.queued) {
    const ssize_t got = recv(theirs.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (got < 0) break;
    const Bytes bytes(buffer_.data(), static_cast<std::size_t>(got));
    if (!each.error) unread.push_back({std::string(text_of(bytes)), each.facts});
  }
  socket.queued.clear();
  socket.carried.insert(socket.carried.begin(), unread.begin(), unread.end());
}

// Sockets with a name in their pair that the program has closed: to look at whom one looks at
// already changes nothing, and fails when nobody has that name.
void Supervisor::look_for_unnamed() {
  std::vector<VirtualSocket*> gone;
  for (const std::uint64_t inode : named_) {
    VirtualSocket* socket = find(inode);
    if (!look_at(socket->ours, socket->pair_name)) gone.push_back(socket);
  }
  for (VirtualSocket* socket : gone) program_closed(*socket);
}

}  // namespace lanyard::guest
