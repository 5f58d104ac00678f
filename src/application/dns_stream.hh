// SPDX-License-Identifier: Apache-2.0
// DNS messages over TCP: two bytes of length, then the message (RFC 1035 4.2.2, RFC 7766).
#pragma once

#include <optional>
#include <vector>

#include "socket/process.hh"

namespace lanyard::application {

// The next message; nothing at the end, on an error or after the socket's time-out.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> receive_dns_message(socket::Socket& socket);
// False if it could not be sent. A message has at most 65535 bytes.
bool send_dns_message(socket::Socket& socket, Bytes message);

}  // namespace lanyard::application
