// SPDX-License-Identifier: Apache-2.0
// One end of a TCP stream through the kernel: the peer of benchmarks that leave this process.
#pragma once

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "bench/measure.hh"

namespace lanyard::bench {

inline int checked(int result, const char* what) {
  if (result < 0) give_up(fmt::format("{}: {}", what, std::strerror(errno)));
  return result;
}

inline sockaddr* generic(sockaddr_in& address) {
  return static_cast<sockaddr*>(static_cast<void*>(&address));
}

inline sockaddr_in endpoint(const char* address, std::uint16_t port) {
  sockaddr_in made{};
  made.sin_family = AF_INET;
  inet_pton(AF_INET, address, &made.sin_addr);
  made.sin_port = htons(port);
  return made;
}

// Takes one connection, reads `bytes`, and answers with one octet.
inline void serve_stream(std::uint16_t port, std::uint64_t bytes) {
  sockaddr_in address = endpoint("0.0.0.0", port);
  const int listener = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  checked(bind(listener, generic(address), sizeof address), "bind");
  checked(listen(listener, 1), "listen");
  const int from = checked(accept(listener, nullptr, nullptr), "accept");
  std::vector<char> buffer(64 * 1024);
  while (bytes > 0) {
    const ssize_t got = read(from, buffer.data(), buffer.size());
    if (got <= 0) give_up("the stream ended early");
    bytes -= std::min<std::uint64_t>(bytes, static_cast<std::uint64_t>(got));
  }
  checked(static_cast<int>(write(from, "x", 1)), "write");
}

// Gbit/s of `bytes` sent there until they are answered. The server may not be up yet.
inline double send_stream(const char* server, std::uint16_t port, std::uint64_t bytes) {
  sockaddr_in address = endpoint(server, port);
  int to = -1;
  for (int tries = 0; to < 0; ++tries) {
    to = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
    if (connect(to, generic(address), sizeof address) == 0) break;
    close(to);
    to = -1;
    if (tries == 200) give_up("the server does not answer");
    usleep(10'000);
  }
  std::vector<char> span(64 * 1024, 'x');
  const double start = seconds_now();
  for (std::uint64_t left = bytes; left > 0;) {
    const ssize_t sent = write(to, span.data(), std::min<std::uint64_t>(left, span.size()));
    if (sent <= 0) give_up("the stream broke");
    left -= static_cast<std::uint64_t>(sent);
  }
  char answer = 0;
  checked(static_cast<int>(read(to, &answer, 1)), "read");
  return static_cast<double>(bytes) * 8 / (seconds_now() - start) / 1e9;
}

}  // namespace lanyard::bench
