// SPDX-License-Identifier: Apache-2.0
#include "application/dns_stream.hh"

namespace lanyard::application {

namespace {

bool receive_exactly(socket::Socket& socket, MutableBytes bytes) {
  while (!bytes.empty()) {
    const auto some = socket.recv(bytes);
    if (!some || *some == 0) return false;
    bytes = bytes.subspan(*some);
  }
  return true;
}

}  // namespace

std::optional<std::vector<std::uint8_t>> receive_dns_message(socket::Socket& socket) {
  std::array<std::uint8_t, 2> length{};
  if (!receive_exactly(socket, length)) return std::nullopt;
  std::vector<std::uint8_t> message(load16(length.data()));
  if (!receive_exactly(socket, message)) return std::nullopt;
  return message;
}

bool send_dns_message(socket::Socket& socket, Bytes message) {
  std::vector<std::uint8_t> framed(2 + message.size());
  store16(framed.data(), static_cast<std::uint16_t>(message.size()));
  std::copy(message.begin(), message.end(), framed.begin() + 2);
  return socket.send(Bytes(framed)).has_value();
}

}  // namespace lanyard::application
