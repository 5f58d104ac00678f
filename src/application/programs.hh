// SPDX-License-Identifier: Apache-2.0
// The programs built into Lanyard, by the names a lab file uses: `run: http serve`. Each is a plain
// function over blocking sockets (socket/process.hh), so it runs in virtual and in real time alike.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "application/arguments.hh"
#include "socket/process.hh"

namespace lanyard::application {

struct ProgramInfo {
  std::string_view name;
  std::string_view usage;    // one line per form
  std::string_view purpose;  // one sentence
  int (*run)(socket::Process&, std::span<const std::string> arguments);
};

// All of them, by name. The name server is not here: it needs a zone (application/dns_server.hh).
[[nodiscard]] std::span<const ProgramInfo> programs();
// The program called `name`, or null.
[[nodiscard]] const ProgramInfo* find_program(std::string_view name);

// Prints "NAME: problem" and the usage to standard error; returns 2, the exit status for a wrong
// command line.
int wrong_usage(socket::Process& process, std::string_view name, std::string_view problem);

// The family that -4 or -6 asks for, if any.
[[nodiscard]] std::optional<Family> wanted_family(const Arguments& arguments);

// arguments[0] is the program's own name in all of these, as in main().
int course_tcp_client(socket::Process& process, std::span<const std::string> arguments);
int course_tcp_server(socket::Process& process, std::span<const std::string> arguments);
int course_udp_client(socket::Process& process, std::span<const std::string> arguments);
int course_udp_server(socket::Process& process, std::span<const std::string> arguments);
int bulk(socket::Process& process, std::span<const std::string> arguments);
int dhcp(socket::Process& process, std::span<const std::string> arguments);
int dhcp6(socket::Process& process, std::span<const std::string> arguments);
int echo(socket::Process& process, std::span<const std::string> arguments);
int http(socket::Process& process, std::span<const std::string> arguments);
int link_local(socket::Process& process, std::span<const std::string> arguments);
int lookup(socket::Process& process, std::span<const std::string> arguments);
int ping(socket::Process& process, std::span<const std::string> arguments);
int traceroute(socket::Process& process, std::span<const std::string> arguments);

}  // namespace lanyard::application
