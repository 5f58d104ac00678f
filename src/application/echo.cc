// SPDX-License-Identifier: Apache-2.0
// RFC 862 over both transports. One dual-stack socket each, a task for every connection.
#include <fmt/format.h>

#include "application/programs.hh"
#include "application/resolver.hh"

namespace lanyard::application {

namespace {

using socket::Option;
using socket::Process;
using socket::Socket;
using socket::Type;

constexpr std::size_t buffer_bytes = 65536;

void echo_stream(Process& process, socket::Handle handle) {
  Socket peer(process, handle);
  while (true) {
    const auto text = peer.recv(buffer_bytes);
    if (!text || text->empty() || !peer.send(*text)) return;
  }
}

void echo_datagrams(Process& process, Port port) {
  Socket socket(process, Family::ipv6, Type::datagram);
  if (!socket.bind({IpAddress::any(Family::ipv6), port})) return;
  std::vector<std::uint8_t> buffer(buffer_bytes);
  while (true) {
    const auto received = socket.recvfrom(buffer);
    if (received) {
      (void)socket.sendto(Bytes(buffer).first(received->bytes), received->facts.peer);
    }
  }
}

int serve(Process& process, Port port) {
  Socket listener(process, Family::ipv6, Type::stream);
  (void)listener.set_option(Option::reuse_address, std::int64_t{1});
  if (const auto bound = listener.bind({IpAddress::any(Family::ipv6), port}); !bound) {
    process.print(2, fmt::format("echo: port {}: {}\n", port, errno_text(bound.error())));
    return 1;
  }
  (void)listener.listen(128);
  process.spawn([port](Process& own) { echo_datagrams(own, port); });
  while (true) {
    auto peer = listener.accept();
    if (!peer) return 1;
    process.spawn([handle = peer->release()](Process& own) { echo_stream(own, handle); });
  }
}

// Keeps a connection idle, probing after a minute (RFC 9293 3.8.4), and checks that it is still
// alive.
Result<void> hold(Process& process, Socket& socket, Duration duration) {
  if (duration == Duration::zero()) return {};
  (void)socket.set_option(Option::keep_alive, std::int64_t{1});
  (void)socket.set_option(Option::keep_idle, std::int64_t{60});
  process.sleep(duration);
  return {};
}

int send_stream(Process& process, const Arguments& arguments, Port port, const std::string& text,
                Duration held) {
  auto socket = connect_to(process, arguments.words()[1], port, wanted_family(arguments));
  if (!socket) {
    process.print(2, fmt::format("echo: {}\n", socket.error()));
    return 1;
  }
  if (!hold(process, *socket, held) || !socket->send(text)) return 1;
  std::string back;
  while (back.size() < text.size()) {
    const auto some = socket->recv(text.size() - back.size());
    if (!some || some->empty()) break;
    back += *some;
  }
  process.print(1, back + "\n");
  return back == text ? 0 : 1;
}

int send_datagram(Process& process, const Arguments& arguments, Port port,
                  const std::string& text) {
  const auto addresses = resolve(process, arguments.words()[1], wanted_family(arguments));
  if (!addresses) {
    process.print(2, fmt::format("echo: {}\n", addresses.error()));
    return 1;
  }
  const Endpoint peer{addresses->front(), port};
  Socket socket(process, peer.address.family(), Type::datagram);
  socket.set_timeout(Duration::seconds(1));
  if (const auto connected = socket.connect(peer); !connected) {
    process.print(2, fmt::format("echo: {}\n", errno_text(connected.error())));
    return 1;
  }
  constexpr int tries = 5;  // UDP promises nothing
  for (int attempt = 0; attempt < tries; ++attempt) {
    (void)socket.send(text);
    const auto back = socket.recv(buffer_bytes);
    if (back && *back == text) {
      process.print(1, *back + "\n");
      return 0;
    }
  }
  process.print(2, fmt::format("echo: no answer from {}\n", to_text(peer)));
  return 1;
}

}  // namespace

int echo(Process& process, std::span<const std::string> all) {
  Arguments arguments(all.subspan(1), {.with_value = {"--port", "--hold"},
                                       .without_value = {"--udp", "-4", "-6"},
                                       .words_min = 1,
                                       .words_max = 64});
  const auto port = static_cast<Port>(arguments.number("--port", 7, 1, 65535));
  const auto held = arguments.number("--hold", 0, 0, 1'000'000'000);
  if (!arguments.problem().empty()) return wrong_usage(process, "echo", arguments.problem());
  const auto& words = arguments.words();
  if (words[0] == "serve" && words.size() == 1) return serve(process, port);
  if (words[0] != "send" || words.size() < 3) {
    return wrong_usage(process, "echo", "say 'serve', or 'send HOST TEXT'");
  }
  const std::string text = fmt::format("{}", fmt::join(words.begin() + 2, words.end(), " "));
  if (arguments.has("--udp")) return send_datagram(process, arguments, port, text);
  return send_stream(process, arguments, port, text,
                     Duration::seconds(static_cast<std::int64_t>(held)));
}

}  // namespace lanyard::application
