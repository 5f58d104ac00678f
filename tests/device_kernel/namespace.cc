// SPDX-License-Identifier: Apache-2.0
#include "namespace.hh"

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

namespace lanyard::device_kernel {
namespace {

void write_file(const char* path, const std::string& text) {
  std::ofstream(path) << text;
}

std::string enter() {
  if (::access("/dev/net/tun", R_OK | W_OK) != 0) return "/dev/net/tun is not there or not ours";
  const uid_t user = ::getuid();
  const gid_t group = ::getgid();
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
    return fmt::format("no namespaces of one's own: unshare: {}", std::strerror(errno));
  }
  write_file("/proc/self/setgroups", "deny");
  write_file("/proc/self/uid_map", fmt::format("0 {} 1", user));
  write_file("/proc/self/gid_map", fmt::format("0 {} 1", group));
  if (run("ip link set lo up") != 0) return "ip(8) does not work in a namespace of one's own";
  return {};
}

// Which user namespace: the first one maps every number to itself.
bool is_first_user_namespace() {
  std::ifstream map("/proc/self/uid_map");
  std::uint64_t inside = 1, outside = 1, count = 0;
  map >> inside >> outside >> count;
  return inside == 0 && outside == 0 && count == UINT32_MAX;
}

std::string enter_network() {
  if (::getuid() != 0 || !is_first_user_namespace()) return "needs root outside user namespaces";
  if (::unshare(CLONE_NEWNET) != 0) {
    return fmt::format("no network namespace of one's own: unshare: {}", std::strerror(errno));
  }
  return run("ip link set lo up") == 0 ? "" : "ip(8) does not work in a namespace of one's own";
}

}  // namespace

const std::string& enter_network_namespace() {
  static const std::string reason = enter_network();
  return reason;
}

const std::string& enter_namespace() {
  static const std::string reason = enter();
  return reason;
}

int run(const std::string& command) {
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace lanyard::device_kernel
