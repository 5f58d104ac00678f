// SPDX-License-Identifier: Apache-2.0
#include "guest/wire_messages.hh"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace lanyard::guest {

namespace {

constexpr std::size_t descriptors_max = 16;

bool send_all(int socket, const char* from, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = send(socket, from, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    from += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

bool receive_all(int socket, char* to, std::size_t size) {
  while (size > 0) {
    const ssize_t got = recv(socket, to, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    to += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

void take_descriptors(msghdr& header, std::vector<Descriptor>& into) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(part) + i * sizeof number, sizeof number);
      into.emplace_back(number);
    }
  }
}

void put(std::string& to, const std::string& text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  char bytes[sizeof size];
  std::memcpy(bytes, &size, sizeof size);
  to.append(bytes, sizeof size);
  to += text;
}

std::string take(const std::string& from, std::size_t& at) {
  std::uint32_t size = 0;
  if (from.size() - at < sizeof size) return {};
  std::memcpy(&size, from.data() + at, sizeof size);
  at += sizeof size;
  std::string text = from.substr(at, size);
  at += text.size();
  return text;
}

void put_list(std::string& to, const std::vector<std::string>& list) {
  put(to, std::to_string(list.size()));
  for (const std::string& text : list) put(to, text);
}

std::vector<std::string> take_list(const std::string& from, std::size_t& at) {
  std::vector<std::string> list(std::stoul("0" + take(from, at)));
  for (std::string& text : list) text = take(from, at);
  return list;
}

}  // namespace

bool send_message(int socket, const std::string& text, const std::vector<int>& descriptors) {
  auto size = static_cast<std::uint32_t>(text.size());
  iovec part{&size, sizeof size};
  alignas(cmsghdr) char control[CMSG_SPACE(descriptors_max * sizeof(int))] = {};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!descriptors.empty()) {
    const std::size_t bytes = descriptors.size() * sizeof(int);
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(bytes);
    cmsghdr* first = CMSG_FIRSTHDR(&header);
    first->cmsg_level = SOL_SOCKET;
    first->cmsg_type = SCM_RIGHTS;
    first->cmsg_len = CMSG_LEN(bytes);
    std::memcpy(CMSG_DATA(first), descriptors.data(), bytes);
  }
  if (sendmsg(socket, &header, MSG_NOSIGNAL) != static_cast<ssize_t>(sizeof size)) return false;
  return send_all(socket, text.data(), text.size());
}

Message receive_message(int socket, int timeout_ms) {
  pollfd wait{socket, POLLIN, 0};
  int ready = 0;
  do {
    ready = poll(&wait, 1, timeout_ms);
  } while (ready < 0 && errno == EINTR);
  Message message;
  if (ready <= 0) return message;
  std::uint32_t size = 0;
  iovec part{&size, sizeof size};
  alignas(cmsghdr) char control[CMSG_SPACE(descriptors_max * sizeof(int))];
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t got = 0;
  do {
    got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof size)) return message;
  take_descriptors(header, message.descriptors);
  message.text.resize(size);
  if (!receive_all(socket, message.text.data(), size)) message.text.clear();
  return message;
}

std::string pack(const ProgramOrder& order) {
  std::string text;
  put_list(text, order.arguments);
  put_list(text, order.environment);
  put(text, order.directory);
  for (const bool flag : {order.is_filtered, order.without_namespaces, order.pretends_ids,
                          order.wait_killable, order.drops_powers, order.sees_outer_processes})
    text += flag ? '1' : '0';
  return text;
}

ProgramOrder unpack(const std::string& text) {
  ProgramOrder order;
  std::size_t at = 0;
  order.arguments = take_list(text, at);
  order.environment = take_list(text, at);
  order.directory = take(text, at);
  const auto flag = [&] { return at < text.size() && text[at++] == '1'; };
  order.is_filtered = flag();
  order.without_namespaces = flag();
  order.pretends_ids = flag();
  order.wait_killable = flag();
  order.drops_powers = flag();
  order.sees_outer_processes = flag();
  return order;
}

}  // namespace lanyard::guest
