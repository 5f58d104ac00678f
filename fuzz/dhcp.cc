// SPDX-License-Identifier: Apache-2.0
// DHCP: any bytes as a message are read or refused, and what was read is written and read again as
// the same; then a client in one of its states and a server are told it.
// links: application
#include <cstddef>
#include <cstdint>

#include "application/dhcp_client.hh"
#include "application/dhcp_server.hh"
#include "core/check.hh"
#include "wire/dhcp.hh"

namespace lanyard {
namespace {

using application::DhcpClient;
using application::DhcpServer;
using dhcp::Message;

const MacAddress mac{{2, 0, 0, 0, 0, 1}};
const IpPrefix own{IpAddress::v4(10, 0, 0, 1), 24};

void check_actions(const std::vector<DhcpClient::Action>& actions) {
  for (const DhcpClient::Action& action : actions) {
    if (action.kind != DhcpClient::Action::Kind::use) continue;
    const IpAddress& address = action.lease.address.address;
    CHECK(!address.is_unspecified() && !address.is_multicast() && !address.is_loopback());
    CHECK(action.lease.renew_at <= action.lease.rebind_at);
    CHECK(action.lease.rebind_at <= action.lease.expires_at);
  }
}

// A client that has gone `steps` steps with a server that means well.
void tell_client(Message message, unsigned steps) {
  Instant now = Instant::start();
  DhcpClient client(now, {.mac = mac, .at_once = true}, Seed(1).stream());
  DhcpServer server({});
  std::uint32_t transaction = 0;
  for (unsigned step = 0; step < steps; ++step) {
    now = std::min(client.next_deadline(), now + Duration::seconds(5000));
    auto actions = client.poll(now);
    for (std::size_t i = 0; i < actions.size(); ++i) {
      transaction = actions[i].message.transaction;
      if (actions[i].kind == DhcpClient::Action::Kind::check) {
        for (auto& more : client.on_checked(now, true)) actions.push_back(std::move(more));
      } else if (const auto said = server.on_message(now, actions[i].message, own, true)) {
        for (auto& more : client.on_message(now, said->message)) actions.push_back(std::move(more));
      }
    }
  }
  message.transaction = transaction;
  message.hardware = mac;
  message.is_reply = true;
  check_actions(client.on_message(now, message));
  check_actions(client.on_checked(now, true));
  for (int i = 0; i < 20; ++i) {
    now = std::max(now, std::min(client.next_deadline(), now + Duration::seconds(5000)));
    check_actions(client.poll(now));
  }
  check_actions(client.release(now));
}

}  // namespace
}  // namespace lanyard

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lanyard;
  if (size < 1) return 0;
  const auto message = dhcp::parse(Bytes(data + 1, size - 1));
  if (!message) return 0;
  const auto again = dhcp::parse(dhcp::write(*message));
  CHECK(again && *again == *message);
  DhcpServer server({});
  for (int i = 0; i < 3; ++i) {
    const auto answer = server.on_message(Instant::start(), *message, own, i % 2 == 0);
    if (answer) CHECK(dhcp::parse(dhcp::write(answer->message)));
  }
  tell_client(*message, data[0] % 8);
  return 0;
}
