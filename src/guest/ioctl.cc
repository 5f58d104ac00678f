// SPDX-License-Identifier: Apache-2.0
// ioctl 0x8900 to 0x89ff on a socket of ours. Natively it would show the interfaces of the daemon's
// namespace, where the pair was made; so it is asked again on a socket of the host's namespace,
// whose mirror interfaces tell the truth.
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "guest/supervisor.hh"

namespace lanyard::guest {

namespace {

// Those that only look, with everything inside the 40 bytes of an ifreq.
bool only_looks(unsigned long request) {
  switch (request) {
    case SIOCGIFNAME:
    case SIOCGIFFLAGS:
    case SIOCGIFADDR:
    case SIOCGIFDSTADDR:
    case SIOCGIFBRDADDR:
    case SIOCGIFNETMASK:
    case SIOCGIFMETRIC:
    case SIOCGIFMTU:
    case SIOCGIFHWADDR:
    case SIOCGIFINDEX:
    case SIOCGIFTXQLEN:
      return true;
    default:
      return false;
  }
}

int look(int socket, pid_t thread, unsigned long request, std::uint64_t at) {
  ifreq asked{};
  if (!read_value(thread, at, asked)) return EFAULT;
  if (ioctl(socket, request, &asked) != 0) return errno;
  return write_value(thread, at, asked) ? 0 : EFAULT;
}

// SIOCGIFCONF: a list, through a pointer of the program.
int list_interfaces(int socket, pid_t thread, std::uint64_t at) {
  ifconf asked{};
  if (!read_value(thread, at, asked)) return EFAULT;
  constexpr int bytes_max = 64 * 1024;
  const std::uint64_t buffer_at = std::bit_cast<std::uint64_t>(asked.ifc_buf);
  std::vector<char> buffer(
      buffer_at == 0 ? 0 : static_cast<std::size_t>(std::clamp(asked.ifc_len, 0, bytes_max)));
  asked.ifc_buf = buffer.empty() ? nullptr : buffer.data();
  asked.ifc_len = static_cast<int>(buffer.size());
  if (ioctl(socket, SIOCGIFCONF, &asked) != 0) return errno;
  if (!buffer.empty() &&
      !write_memory(thread, buffer_at, buffer.data(), static_cast<std::size_t>(asked.ifc_len)))
    return EFAULT;
  asked.ifc_buf = std::bit_cast<char*>(buffer_at);
  return write_value(thread, at, asked) ? 0 : EFAULT;
}

}  // namespace

void Supervisor::control_device(const Asked& asked) {
  const Call& call = asked.call;
  const unsigned long request = call.arguments[1] & 0xffffffff;
  int error = 0;
  if (request == SIOCATMARK && asked.socket.is_stream()) {
    call.listener->let_run(call);  // of the pair (urgent.cc)
    return;
  }
  if (only_looks(request) || request == SIOCGIFCONF) {
    if (host_.namespace_socket < 0) {
      error = ENODEV;
    } else if (request == SIOCGIFCONF) {
      error = list_interfaces(host_.namespace_socket, call.thread, call.arguments[2]);
    } else {
      error = look(host_.namespace_socket, call.thread, request, call.arguments[2]);
    }
  } else if (request == SIOCGSTAMP_OLD || request == SIOCGSTAMPNS_OLD) {
    error = ENOENT;
  } else {
    // Changing interfaces and routes is the lab's business, and the rest is not served.
    note("ioctl on a socket that is not served (changes an interface, or asks a driver)");
    error = request >= SIOCDEVPRIVATE ? EOPNOTSUPP : EPERM;
  }
  call.listener->reply(call, -error);
}

}  // namespace lanyard::guest
