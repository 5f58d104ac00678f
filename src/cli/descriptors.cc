// SPDX-License-Identifier: Apache-2.0
#include "cli/descriptors.hh"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace lanyard::cli {
namespace {

constexpr std::size_t descriptors_max = 8;
constexpr std::size_t control_size = CMSG_SPACE(sizeof(int) * descriptors_max);

void take_descriptors(msghdr& message, std::vector<Descriptor>& descriptors) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(part) + i * sizeof number, sizeof number);
      descriptors.emplace_back(number);
    }
  }
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) close(number_);
}

ssize_t receive_with_descriptors(int socket, std::string& bytes,
                                 std::vector<Descriptor>& descriptors) {
  std::array<char, 65536> buffer;
  alignas(cmsghdr) std::array<char, control_size> control;
  iovec data{buffer.data(), buffer.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (got < 0) return got;
  take_descriptors(message, descriptors);
  bytes.append(buffer.data(), static_cast<std::size_t>(got));
  return got;
}

bool send_with_descriptors(int socket, std::string_view bytes, std::span<const int> descriptors) {
  alignas(cmsghdr) std::array<char, control_size> control{};
  iovec data{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (!descriptors.empty() && descriptors.size() <= descriptors_max) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(part), descriptors.data(), descriptors.size_bytes());
  }
  while (data.iov_len != 0) {
    const ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    data.iov_base = static_cast<char*>(data.iov_base) + sent;
    data.iov_len -= static_cast<std::size_t>(sent);
    message.msg_control = nullptr;  // they went with the first byte
    message.msg_controllen = 0;
  }
  return true;
}

}  // namespace lanyard::cli
