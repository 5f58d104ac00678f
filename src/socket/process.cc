// SPDX-License-Identifier: Apache-2.0
#include "socket/process.hh"

#include <algorithm>
#include <utility>

namespace lanyard::socket {

namespace {

// What waits in the error queue ends no wait: as on Linux, only its own call takes it from there.
bool may_read(const Readiness& readiness) {
  return readiness.readable || readiness.read_closed || readiness.hung_up || readiness.has_error;
}

bool may_write(const Readiness& readiness) {
  return readiness.writable || readiness.hung_up || readiness.has_error;
}

// The pending error of a socket, taken; 0 when there is none.
Result<void> take_pending_error(Process& process, Handle handle) {
  const auto value = process.sockets().get_option(process.now(), handle, Option::error);
  if (!value) return unexpected(value.error());
  const auto number = std::get<std::int64_t>(*value);
  if (number != 0) return unexpected(static_cast<Errno>(number));
  return {};
}

}  // namespace

Socket::Socket(Process& process, Family family, Type type, int protocol) : process_(&process) {
  if (const auto opened = process.sockets().open(family, type, protocol)) {
    handle_ = *opened;
    process.sockets().set_waker(handle_, this);
  }
}

Socket::Socket(Process& process, Handle handle) : process_(&process), handle_(handle) {
  process.sockets().set_waker(handle_, this);
}

Socket::Socket(Socket&& other) noexcept
    : process_(other.process_),
      handle_(std::exchange(other.handle_, Handle::none)),
      timeout_(other.timeout_) {
  if (is_open()) process_->sockets().set_waker(handle_, this);
}

Socket::~Socket() {
  (void)close();
}

Result<void> Socket::bind(const Endpoint& local) {
  return process_->sockets().bind(handle_, local);
}

Result<void> Socket::listen(int backlog) {
  return process_->sockets().listen(process_->now(), handle_, backlog);
}

Result<Socket> Socket::accept(Endpoint* peer) {
  while (true) {
    const auto accepted = process_->sockets().accept(process_->now(), handle_);
    if (accepted) {
      if (peer != nullptr) *peer = accepted->peer;
      return Socket(*process_, accepted->socket);
    }
    if (accepted.error() != Errno::try_again) return unexpected(accepted.error());
    if (!wait(may_read)) return unexpected(Errno::try_again);
  }
}

Result<void> Socket::connect(const Endpoint& peer) {
  const auto begun = process_->sockets().connect(process_->now(), handle_, peer);
  if (begun || begun.error() != Errno::in_progress) return begun;
  if (!wait(may_write)) return unexpected(Errno::timed_out);
  return take_pending_error(*process_, handle_);
}

// All `size` bytes, as many at a time as `take` says that it took of those behind the first so
// many.
template <typename Take>
Result<std::size_t> Socket::send_all(std::size_t size, Take take) {
  std::size_t sent = 0;
  do {
    const auto some = take(sent);
    if (some) {
      sent += *some;
    } else if (some.error() != Errno::try_again) {
      return unexpected(some.error());
    } else if (!wait(may_write)) {
      if (sent == 0) return unexpected(Errno::try_again);
      return sent;
    }
  } while (sent < size);
  return sent;
}

Result<std::size_t> Socket::send(Bytes bytes) {
  return send_all(bytes.size(), [&](std::size_t sent) {
    return process_->sockets().send(process_->now(), handle_, bytes.subspan(sent));
  });
}

Result<std::size_t> Socket::send(const Slice& slice) {
  return send_all(slice.size(), [&](std::size_t sent) {
    return process_->sockets().send_slice(process_->now(), handle_,
                                          slice.part(sent, slice.size() - sent));
  });
}

Result<std::size_t> Socket::recv(MutableBytes buffer) {
  while (true) {
    const auto some = process_->sockets().receive(process_->now(), handle_, buffer);
    if (some || some.error() != Errno::try_again) return some;
    if (!wait(may_read)) return unexpected(Errno::try_again);
  }
}

Result<std::string> Socket::recv(std::size_t size) {
  std::vector<std::uint8_t> buffer(size);
  const auto some = recv(MutableBytes(buffer));
  if (!some) return unexpected(some.error());
  return std::string(text_of(Bytes(buffer).first(*some)));
}

Result<std::size_t> Socket::sendto(Bytes bytes, const Endpoint& peer) {
  DatagramFacts facts;
  facts.peer = peer;
  while (true) {
    const auto sent = process_->sockets().send_to(process_->now(), handle_, bytes, facts);
    if (sent || sent.error() != Errno::try_again) return sent;
    if (!wait(may_write)) return unexpected(Errno::try_again);
  }
}

Result<Received> Socket::recvfrom(MutableBytes buffer) {
  while (true) {
    auto received = process_->sockets().receive_from(process_->now(), handle_, buffer);
    if (received || received.error() != Errno::try_again) return received;
    if (!wait(may_read)) return unexpected(Errno::try_again);
  }
}

Result<void> Socket::shutdown(Shutdown how) {
  return process_->sockets().shutdown(process_->now(), handle_, how);
}

Result<void> Socket::close() {
  if (!is_open()) return {};
  process_->sockets().set_waker(handle_, nullptr);
  return process_->sockets().close(process_->now(), std::exchange(handle_, Handle::none));
}

Handle Socket::release() {
  process_->sockets().set_waker(handle_, nullptr);
  return std::exchange(handle_, Handle::none);
}

Result<void> Socket::set_option(Option option, const OptionValue& value) {
  return process_->sockets().set_option(process_->now(), handle_, option, value);
}

Result<Endpoint> Socket::getsockname() const {
  return process_->sockets().local_endpoint(handle_);
}

Result<Endpoint> Socket::getpeername() const {
  return process_->sockets().peer_endpoint(handle_);
}

void Socket::on_readiness(Handle) {
  for (Task* task : waiting_) process_->tasks().wake(task);
}

// Waits until the socket is ready as asked; false when the time-out came first.
bool Socket::wait(bool (*is_ready)(const Readiness&)) {
  Tasks& tasks = process_->tasks();
  const Instant deadline = tasks.now() + timeout_;
  struct Registration {  // also leaves when the task is ended inside the wait
    std::vector<Task*>& waiting;
    Task* task;
    ~Registration() { std::erase(waiting, task); }
  };
  while (!is_ready(process_->sockets().readiness(handle_))) {
    if (tasks.now() >= deadline) return false;
    waiting_.push_back(tasks.current());
    const Registration registration{waiting_, tasks.current()};
    tasks.wait(deadline);
  }
  return true;
}

}  // namespace lanyard::socket
