// SPDX-License-Identifier: Apache-2.0
// A DHCPv6 server as a table of addresses and their holders (RFC 8415 18.3): messages and time come
// in, answers go out. It sends nothing; dhcp6.cc does that with sockets.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "core/time.hh"
#include "wire/dhcp6.hh"

namespace lanyard::application {

class Dhcp6Server {
 public:
  struct Settings {
    dhcp6::Duid duid{};
    IpPrefix network{};  // of the link; addresses are its numbers from `first` on
    IpAddress first{}, last{};
    Duration lease = Duration::seconds(3600);
    std::vector<IpAddress> name_servers{};
    std::uint8_t preference = 0;
  };

  explicit Dhcp6Server(Settings settings) : settings_(std::move(settings)) {}

  // What is to be sent back to where it came from.
  [[nodiscard]] std::optional<dhcp6::Message> on_message(Instant now,
                                                         const dhcp6::Message& message);

 private:
  using Client = std::pair<dhcp6::Duid, std::uint32_t>;  // and its IA
  enum class Use : std::uint8_t { leased, released, declined };
  struct Binding {
    Client client{};
    Use use = Use::leased;
    Instant until{};
  };

  [[nodiscard]] bool is_acceptable(const dhcp6::Message& message) const;
  [[nodiscard]] std::optional<IpAddress> choose(Instant now, const dhcp6::Message& message) const;
  [[nodiscard]] bool may_have(Instant now, const Client& client, const IpAddress& address) const;
  [[nodiscard]] std::optional<IpAddress> held_by(Instant now, const Client& client) const;
  [[nodiscard]] dhcp6::Message blank(const dhcp6::Message& message, dhcp6::Type type) const;
  [[nodiscard]] dhcp6::Ia ia_with(const dhcp6::Message& message, const IpAddress& address) const;
  [[nodiscard]] dhcp6::Message extend(Instant now, const dhcp6::Message& message);
  void end(Instant now, const dhcp6::Message& message, Use use);

  Settings settings_;
  std::map<IpAddress, Binding> bindings_;
};

}  // namespace lanyard::application
