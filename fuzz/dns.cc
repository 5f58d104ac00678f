// SPDX-License-Identifier: Apache-2.0
// Any bytes as a DNS message: refused, or a message that is written and read as the same again.
// links: wire
#include <cstddef>
#include <cstdint>

#include "core/check.hh"
#include "wire/dns.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lanyard;
  const auto message = dns::Message::parse({data, size});
  if (!message) {
    CHECK(message.error().offset <= size);
    return 0;
  }
  const auto again = dns::Message::parse(message->write(~std::size_t{0}));
  CHECK(again && *again == *message);
  CHECK(dns::Message::parse(message->write(dns::udp_size_max)).has_value());
  for (const dns::Record& record : message->answers) {
    CHECK(dns::Name::parse(dns::to_text(record.name)) == record.name);
    CHECK(!dns::to_text(record).empty());
  }
  return 0;
}
