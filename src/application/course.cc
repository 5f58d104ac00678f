// SPDX-License-Identifier: Apache-2.0
// The course's socket programs, step for step as examples/course/*.py: socket, bind, listen,
// accept, recv, send, close.
#include <fmt/format.h>

#include "application/programs.hh"
#include "application/resolver.hh"

namespace lanyard::application {

namespace {

using socket::Process;
using socket::Socket;
using socket::Type;

constexpr Port course_port = 8888;

int fail(Process& process, std::string_view call, Errno error) {
  process.print(2, fmt::format("{}: {}\n", call, errno_text(error)));
  return 1;
}

// The server's address for a client: the one word of its command line, as an IPv4 endpoint.
std::expected<Endpoint, std::string> server_of(Process& process, std::span<const std::string> all) {
  if (all.size() != 2) return std::unexpected("say the server's name or address");
  const auto addresses = resolve(process, all[1], Family::ipv4);
  if (!addresses) return std::unexpected(addresses.error());
  return Endpoint{addresses->front(), course_port};
}

}  // namespace

int course_tcp_server(Process& process, std::span<const std::string> all) {
  if (all.size() != 1) return wrong_usage(process, all[0], "takes no words");
  Socket server(process, Family::ipv4, Type::stream, 0);
  if (const auto bound = server.bind({IpAddress::any(Family::ipv4), course_port}); !bound) {
    return fail(process, "bind", bound.error());
  }
  if (const auto listening = server.listen(5); !listening)
    return fail(process, "listen", listening.error());
  process.print(1, "waiting for a client\n");
  auto client = server.accept();
  if (!client) return fail(process, "accept", client.error());
  while (true) {
    const auto data = client->recv(std::size_t{1024});
    if (!data) return fail(process, "recv", data.error());
    if (data->empty()) break;
    process.print(1, fmt::format("received: {}\n", *data));
    (void)client->send("Received: " + *data);
  }
  (void)client->close();
  (void)server.close();
  process.print(1, "the client has left\n");
  return 0;
}

int course_tcp_client(Process& process, std::span<const std::string> all) {
  const auto server = server_of(process, all);
  if (!server) return wrong_usage(process, all[0], server.error());
  Socket client(process, Family::ipv4, Type::stream, 0);
  if (const auto connected = client.connect(*server); !connected) {
    return fail(process, "connect", connected.error());
  }
  for (const std::string_view message : {"hello", "how are you", "goodbye"}) {
    (void)client.send(message);
    const auto data = client.recv(std::size_t{1024});
    if (!data) return fail(process, "recv", data.error());
    process.print(1, fmt::format("the server says: {}\n", *data));
  }
  (void)client.close();
  return 0;
}

int course_udp_server(Process& process, std::span<const std::string> all) {
  if (all.size() != 1) return wrong_usage(process, all[0], "takes no words");
  Socket server(process, Family::ipv4, Type::datagram, 0);
  if (const auto bound = server.bind({IpAddress::any(Family::ipv4), course_port}); !bound) {
    return fail(process, "bind", bound.error());
  }
  process.print(1, "waiting for datagrams\n");
  std::vector<std::uint8_t> buffer(1024);
  while (true) {
    const auto received = server.recvfrom(buffer);
    if (!received) return fail(process, "recvfrom", received.error());
    const std::string text(text_of(Bytes(buffer).first(received->bytes)));
    process.print(1, fmt::format("received: {}\n", text));
    (void)server.sendto(bytes_of("Received: " + text), received->facts.peer);
    if (text == "goodbye") break;
  }
  (void)server.close();
  return 0;
}

int course_udp_client(Process& process, std::span<const std::string> all) {
  const auto server = server_of(process, all);
  if (!server) return wrong_usage(process, all[0], server.error());
  Socket client(process, Family::ipv4, Type::datagram, 0);
  std::vector<std::uint8_t> buffer(1024);
  for (const std::string_view message : {"hello", "how are you", "goodbye"}) {
    (void)client.sendto(bytes_of(message), *server);
    const auto received = client.recvfrom(buffer);
    if (!received) return fail(process, "recvfrom", received.error());
    process.print(
        1, fmt::format("the server says: {}\n", text_of(Bytes(buffer).first(received->bytes))));
  }
  (void)client.close();
  return 0;
}

}  // namespace lanyard::application
