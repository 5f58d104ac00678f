// SPDX-License-Identifier: Apache-2.0
#include "guest/supervisor.hh"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>

#include "guest/kernel.hh"

namespace lanyard::guest {

namespace {

constexpr std::size_t buffer_bytes = 256 * 1024;
// A held call is looked at for signals this often; the longer it has waited, the less often.
constexpr Duration tick_pause = Duration::milliseconds(10);
constexpr Duration owed_pause = Duration::microseconds(50);
constexpr Duration tick_pause_max = Duration::milliseconds(160);

// The time-out a blocking call has, as the program set it (it lies in the pair natively).
Duration timeout_of(const Descriptor& theirs, int option) {
  timeval value{};
  socklen_t size = sizeof value;
  if (getsockopt(theirs.get(), SOL_SOCKET, option, &value, &size) != 0) return Duration::infinite();
  if (value.tv_sec == 0 && value.tv_usec == 0) return Duration::infinite();
  return Duration::seconds(value.tv_sec) + Duration::microseconds(value.tv_usec);
}

}  // namespace

std::uint64_t inode_of(const Descriptor& descriptor) {
  struct stat facts {};
  const bool is_socket = fstat(descriptor.get(), &facts) == 0 && S_ISSOCK(facts.st_mode);
  return is_socket ? facts.st_ino : 0;
}

bool VirtualSocket::is_stream() const {
  return type == SOCK_STREAM;
}

Family VirtualSocket::ip_family() const {
  return family == AF_INET6 ? Family::ipv6 : Family::ipv4;
}

bool Asked::is_nonblocking() const {
  return (fcntl(theirs.get(), F_GETFL) & O_NONBLOCK) != 0;
}

Supervisor::Supervisor(device::EventLoop& loop, SupervisedHost host)
    : loop_(loop),
      host_(std::move(host)),
      ticker_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
      buffer_(buffer_bytes),
      entrances_(loop, *this),
      diagnosis_(loop, *host_.sockets, [this](socket::Handle handle) {
        const auto found = by_handle_.find(handle);
        return found == by_handle_.end() ? nullptr : found->second;
      }) {
  loop_.watch(ticker_.get(), EPOLLIN, [this](std::uint32_t) { on_tick(); });
}

// The host's Sockets may be gone by now, with the world they were part of: they are not touched.
Supervisor::~Supervisor() {
  *is_alive_ = false;
  loop_.forget(ticker_.get());
  for (const auto& [inode, socket] : by_inode_) {
    if (socket->ours.is_open()) loop_.forget(socket->ours.get());
  }
}

void Supervisor::on_gone(const Listener& listener) {
  held_.remove_if([&](const Held& held) { return held.call.listener == &listener; });
  look_for_closed(true);
}

void Supervisor::on_call(const Call& call) {
  switch (call.number) {
    case __NR_socket:
      return open_socket(call);
#if defined(__x86_64__)
    case __NR_open:
#endif
    case __NR_openat:
      return open_file(call);
    default:
      break;
  }
  const Descriptor theirs = fetcher_.fetch(call.thread, call.int_argument(0));
  VirtualSocket* socket = find(theirs);
  // Not ours (a unix or netlink socket, a terminal), or not there: the kernel knows.
  if (socket == nullptr) {
    if (call.number == __NR_ioctl && host_.namespace_socket < 0) {
      control_device(call, nullptr);
    } else if (!diagnosis_.handle(call, theirs)) {
      call.listener->let_run(call);
    }
    return;
  }
  socket->last_thread = call.thread;
  socket->last_number = call.int_argument(0);
  handle_socket_call({call, *socket, theirs});
}

void Supervisor::handle_socket_call(const Asked& asked) {
  was_touched_ = true;
  if (asked.socket.gate != nullptr) on_corks(asked.socket.inode);
  const int number = asked.call.number;
  const bool only_takes =
      number == __NR_recvfrom || number == __NR_recvmsg || number == __NR_recvmmsg;
  // What was written without a call that we see goes first, as things were when it was written.
  if (!asked.socket.is_stream() && !only_takes) pull_datagrams(asked.socket);
  switch (number) {
    case __NR_bind:
      return bind(asked);
    case __NR_listen:
      return listen(asked);
    case __NR_accept:
    case __NR_accept4:
      return accept(asked);
    case __NR_connect:
      return connect(asked);
    case __NR_getsockname:
      return get_name(asked, false);
    case __NR_getpeername:
      return get_name(asked, true);
    case __NR_setsockopt:
      return set_option(asked);
    case __NR_getsockopt:
      return get_option(asked);
    case __NR_shutdown:
      return shutdown(asked);
    case __NR_sendto:
    case __NR_sendmsg:
      return send_datagram(asked);
    case __NR_recvfrom:
    case __NR_recvmsg:
      return receive_datagram(asked);
    case __NR_sendmmsg:
      return send_messages(asked);
    case __NR_recvmmsg:
      return receive_messages(asked);
    case __NR_ioctl:
      return control_device(asked.call, &asked.socket);
    default:
      asked.call.listener->let_run(asked.call);
  }
}

void Supervisor::hold(const Asked& asked, Waits waits) {
  const bool sends = waits == Waits::connect || waits == Waits::send;
  const Duration timeout = timeout_of(asked.theirs, sends ? SO_SNDTIMEO : SO_RCVTIMEO);
  held_.push_back({.call = asked.call,
                   .inode = asked.socket.inode,
                   .waits = waits,
                   .deadline = now() + timeout,
                   .look_again = now() + tick_pause,
                   .pause = tick_pause});
  arm_tick();
}

// Answers what of the held calls can be answered now, in the order they came.
void Supervisor::try_held(VirtualSocket& socket) {
  const std::uint64_t inode = socket.inode;
  std::list<Held> due;
  for (auto held = held_.begin(); held != held_.end();) {
    const auto next = std::next(held);
    if (held->inode == inode) due.splice(due.end(), held_, held);
    held = next;
  }
  while (!due.empty()) {
    Held held = due.front();
    due.pop_front();
    retry(held);
  }
}

// Runs the call again as if it had just come; it may be held again, with its first deadline.
void Supervisor::retry(Held& held) {
  if (!held.call.listener->is_waiting(held.call)) return;
  const Descriptor theirs = fetcher_.fetch(held.call.thread, held.call.int_argument(0));
  VirtualSocket* socket = find(theirs);
  if (socket == nullptr || socket->inode != held.inode) {
    held.call.listener->reply(held.call, Errno::bad_descriptor);
    return;
  }
  handle_socket_call({held.call, *socket, theirs});
  if (held_.empty() || held_.back().call.id != held.call.id) return;
  held_.back().deadline = held.deadline;
  held_.back().look_again = held.look_again;
  held_.back().pause = held.pause;
}

// A timer that comes too early is left alone: it looks, and is armed again.
void Supervisor::arm_tick() {
  Instant next = Instant::never();
  for (const Held& held : held_) next = std::min({next, held.deadline, held.look_again});
  if (!owed_errors_.empty()) next = std::min(next, now() + owed_pause);
  if (armed_for_ <= next) return;
  armed_for_ = next;
  const std::int64_t ns = std::max(next - now(), Duration::nanoseconds(1)).count_ns();
  itimerspec times{};
  times.it_value.tv_sec = ns / 1'000'000'000;
  times.it_value.tv_nsec = ns % 1'000'000'000;
  timerfd_settime(ticker_.get(), 0, &times, nullptr);
}

// Signals and time-outs of held calls.
void Supervisor::on_tick() {
  std::uint64_t ticks = 0;
  if (read(ticker_.get(), &ticks, sizeof ticks) < 0) return;
  armed_for_ = Instant::never();
  for (const std::uint64_t inode : std::exchange(owed_errors_, {})) {
    if (VirtualSocket* socket = find(inode)) mark_dirty(*socket);
  }
  held_.remove_if([&](Held& held) {
    if (held.deadline <= now()) {
      const Errno error = held.waits == Waits::connect ? Errno::in_progress : Errno::try_again;
      held.call.listener->reply(held.call, error);
      return true;
    }
    if (held.look_again > now()) return false;
    held.pause = std::min(held.pause * 2, tick_pause_max);
    held.look_again = now() + held.pause;
    if (!held.call.listener->is_waiting(held.call)) return true;
    if (!has_signal_waiting(held.call.thread)) return false;
    held.call.listener->reply(held.call, -kernel::restart_system_call);
    return true;
  });
  arm_tick();
}

void Supervisor::on_readiness(socket::Handle handle) {
  const auto found = by_handle_.find(handle);
  if (found != by_handle_.end()) mark_dirty(*found->second);
}

void Supervisor::mark_dirty(VirtualSocket& socket) {
  if (!socket.is_dirty) dirty_.push_back(socket.inode);
  socket.is_dirty = true;
  if (service_is_due_) return;
  service_is_due_ = true;
  loop_.defer([this, alive = is_alive_] {
    if (*alive) service_dirty();
  });
}

void Supervisor::service_dirty() {
  service_is_due_ = false;
  std::vector<std::uint64_t> inodes;
  std::swap(inodes, dirty_);
  for (const std::uint64_t inode : inodes) {
    VirtualSocket* socket = find(inode);
    if (socket == nullptr) continue;
    socket->is_dirty = false;
    service(*socket);
  }
  on_round_ended();
}

// What the pair says by itself.
void Supervisor::on_pair(VirtualSocket& socket, std::uint32_t events) {
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) socket.has_end_in_sight = true;
  if (events != EPOLLOUT) socket.may_have_bytes = true;
  service(socket);
}

