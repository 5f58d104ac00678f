// SPDX-License-Identifier: Apache-2.0
// What ss(8) asks: messages of sock_diag(7) about a virtual host's sockets, and the answers. Only
// the bytes; guest/diagnosis.hh gives them to programs.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "socket/sockets.hh"

namespace lanyard::guest {

struct DiagnosedSocket {
  socket::SocketRow row;
  int family = 0;  // AF_INET, AF_INET6
  std::uint32_t inode = 0;
  std::uint32_t receive_buffer = 0, send_buffer = 0;
  bool v6_only = false;
  std::string congestion;
  std::function<std::optional<socket::TcpInfo>()> tcp_info;  // asked only if the program does
};

// The answers to what one program's datagram asks, each a datagram of its own; the last says that
// there are no more, or which errno a request met (no_such_entry: a family that is not IP).
[[nodiscard]] std::vector<std::string> answer_diagnosis(
    Bytes requests, std::uint32_t port, const std::vector<DiagnosedSocket>& sockets);

// The filter language of inet_diag (linux/inet_diag.h): whether a program of `filter` lets the
// socket pass. Errors: invalid, a program that is not well-formed or asks for what is not known.
[[nodiscard]] Result<bool> passes_filter(Bytes filter, const DiagnosedSocket& socket);

}  // namespace lanyard::guest
