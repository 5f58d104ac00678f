// SPDX-License-Identifier: Apache-2.0
// A DHCP server as a table of addresses and their holders (RFC 2131 4.3): messages and time come
// in, answers go out. It sends nothing; dhcp.cc does that with sockets.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/time.hh"
#include "wire/dhcp.hh"

namespace lanyard::application {

// Addresses to give away, of one network.
struct DhcpPool {
  IpPrefix network{};
  IpAddress first{}, last{};

  // "10.0.1.100-10.0.1.150/24"; without a length, of the network given.
  [[nodiscard]] static std::optional<DhcpPool> parse(const std::string& text,
                                                     const std::optional<IpPrefix>& network);
  [[nodiscard]] bool contains(const IpAddress& address) const {
    return address >= first && address <= last;
  }
};

class DhcpServer {
 public:
  struct Settings {
    std::vector<DhcpPool> pools{};  // of networks without one, everything but our own address
    std::map<MacAddress, IpAddress> reservations{};
    Duration lease = Duration::seconds(3600);
    std::vector<IpAddress> routers{}, name_servers{};
    std::string domain_name{};
  };
  struct Answer {
    dhcp::Message message{};
    enum class To : std::uint8_t {
      everybody,  // limited broadcast on the link the question came from, port 68
      client,     // `address`, port 68; it answers for it already
      hardware,   // `address`, port 68; it does not yet, so its MAC address must do
      relay       // `address`, port 67
    };
    To to = To::everybody;
    IpAddress address{};
  };
  struct Row {
    IpAddress address{};
    MacAddress mac{};
    std::string host_name{};
    Instant until{};
  };

  explicit DhcpServer(Settings settings) : settings_(std::move(settings)) {}

  // `own`: our address on the interface the message came from; `is_router`: we forward.
  [[nodiscard]] std::optional<Answer> on_message(Instant now, const dhcp::Message& message,
                                                 const IpPrefix& own, bool is_router);
  // The leases that run, by address.
  [[nodiscard]] std::vector<Row> leases(Instant now) const;

 private:
  using Client = std::vector<std::uint8_t>;  // its identifier, or hardware type and address
  enum class Use : std::uint8_t { offered, leased, released, declined };
  struct Binding {
    Client client{};
    Use use = Use::offered;
    Instant until{};
    MacAddress mac{};
    std::string host_name{};
  };
  // Where a message came from, and what may be given there.
  struct Place {
    IpPrefix network{};
    IpAddress own{};
    IpAddress router{};  // unspecified: none we know of
  };

  [[nodiscard]] std::optional<Place> place_of(const dhcp::Message& message, const IpPrefix& own,
                                              bool is_router) const;
  [[nodiscard]] std::optional<Answer> on_discover(Instant now, const dhcp::Message& message,
                                                  const Place& place);
  [[nodiscard]] std::optional<Answer> on_request(Instant now, const dhcp::Message& message,
                                                 const Place& place);
  [[nodiscard]] std::optional<IpAddress> choose(Instant now, const dhcp::Message& message,
                                                const Place& place) const;
  [[nodiscard]] bool may_have(Instant now, const Client& client, const IpAddress& address,
                              const dhcp::Message& message, const Place& place) const;
  [[nodiscard]] bool is_in_pool(const IpAddress& address, const Place& place) const;
  [[nodiscard]] std::optional<IpAddress> held_by(const Client& client, const Place& place) const;
  [[nodiscard]] Answer give(const dhcp::Message& message, dhcp::Type type, const IpAddress& address,
                            const Place& place) const;
  [[nodiscard]] Answer refuse(const dhcp::Message& message, const Place& place) const;
  void address_answer(Answer& answer, const dhcp::Message& message) const;

  Settings settings_;
  std::map<IpAddress, Binding> bindings_;
};

}  // namespace lanyard::application
