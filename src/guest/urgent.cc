// SPDX-License-Identifier: Apache-2.0
// Urgent data (RFC 6093: one octet). A program's send with MSG_OOB comes as a call; what the peer
// sent lies in the pair as the pair's own out-of-band octet, so that MSG_OOB, SO_OOBINLINE,
// SIOCATMARK, POLLPRI and SIGURG are the kernel's.
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <bit>
#include <cerrno>

#include "guest/messages.hh"
#include "guest/supervisor.hh"

namespace lanyard::guest {

namespace {

std::size_t unread_bytes(const Descriptor& descriptor) {
  int unread = 0;
  const bool is_known = ioctl(descriptor.get(), FIONREAD, &unread) == 0 && unread > 0;
  return is_known ? static_cast<std::size_t>(unread) : 0;
}

}  // namespace

// The program's earlier bytes go before it; what does not fit is the program's to send again.
void Supervisor::send_urgent(const Asked& asked) {
  const Call& call = asked.call;
  VirtualSocket& socket = asked.socket;
  const bool has_header = call.number == __NR_sendmsg;
  pull(socket);
  if (socket.stage != VirtualSocket::Stage::connected || socket.program_ended) {
    call.listener->let_run(call);  // the pair has the error
    return;
  }
  const std::size_t room = std::min(host_.sockets->writable_bytes(socket.handle), buffer_.size());
  if (room == 0 || unread_bytes(socket.ours) > 0) {
    const int flags = call.int_argument(has_header ? 2 : 3);
    if ((flags & MSG_DONTWAIT) != 0 || asked.is_nonblocking()) {
      call.listener->reply(call, Errno::try_again);
    } else {
      hold(asked, Waits::send);
    }
    return;
  }
  Result<Buffers> buffers = Buffers{};
  if (has_header) {
    buffers = read_header(call.thread, call.arguments[1]);
  } else {
    buffers->parts = {{std::bit_cast<void*>(call.arguments[1]), call.arguments[2]}};
  }
  std::size_t size = 0;
  if (!buffers || !gather(call.thread, buffers->parts, MutableBytes(buffer_), size)) {
    call.listener->reply(call, Errno::bad_address);
    return;
  }
  std::size_t whole = 0;
  for (const iovec& part : buffers->parts) whole += part.iov_len;
  const auto sent = host_.sockets->send(now(), socket.handle, Bytes(buffer_).first(size),
                                        {.out_of_band = size == whole});
  call.listener->reply(
      call, sent ? static_cast<std::int64_t>(*sent) : -static_cast<std::int64_t>(sent.error()));
}

// At the mark, hands the urgent octet over. False: the pair has no room for it yet.
bool Supervisor::push_urgent(VirtualSocket& socket) {
  if (!host_.sockets->is_at_urgent_mark(socket.handle)) return true;
  std::uint8_t octet = 0;
  const MutableBytes room(&octet, 1);
  const auto there =
      host_.sockets->receive(now(), socket.handle, room, {.peek = true, .out_of_band = true});
  if (!there) return true;  // handed over before, or not here yet
  const ssize_t sent = send(socket.ours.get(), &octet, 1, MSG_OOB | MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && errno == EAGAIN) return false;
  if (sent < 0 && errno == EOPNOTSUPP)
    note("urgent data is thrown away: this kernel has no MSG_OOB for unix sockets (Linux 5.15)");
  (void)host_.sockets->receive(now(), socket.handle, room, {.out_of_band = true});
  return true;
}

}  // namespace lanyard::guest
