// SPDX-License-Identifier: Apache-2.0
#include "internet/identifiers.hh"

#include <algorithm>
#include <array>
#include <vector>

#include "core/bytes.hh"

namespace lanyard::internet {

IpAddress address_with(const IpPrefix& prefix, std::uint64_t identifier) {
  std::array<std::uint8_t, 16> bytes = prefix.network().bytes();
  store64(bytes.data() + 8, identifier);
  return IpAddress::from_v6_bytes(bytes.data());
}

std::uint64_t identifier_of(const IpAddress& address) {
  return load64(address.bytes().data() + 8);
}

IpAddress eui64_address(const IpPrefix& prefix, const MacAddress& mac) {
  const auto& m = mac.bytes;
  const std::array<std::uint8_t, 8> identifier = {
      static_cast<std::uint8_t>(m[0] ^ 2), m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]};
  return address_with(prefix, load64(identifier.data()));
}

IpAddress stable_address(const SipKey& secret, const IpPrefix& prefix, std::string_view interface,
                         std::uint8_t conflicts) {
  const IpAddress network = prefix.network();
  std::vector<std::uint8_t> message(network.bytes().begin(), network.bytes().end());
  message.insert(message.end(), interface.begin(), interface.end());
  message.insert(message.end(), {0, conflicts});
  // RFC 7217 5: a reserved one is passed over.
  while (is_reserved_identifier(siphash(secret, message))) message.push_back(0);
  return address_with(prefix, siphash(secret, message));
}

IpAddress random_address(RandomStream& chance, const IpPrefix& prefix) {
  std::uint64_t identifier = chance.next();
  while (is_reserved_identifier(identifier)) identifier = chance.next();
  return address_with(prefix, identifier);
}

bool is_reserved_identifier(std::uint64_t identifier) {
  const bool is_anycast =
      identifier >= 0xfdff'ffff'ffff'ff80 && identifier <= 0xfdff'ffff'ffff'ffff;
  const bool is_of_iana = identifier >> 24 == 0x0200'5eff'fe;  // RFC 4291 2.5.1, the block of IANA
  return identifier == 0 || is_anycast || is_of_iana;
}

}  // namespace lanyard::internet
