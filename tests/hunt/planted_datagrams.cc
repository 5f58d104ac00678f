// SPDX-License-Identifier: Apache-2.0
// Bugs over UDP.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "planted_parts.hh"

namespace lanyard::planted {

using socket::Process;
using socket::Socket;

// The bug: UDP promises nothing, and it asks once.
int ask_once(Process& process, Words words) {
  Socket socket = datagrams_on(process, 4000, Duration::seconds(1));
  (void)socket.sendto(bytes_of("hello"), endpoint_of(process, words[1], 7));
  const auto answer = receive(socket);
  return answer && answer->text == "hello" ? 0 : 1;
}

// elect OWN OTHER..: the lowest address of those it hears leads, if it hears a majority; a node
// that has just lost its leader waits before it leads. The bug: that it hears them does not mean
// that they hear it.
int elect(Process& process, Words words) {
  constexpr Duration beat = Duration::milliseconds(100), silent = Duration::milliseconds(500),
                     lease = Duration::milliseconds(800), lasts = Duration::seconds(12);
  Socket socket = datagrams_on(process, 5000);
  std::map<std::string, Instant> heard;
  for (const std::string& other : words.subspan(2)) heard[other] = Instant::start();
  const Instant end = process.now() + lasts;
  Instant next = process.now(), may_lead_from = process.now() + lease;
  bool leads = false;
  while (process.now() < end) {
    const Instant fresh_from = process.now() - silent;
    std::string leader = words[1];
    std::size_t alive = 1;
    for (const auto& [other, at] : heard) {
      if (at <= fresh_from || at == Instant::start()) continue;
      ++alive;
      leader = std::min(leader, other);
    }
    const bool should_lead = leader == words[1] && 2 * alive > words.size() - 1;
    if (!should_lead) may_lead_from = process.now() + lease;
    leads = should_lead && process.now() >= may_lead_from;
    if (process.now() >= next) {
      next += beat;
      for (const auto& [other, at] : heard)
        (void)socket.sendto(bytes_of(leads ? "lead" : "here"), endpoint_of(process, other, 5000));
    }
    const auto datagram = receive_until(process, socket, next);
    if (!datagram) continue;
    heard[to_text(datagram->from.address)] = process.now();
    if (datagram->text == "lead" && leads) {
      process.print(2, "two leaders\n");
      return 3;
    }
  }
  return 0;
}

// Adds one for each request. The bug: a request sent again is counted again.
int counter_server(Process& process, Words /*words*/) {
  Socket socket = datagrams_on(process, 6000);
  int total = 0;
  while (true) {
    const auto request = receive(socket);
    if (!request) return 1;
    if (request->text.starts_with("add")) ++total;
    (void)socket.sendto(bytes_of(fmt::format("{} {}", request->text, total)), request->from);
  }
}

// Sends a request until it is answered.
std::string insist(Process& process, Socket& socket, const std::string& request,
                   const Endpoint& server) {
  for (int attempt = 0; attempt < 60; ++attempt) {
    (void)socket.sendto(bytes_of(request), server);
    const Instant end = process.now() + Duration::milliseconds(500);
    while (const auto answer = receive_until(process, socket, end))
      if (answer->text.starts_with(request + " ")) return answer->text.substr(request.size() + 1);
  }
  return "nothing";
}

int counter_client(Process& process, Words words) {
  Socket socket = datagrams_on(process, 6001);
  const Endpoint server = endpoint_of(process, words[1], 6000);
  for (int i = 0; i < 3; ++i) (void)insist(process, socket, fmt::format("add {}", i), server);
  return insist(process, socket, "total", server) == "3" ? 0 : 1;
}

// The bug: the value that comes last is taken for the latest.
int order_server(Process& process, Words /*words*/) {
  Socket socket = datagrams_on(process, 6100);
  std::string value = "none";
  while (true) {
    const auto request = receive(socket);
    if (!request) return 1;
    if (request->text.starts_with("set ")) value = request->text.substr(4);
    (void)socket.sendto(bytes_of(request->text + " " + value), request->from);
  }
}

// Each value is sent three times, so that losing one does no harm.
int order_client(Process& process, Words words) {
  Socket socket = datagrams_on(process, 6101);
  const Endpoint server = endpoint_of(process, words[1], 6100);
  for (const char* request : {"set old", "set old", "set old", "set new", "set new", "set new"}) {
    (void)socket.sendto(bytes_of(request), server);
    process.sleep(Duration::milliseconds(40));
  }
  process.sleep(Duration::seconds(15));
  const std::string value = insist(process, socket, "get", server);
  return value == "new" || value == "none" ? 0 : 1;
}

// Says where the service is: at the first address until 3 s, then at the second.
int registry(Process& process, Words words) {
  Socket socket = datagrams_on(process, 6200);
  while (true) {
    const auto request = receive(socket);
    if (!request) return 1;
    const bool has_moved = process.now() >= Instant::start() + Duration::seconds(3);
    (void)socket.sendto(bytes_of("where " + words[has_moved ? 2 : 1]), request->from);
  }
}

// moving-service here|there: answers while it is its turn, and says "moved" otherwise.
int moving_service(Process& process, Words words) {
  Socket socket = datagrams_on(process, 6300);
  while (true) {
    const auto request = receive(socket);
    if (!request) return 1;
    const bool is_late = process.now() >= Instant::start() + Duration::seconds(3);
    const bool is_here = is_late == (words[1] == "there");
    (void)socket.sendto(bytes_of(request->text + (is_here ? " ok" : " moved")), request->from);
  }
}

// Looks the service up once, and again when it is told that it moved. The bug: silence is taken for
// a fault of the network, for which the old address is kept for good.
int caching_client(Process& process, Words words) {
  Socket socket = datagrams_on(process, 6301);
  std::string address;
  bool is_pinned = false;
  bool is_served = false;
  for (int i = 0; i < 20; ++i) {
    if (address.empty())
      address = insist(process, socket, "where", endpoint_of(process, words[1], 6200));
    (void)socket.sendto(bytes_of(fmt::format("call {}", i)), endpoint_of(process, address, 6300));
    const auto answer = receive_until(process, socket, process.now() + Duration::milliseconds(400));
    is_served = answer && answer->text.ends_with(" ok");
    if (!answer) is_pinned = true;
    if (answer && answer->text.ends_with(" moved") && !is_pinned) address.clear();
    process.sleep(Duration::milliseconds(400));
  }
  process.sleep(Duration::seconds(10));
  return is_served || !is_pinned ? 0 : 1;
}

int heart(Process& process, Words words) {
  Socket socket = datagrams_on(process, 6400);
  for (int i = 0; i < 60; ++i) {
    (void)socket.sendto(bytes_of("beat"), endpoint_of(process, words[1], 6401));
    process.sleep(Duration::milliseconds(200));
  }
  return 0;
}

// The bug: one beat that is late is death.
int monitor(Process& process, Words /*words*/) {
  Socket socket = datagrams_on(process, 6401);
  if (!receive(socket)) return 1;
  for (int i = 0; i < 50; ++i)
    if (!receive_until(process, socket, process.now() + Duration::milliseconds(250))) {
      process.print(1, "it is dead\n");
      return 1;
    }
  return 0;
}

constexpr int file_bytes = 2'300, chunk_bytes = 500;

// Answers "at N" with as much of the file as is left from there, a chunk at most.
int chunk_server(Process& process, Words /*words*/) {
  Socket socket = datagrams_on(process, 6500);
  while (true) {
    const auto request = receive(socket);
    if (!request) return 1;
    const int at = std::stoi(request->text.substr(3));
    const int size = std::clamp(file_bytes - at, 0, chunk_bytes);
    (void)socket.sendto(bytes_of(std::string(static_cast<std::size_t>(size), 'f')), request->from);
  }
}

// The bug: a download that was interrupted is resumed in whole chunks, so that what is less than a
// chunk at the end is never asked for.
int chunk_client(Process& process, Words words) {
  Socket socket = datagrams_on(process, 6501);
  const Endpoint server = endpoint_of(process, words[1], 6500);
  int at = 0;
  for (bool was_interrupted = false; at < file_bytes;) {
    if (was_interrupted && file_bytes - at < chunk_bytes) break;
    (void)socket.sendto(bytes_of(fmt::format("at {}", at)), server);
    const auto chunk = receive_until(process, socket, process.now() + Duration::milliseconds(400));
    was_interrupted = !chunk;
    if (chunk && static_cast<int>(chunk->text.size()) == std::min(chunk_bytes, file_bytes - at))
      at += static_cast<int>(chunk->text.size());
  }
  return at == file_bytes ? 0 : 1;
}

}  // namespace lanyard::planted
