// SPDX-License-Identifier: Apache-2.0
// inet_diag's filters: steps that each say how far to go on if they hold, and how far if not;
// passing is to arrive exactly at the end.
#include <linux/inet_diag.h>
#include <sys/socket.h>

#include <cstring>

#include "guest/sock_diag.hh"

namespace lanyard::guest {

namespace {

struct Step {
  inet_diag_bc_op op{};
  Bytes rest;  // of the program, behind the step
};

// A port is in the number of the next step.
Result<bool> compare_port(const Step& step, std::uint16_t port) {
  inet_diag_bc_op number{};
  if (step.rest.size() < sizeof number) return unexpected(Errno::invalid);
  std::memcpy(&number, step.rest.data(), sizeof number);
  switch (step.op.code) {
    case INET_DIAG_BC_S_GE:
    case INET_DIAG_BC_D_GE:
      return port >= number.no;
    case INET_DIAG_BC_S_LE:
    case INET_DIAG_BC_D_LE:
      return port <= number.no;
    default:
      return port == number.no;
  }
}

bool has_prefix(Bytes address, Bytes prefix, std::size_t bits) {
  for (std::size_t bit = 0; bit < bits; ++bit) {
    if (((address[bit / 8] ^ prefix[bit / 8]) >> (7 - bit % 8) & 1) != 0) return false;
  }
  return true;
}

// A family, a prefix and a port, any of which may be left open.
Result<bool> compare_host(const Step& step, const Endpoint& end, int family) {
  inet_diag_hostcond wanted{};
  if (step.rest.size() < sizeof wanted) return unexpected(Errno::invalid);
  std::memcpy(&wanted, step.rest.data(), sizeof wanted);
  const std::size_t bytes = wanted.family == AF_INET ? 4 : wanted.family == AF_INET6 ? 16 : 0;
  const Bytes prefix = step.rest.subspan(sizeof wanted);
  if (wanted.prefix_len > bytes * 8 || prefix.size() < bytes) return unexpected(Errno::invalid);
  if (wanted.port != -1 && wanted.port != end.port) return false;
  if (wanted.family == AF_UNSPEC) return true;
  const bool is_mapped = family == AF_INET6 && end.address.is_v4();
  if (is_mapped && wanted.family == AF_INET6) return wanted.prefix_len == 0;
  if (end.address.is_v4() != (wanted.family == AF_INET)) return false;
  return has_prefix(end.address.wire_bytes(), prefix, wanted.prefix_len);
}

Result<bool> compare_device(const Step& step, const Endpoint& local) {
  std::uint32_t index = 0;
  if (step.rest.size() < sizeof index) return unexpected(Errno::invalid);
  std::memcpy(&index, step.rest.data(), sizeof index);
  return index == local.interface;
}

Result<bool> holds(const Step& step, const DiagnosedSocket& socket) {
  const socket::SocketRow& row = socket.row;
  switch (step.op.code) {
    case INET_DIAG_BC_NOP:
      return true;
    case INET_DIAG_BC_JMP:
      return false;
    case INET_DIAG_BC_S_GE:
    case INET_DIAG_BC_S_LE:
    case INET_DIAG_BC_S_EQ:
      return compare_port(step, row.local.port);
    case INET_DIAG_BC_D_GE:
    case INET_DIAG_BC_D_LE:
    case INET_DIAG_BC_D_EQ:
      return compare_port(step, row.peer.port);
    case INET_DIAG_BC_S_COND:
      return compare_host(step, row.local, socket.family);
    case INET_DIAG_BC_D_COND:
      return compare_host(step, row.peer, socket.family);
    case INET_DIAG_BC_DEV_COND:
      return compare_device(step, row.local);
    default:
      return unexpected(Errno::invalid);
  }
}

}  // namespace

Result<bool> passes_filter(Bytes filter, const DiagnosedSocket& socket) {
  while (!filter.empty()) {
    Step step;
    if (filter.size() < sizeof step.op) return unexpected(Errno::invalid);
    std::memcpy(&step.op, filter.data(), sizeof step.op);
    step.rest = filter.subspan(sizeof step.op);
    const auto decided = holds(step, socket);
    if (!decided) return decided;
    const std::size_t forward = *decided ? step.op.yes : step.op.no;
    // Four bytes behind the end is how a program says no.
    if (forward == filter.size() + sizeof step.op) return false;
    const bool is_step = forward >= sizeof step.op && forward % 4 == 0 && forward <= filter.size();
    if (!is_step) return unexpected(Errno::invalid);
    filter = filter.subspan(forward);
  }
  return true;
}

}  // namespace lanyard::guest
