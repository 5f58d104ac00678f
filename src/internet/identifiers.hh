// SPDX-License-Identifier: Apache-2.0
// Interface identifiers (RFC 4291 2.5.1): the lower half of an address that a machine makes itself.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/random.hh"
#include "wire/address.hh"

namespace lanyard::internet {

// The address of this identifier under a prefix of 64 bits.
[[nodiscard]] IpAddress address_with(const IpPrefix& prefix, std::uint64_t identifier);
[[nodiscard]] std::uint64_t identifier_of(const IpAddress& address);

// RFC 2464 4: the identifier made of a MAC address (modified EUI-64), under this prefix.
[[nodiscard]] IpAddress eui64_address(const IpPrefix& prefix, const MacAddress& mac);

// RFC 7217 5: F(Prefix, Net_Iface, DAD_Counter, secret_key). The same each time it is asked,
// another one on each network, and it says nothing about the machine.
[[nodiscard]] IpAddress stable_address(const SipKey& secret, const IpPrefix& prefix,
                                       std::string_view interface, std::uint8_t conflicts);

// RFC 8981 3.3.1: by chance.
[[nodiscard]] IpAddress random_address(RandomStream& chance, const IpPrefix& prefix);

// RFC 5453 3: of routers and of anycast.
[[nodiscard]] bool is_reserved_identifier(std::uint64_t identifier);

}  // namespace lanyard::internet
