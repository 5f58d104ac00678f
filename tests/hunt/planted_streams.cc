// SPDX-License-Identifier: Apache-2.0
// Bugs over TCP.
#include <fmt/format.h>

#include "application/resolver.hh"
#include "planted_parts.hh"

namespace lanyard::planted {

using socket::Process;
using socket::Shutdown;
using socket::Socket;
using socket::Type;

// Takes one request a connection. The bug: a peer whose end of stream has come is taken to be gone,
// though it may have shut down only its own direction and still wait for the answer.
int half_close_server(Process& process, std::span<const std::string> /*words*/) {
  Socket listener = listen_on(process, 80);
  while (true) {
    auto peer = listener.accept();
    if (!peer) return 1;
    process.spawn([handle = peer->release()](Process& own) {
      Socket socket(own, handle);
      const auto request = socket.recv(std::size_t{100});
      if (!request || request->empty()) return;
      own.sleep(Duration::milliseconds(10));  // the work
      if (own.sockets().readiness(socket.handle()).read_closed) return;
      (void)socket.send("answer\n");
    });
  }
}

int half_close_client(Process& process, std::span<const std::string> words) {
  auto socket = application::connect_to(process, words[1], 80, Family::ipv4);
  if (!socket || !socket->send("request\n")) return 2;
  process.sleep(Duration::milliseconds(200));
  (void)socket->shutdown(Shutdown::write);
  const auto answer = socket->recv(std::size_t{100});
  return answer && *answer == "answer\n" ? 0 : 1;
}

// Counts messages of 100 bytes. The bug: what one read gives is taken for one message.
int short_read_server(Process& process, std::span<const std::string> /*words*/) {
  Socket listener = listen_on(process, 90);
  auto peer = listener.accept();
  if (!peer) return 1;
  int messages = 0;
  while (true) {
    const auto some = peer->recv(std::size_t{4096});
    if (!some || some->empty()) break;
    ++messages;
  }
  process.print(1, fmt::format("{} messages\n", messages));
  return messages == 5 ? 0 : 1;
}

int short_read_client(Process& process, std::span<const std::string> words) {
  auto socket = application::connect_to(process, words[1], 90, Family::ipv4);
  if (!socket) return 0;  // the server is what is judged
  for (int i = 0; i < 5; ++i) {
    if (!socket->send(std::string(100, 'm'))) return 0;
    process.sleep(Duration::milliseconds(150));
  }
  return 0;
}

}  // namespace lanyard::planted
