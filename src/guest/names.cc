// SPDX-License-Identifier: Apache-2.0
// getsockname and getpeername; and, where there are no namespaces, memory files in the place of the
// machine's own.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "guest/supervisor.hh"

namespace lanyard::guest {

void Supervisor::get_name(const Asked& asked, bool of_peer) {
  const VirtualSocket& socket = asked.socket;
  Result<Endpoint> endpoint = unexpected(Errno::not_connected);
  if (socket.handle != socket::Handle::none) {
    endpoint = of_peer ? host_.sockets->peer_endpoint(socket.handle)
                       : host_.sockets->local_endpoint(socket.handle);
  } else {
    const auto& kept = of_peer ? socket.peer : socket.local;
    // A reset connection has no peer any more; one that ended in order has one until it is closed.
    const bool is_known = kept && !(of_peer && socket.stage == VirtualSocket::Stage::failed);
    if (is_known) endpoint = *kept;
  }
  const Call& call = asked.call;
  if (!endpoint) {
    call.listener->reply(call, endpoint.error());
    return;
  }
  const SocketAddress address = to_sockaddr(*endpoint, socket.family);
  const bool done = call.arguments[1] != 0 &&
                    give_address(call.thread, call.arguments[1], call.arguments[2], address);
  call.listener->reply(call, done ? 0 : -EFAULT);
}

// open and openat, asked about only where no namespaces could be made.
void Supervisor::open_file(const Call& call) {
  const std::size_t path_at = call.number == __NR_openat ? 1 : 0;
  const std::string path = read_text(call.thread, call.arguments.at(path_at));
  const std::string* text = nullptr;
  const std::string none;
  if (path == "/etc/resolv.conf") text = &host_.files.resolv_conf;
  if (path == "/etc/hosts") text = &host_.files.hosts;
  if (path == "/etc/nsswitch.conf") text = &host_.files.nsswitch_conf;
  if (path == "/etc/hostname") text = &host_.files.hostname;
  // The machine's own connections are no business of a virtual host.
  if (path.compare(0, 10, "/proc/net/") == 0 || path.compare(0, 15, "/proc/self/net/") == 0)
    text = &none;
  const int flags = call.int_argument(path_at + 1);
  if (text == nullptr || (flags & O_ACCMODE) != O_RDONLY) {
    call.listener->let_run(call);
    return;
  }
  const Descriptor file(memfd_create("lanyard", MFD_CLOEXEC));
  if (!file.is_open() ||
      write(file.get(), text->data(), text->size()) != static_cast<ssize_t>(text->size()) ||
      lseek(file.get(), 0, SEEK_SET) != 0) {
    call.listener->reply(call, Errno::no_memory);
    return;
  }
  (void)call.listener->reply_descriptor(call, file.get(), (flags & O_CLOEXEC) != 0);
}

}  // namespace lanyard::guest