// Whatever a socket may be ready for; may erase it.
void Supervisor::service(VirtualSocket& socket) {
  was_touched_ = true;
  const std::uint64_t inode = socket.inode;
  if (socket.has_end_in_sight && !socket.is_closed && has_hung_up(socket)) program_closed(socket);
  if (find(inode) == nullptr) return;
  switch (socket.stage) {
    case VirtualSocket::Stage::listening:
      try_held(socket);
      announce(socket);
      break;
    case VirtualSocket::Stage::connecting:
      look_at_connecting(socket);
      break;
    case VirtualSocket::Stage::connected:
      if (socket.is_stream()) {
        if (socket.may_have_bytes) pull(socket);
        if (find(inode) != nullptr) push(socket);
      } else {
        pull_datagrams(socket);
        push_datagrams(socket);
      }
      if (find(inode) != nullptr) try_held(socket);
      break;
    case VirtualSocket::Stage::fresh:
    case VirtualSocket::Stage::failed:
    case VirtualSocket::Stage::over:
      break;
  }
}

// Frames that calls wanted sent are taken by whoever owns the host.
void Supervisor::on_round_ended() {
  if (std::exchange(was_touched_, false) && host_.touched) host_.touched();
}

VirtualSocket* Supervisor::find(std::uint64_t inode) {
  const auto found = by_inode_.find(inode);
  return found == by_inode_.end() ? nullptr : found->second.get();
}

VirtualSocket* Supervisor::find(const Descriptor& theirs) {
  return find(inode_of(theirs));
}

void Supervisor::note(std::string_view text) {
  if (host_.note && noted_.insert(std::string(text)).second) host_.note(text);
}

}  // namespace lanyard::guest
