// SPDX-License-Identifier: Apache-2.0
// What the planted programs share, and their list (planted.cc).
#pragma once

#include <optional>
#include <span>
#include <string>

#include "socket/process.hh"

namespace lanyard::planted {

using Words = std::span<const std::string>;

[[nodiscard]] socket::Socket listen_on(socket::Process& process, Port port);
// A UDP socket on a port of its own, which waits so long for an answer.
[[nodiscard]] socket::Socket datagrams_on(socket::Process& process, Port port,
                                          Duration timeout = Duration::infinite());
struct Datagram {
  std::string text;
  Endpoint from;
};
[[nodiscard]] std::optional<Datagram> receive(socket::Socket& socket);
// Waits until `end` at most.
[[nodiscard]] std::optional<Datagram> receive_until(socket::Process& process,
                                                    socket::Socket& socket, Instant end);
[[nodiscard]] Endpoint endpoint_of(socket::Process& process, const std::string& name, Port port);

int half_close_server(socket::Process& process, Words words);
int half_close_client(socket::Process& process, Words words);
int short_read_server(socket::Process& process, Words words);
int short_read_client(socket::Process& process, Words words);
int ask_once(socket::Process& process, Words words);
int elect(socket::Process& process, Words words);
int counter_server(socket::Process& process, Words words);
int counter_client(socket::Process& process, Words words);
int order_server(socket::Process& process, Words words);
int order_client(socket::Process& process, Words words);
int registry(socket::Process& process, Words words);
int moving_service(socket::Process& process, Words words);
int caching_client(socket::Process& process, Words words);
int heart(socket::Process& process, Words words);
int monitor(socket::Process& process, Words words);
int chunk_server(socket::Process& process, Words words);
int chunk_client(socket::Process& process, Words words);

}  // namespace lanyard::planted
