// SPDX-License-Identifier: Apache-2.0
// Any bytes as an Ethernet frame: Ethernet, VLAN, ARP, IPv4, IPv6, ICMP, NDP, TCP, UDP, DNS and
// HTTP through the dissector, and every field must lie inside the bytes. links: wire
#include <cstddef>
#include <cstdint>

#include "core/check.hh"
#include "wire/dissect.hh"

namespace {

using lanyard::wire::Field;

void check_within(const Field& field, std::size_t size) {
  CHECK(field.offset <= size && field.size <= size - field.offset);
  for (const char c : field.value) CHECK(c >= 0x20 && c < 0x7f);
  for (const char c : field.name) CHECK(c >= 0x20 && c < 0x7f);
  for (const Field& child : field.children) check_within(child, size);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const lanyard::Bytes bytes(data, size);
  for (const Field& layer : lanyard::wire::dissect(bytes)) check_within(layer, size);
  CHECK(!lanyard::wire::summary(bytes).empty());
  return 0;
}
