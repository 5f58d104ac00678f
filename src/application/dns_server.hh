// SPDX-License-Identifier: Apache-2.0
// The name server of a lab: authoritative for every name (its zone is the root), over UDP and TCP,
// with reverse names.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "socket/process.hh"
#include "wire/dns.hh"

namespace lanyard::application {

// The names a server answers for, and the addresses of each in the order they are given out.
class Zone {
 public:
  // A name that is no domain name is left out.
  explicit Zone(const std::vector<std::pair<std::string, IpAddress>>& names);

  // From now on the name has these addresses, in this order; none: it is there no more.
  void set(std::string_view name, const std::vector<IpAddress>& addresses);

  // The answer to any message; nothing where silence is the answer (a response, less than a
  // header). `size_max`: what the way back carries; the question's EDNS0 may raise it to 1232.
  [[nodiscard]] std::optional<std::vector<std::uint8_t>> answer(Bytes question,
                                                                std::size_t size_max) const;

 private:
  struct Named {
    dns::Name name;
    IpAddress address;
    bool is_gone = false;
  };
  // Where a name, or an address, stands in all_: sorted, found by its number, then compared.
  struct Place {
    std::uint32_t number = 0;
    std::uint32_t index = 0;
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  [[nodiscard]] dns::Message answer_to(const dns::Message& question) const;
  // What is said of a name; nothing if there is no such name.
  [[nodiscard]] std::vector<dns::Record> records_of(const dns::Name& name) const;
  template <typename Is>
  [[nodiscard]] std::vector<std::uint32_t> find(const std::vector<Place>& places,
                                                std::uint32_t number, Is is) const;
  std::vector<Named> all_;  // in the order they were given
  std::vector<Place> by_name_, by_address_;
};

// "2.0.0.10.in-addr.arpa" (RFC 1035 3.5), or the nibbles of ip6.arpa (RFC 3596 2.5).
[[nodiscard]] dns::Name reverse_name(const IpAddress& address);
// The other way round; nothing if it is not such a name.
[[nodiscard]] std::optional<IpAddress> address_of_reverse(const dns::Name& name);

// A program that serves `zone` on port 53 of the address given as its one word, or of every
// address.
[[nodiscard]] socket::Program dns_server(Zone zone);
// The same for a zone that others may change.
[[nodiscard]] socket::Program dns_server(std::shared_ptr<const Zone> zone);

}  // namespace lanyard::application
