// SPDX-License-Identifier: Apache-2.0
// DHCPv6: any bytes as a message are read or refused, and what was read is written and read again
// as the same; then a client and a server are told it. links: application
#include <cstddef>
#include <cstdint>

#include "application/dhcp6_client.hh"
#include "application/dhcp6_server.hh"
#include "core/check.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lanyard;
  using application::Dhcp6Client;
  if (size < 1) return 0;
  auto message = dhcp6::parse(Bytes(data + 1, size - 1));
  if (!message) return 0;
  CHECK(!message->ia || message->ia->addresses.size() <= dhcp6::addresses_max);
  const auto again = dhcp6::parse(dhcp6::write(*message));
  CHECK(again && *again == *message);
  const MacAddress mac{{2, 0, 0, 0, 0, 1}};
  application::Dhcp6Server server({.duid = dhcp6::duid_of(mac),
                                   .network = *IpPrefix::parse("2001:db8::/64"),
                                   .first = *IpAddress::parse("2001:db8::1000"),
                                   .last = *IpAddress::parse("2001:db8::1fff")});
  if (data[0] & 8) message->server = dhcp6::duid_of(mac);
  Instant now = Instant::start();
  for (int i = 0; i < 3; ++i) static_cast<void>(server.on_message(now, *message));

  // The client asks as often as the first byte says, and is then told this in answer.
  Dhcp6Client client(now, {.mac = mac}, Seed(1).stream());
  message->client = dhcp6::duid_of(mac);
  if (message->server.empty()) message->server = {0, 1, 2};
  for (int step = 0; step <= data[0] % 8; ++step) {
    now = std::max(now, std::min(client.next_deadline(), now + Duration::seconds(5000)));
    for (const auto& action : client.poll(now)) message->transaction = action.message.transaction;
    for (const auto& action : client.on_message(now, *message)) {
      const IpAddress& address = action.lease.address.address;
      if (action.kind != Dhcp6Client::Action::Kind::use) continue;
      CHECK(!address.is_unspecified() && !address.is_multicast() && !address.is_link_local());
      CHECK(action.lease.renew_at <= action.lease.rebind_at);
      CHECK(action.lease.rebind_at <= action.lease.expires_at);
    }
    static_cast<void>(client.on_checked(now, (data[0] & 16) == 0));
    if ((data[0] & 32) != 0) static_cast<void>(client.on_link_up(now));
  }
  static_cast<void>(client.release(now));
  return 0;
}
