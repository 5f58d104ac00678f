// SPDX-License-Identifier: Apache-2.0
#include "application/link_local.hh"

#include <fmt/format.h>

#include "application/dhcp_parts.hh"
#include "application/programs.hh"
#include "internet/network.hh"

namespace lanyard::application {

namespace {

constexpr unsigned conflicts_max = 10;                           // RFC 3927 9: MAX_CONFLICTS
constexpr Duration rate_limit_interval = Duration::seconds(60);  // RATE_LIMIT_INTERVAL
constexpr Duration look_interval = Duration::seconds(1);
constexpr std::uint8_t prefix_length = 16;

std::uint64_t number_of(const MacAddress& mac) {
  std::uint64_t number = 0;
  for (const std::uint8_t byte : mac.bytes) number = number << 8 | byte;
  return number;
}

// Waits until another has claimed the address twice within ten seconds (RFC 3927 2.5).
void hold(socket::Process& process, std::uint32_t index, const IpAddress& address) {
  internet::Interface& interface = process.sockets().stack().network().interfaces().at(index);
  while (internet::InterfaceAddress* own = interface.find(address)) {
    own->yields = true;
    if (own->is_lost) return;
    process.sleep(look_interval);
  }
}

}  // namespace

LinkLocalAddresses::LinkLocalAddresses(const MacAddress& mac)
    : chance_(Seed(number_of(mac)).branch("link-local").stream()) {}

// RFC 3927 2.1 [RFC3927-2.1-a]: uniform; the first and the last 256 are kept for other uses.
IpAddress LinkLocalAddresses::next() {
  constexpr std::uint32_t first = 0xa9fe0100;
  constexpr std::uint32_t count = 254 * 256;
  return IpAddress::v4(first + static_cast<std::uint32_t>(chance_.below(count)));
}

// RFC 3927 2.2.1, RFC 5227 2.1.1 [RFC5227-2.1.1-b]: whom everybody contradicts slows down.
Duration LinkLocalAddresses::on_conflict() {
  return ++conflicts_ < conflicts_max ? Duration::zero() : rate_limit_interval;
}

int link_local(socket::Process& process, std::span<const std::string> all) {
  const Arguments arguments(all.subspan(1),
                            {.with_value = {}, .without_value = {}, .words_max = 1});
  if (!arguments.problem().empty()) {
    return wrong_usage(process, "link-local", arguments.problem());
  }
  const stack::Stack& stack = process.sockets().stack();
  const std::string name = arguments.words().empty() ? "eth0" : arguments.words()[0];
  const auto interface = stack.interface_of(name);
  if (!interface || *interface == 1) {
    process.print(2, fmt::format("link-local: no interface {}\n", name));
    return 1;
  }
  LinkLocalAddresses addresses(stack.interface(*interface)->mac);
  while (true) {
    const IpAddress address = addresses.next();
    if (dhcp_parts::take_if_free(process, *interface, {address, prefix_length})) {
      process.print(1, fmt::format("{}: {}/{}\n", name, to_text(address), prefix_length));
      hold(process, *interface, address);
      dhcp_parts::give_up(process, *interface, address);
      process.print(1, fmt::format("{}: {} is given up\n", name, to_text(address)));
    } else {
      process.print(1, fmt::format("{}: {} is taken by another\n", name, to_text(address)));
    }
    process.sleep(addresses.on_conflict());
  }
}

}  // namespace lanyard::application
