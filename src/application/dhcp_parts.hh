// SPDX-License-Identifier: Apache-2.0
// What the programs around the DHCP client, server and relay share; for dhcp*.cc only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "application/arguments.hh"
#include "socket/process.hh"

namespace lanyard::application::dhcp_parts {

inline constexpr std::size_t buffer_bytes = 1500;

// Prints the problem; returns 1, the exit status.
int fail(socket::Process& process, std::string_view problem);
[[nodiscard]] std::optional<IpAddress> v4_in(const std::string& text);
// "for 3600s", "for ever".
[[nodiscard]] std::string lasts(Duration duration);
// 255.255.255.255.
[[nodiscard]] IpAddress everybody();

// A socket for DHCP on one interface (0: all).
[[nodiscard]] Result<socket::Socket> dhcp_socket(socket::Process& process, Port port,
                                                 std::uint32_t interface);
// Sends from `source` (unspecified: chosen) through `interface` (0: chosen). What cannot be sent is
// sent again later by whoever wants it answered.
void send(socket::Process& process, const socket::Socket& socket, Bytes message, const Endpoint& to,
          std::uint32_t interface = 0, const IpAddress& source = IpAddress());

// Is the address free on the link (RFC 5227 2.1, RFC 4862 5.4)? Then the interface has it from now
// on. Waits for the answer.
[[nodiscard]] bool take_if_free(socket::Process& process, std::uint32_t interface,
                                const IpPrefix& address);

// RFC 5227 2.4 [RFC5227-2.4-b]: connections from the address are reset while that can still be
// said, then it goes.
void give_up(socket::Process& process, std::uint32_t interface, const IpAddress& address);

int run_server(socket::Process& process, Arguments& arguments);
int run_relay(socket::Process& process, const Arguments& arguments);

}  // namespace lanyard::application::dhcp_parts
