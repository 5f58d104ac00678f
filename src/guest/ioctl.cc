// SPDX-License-Identifier: Apache-2.0
// ioctl 0x8900 to 0x89ff on a socket of ours. Natively it would show the interfaces of the daemon's
// namespace, where the pair was made; so it is asked again on a socket of the host's namespace,
// whose mirror interfaces tell the truth. Where there is no such namespace the stack's own rows do,
// and are shown on every socket.
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "guest/interface_requests.hh"
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

using Rows = std::vector<stack::InterfaceRow>;

// `socket` is one of the host's namespace; -1: there is none.
int look(int socket, const Rows& rows, const Call& call, unsigned long request) {
  ifreq asked{};
  if (!read_value(call.thread, call.arguments[2], asked)) return EFAULT;
  const int error = socket < 0 ? answer_interface_request(rows, request, asked)
                               : (ioctl(socket, request, &asked) != 0 ? errno : 0);
  if (error != 0) return error;
  return write_value(call.thread, call.arguments[2], asked) ? 0 : EFAULT;
}

// SIOCGIFCONF: a list, through a pointer of the program; without one, how long it would be.
int list_interfaces(int socket, const Rows& rows, const Call& call) {
  ifconf asked{};
  if (!read_value(call.thread, call.arguments[2], asked)) return EFAULT;
  constexpr std::size_t most = 2048;
  std::vector<ifreq> list(most);
  ifconf kernels{};
  kernels.ifc_len = static_cast<int>(list.size() * sizeof(ifreq));
  kernels.ifc_req = list.data();
  if (socket < 0) {
    list = interface_list(rows);
  } else if (ioctl(socket, SIOCGIFCONF, &kernels) != 0) {
    return errno;
  } else {
    list.resize(static_cast<std::size_t>(kernels.ifc_len) / sizeof(ifreq));
  }
  const std::uint64_t to = std::bit_cast<std::uint64_t>(asked.ifc_buf);
  const std::size_t room = static_cast<std::size_t>(std::max(asked.ifc_len, 0)) / sizeof(ifreq);
  if (to != 0) list.resize(std::min(list.size(), room));
  if (to != 0 && !write_memory(call.thread, to, list.data(), list.size() * sizeof(ifreq)))
    return EFAULT;
  asked.ifc_len = static_cast<int>(list.size() * sizeof(ifreq));
  return write_value(call.thread, call.arguments[2], asked) ? 0 : EFAULT;
}

}  // namespace

void Supervisor::control_device(const Call& call, const VirtualSocket* socket) {
  const unsigned long request = call.arguments[1] & 0xffffffff;
  int error = 0;
  if (request == SIOCATMARK && socket != nullptr && socket->is_stream()) {
    call.listener->let_run(call);  // of the pair (urgent.cc)
    return;
  }
  if (request == SIOCGIFCONF) {
    error = list_interfaces(host_.namespace_socket, host_.sockets->stack().interfaces(), call);
  } else if (only_looks(request)) {
    error = look(host_.namespace_socket, host_.sockets->stack().interfaces(), call, request);
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
