// SPDX-License-Identifier: Apache-2.0
// A DHCP client as a state machine (RFC 2131 4.4): messages and time come in, what is to be done
// goes out. It sends nothing and owns no address; dhcp.cc does that with sockets.
//
//   init -> selecting -> requesting -> checking -> bound -> renewing -> rebinding -> init
//   rebooting -> checking: a client that had an address before
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.hh"
#include "core/time.hh"
#include "wire/dhcp.hh"

namespace lanyard::application {

struct DhcpLease {
  IpPrefix address{};
  IpAddress server{};
  std::vector<IpAddress> routers{}, name_servers{};
  std::string domain_name{};
  Duration duration{};  // infinite: for ever
  Instant renew_at{}, rebind_at{}, expires_at{};
};

class DhcpClient {
 public:
  enum class State : std::uint8_t {
    init,
    selecting,
    requesting,
    checking,
    bound,
    renewing,
    rebinding,
    rebooting
  };
  struct Settings {
    MacAddress mac{};
    std::string host_name{};
    std::optional<IpAddress> suggested{};   // asked for in the first message (RFC 2131 3.5)
    std::optional<IpAddress> remembered{};  // had before: begins in INIT-REBOOT
    bool at_once = false;                   // without the wait of RFC 2131 4.4.1
  };
  struct Action {
    enum class Kind : std::uint8_t {
      broadcast,  // send `message` to everybody
      unicast,    // send `message` to the lease's server
      check,      // is the lease's address free on this link? Then call on_checked
      use,        // the lease is ours, or has been renewed
      drop        // the lease is over: its address must not be used from now on
    };
    Kind kind = Kind::broadcast;
    dhcp::Message message{};
    DhcpLease lease{};
  };

  DhcpClient(Instant now, const Settings& settings, const RandomStream& chance);

  // Each gives what is to be done, in order.
  [[nodiscard]] std::vector<Action> poll(Instant now);
  [[nodiscard]] std::vector<Action> on_message(Instant now, const dhcp::Message& message);
  [[nodiscard]] std::vector<Action> on_checked(Instant now, bool is_free);
  // Gives the lease back and ends: nothing is due any more.
  [[nodiscard]] std::vector<Action> release(Instant now);

  [[nodiscard]] Instant next_deadline() const { return next_; }
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const DhcpLease& lease() const { return lease_; }

 private:
  void begin(Instant now, Duration wait);
  void send_discover(Instant now);
  void send_request(Instant now);
  void send_renewal(Instant now);
  void renew(Instant now, State state);
  void back_off(Instant now);
  void on_offer(Instant now, const dhcp::Message& message);
  void on_ack(Instant now, const dhcp::Message& message);
  void on_nak(Instant now, const dhcp::Message& message);
  [[nodiscard]] std::optional<DhcpLease> lease_of(const dhcp::Message& message) const;
  [[nodiscard]] dhcp::Message blank(dhcp::Type type) const;
  void act(Action::Kind kind, dhcp::Message message = {});
  [[nodiscard]] Duration random_within(Duration least, Duration most);

  Settings settings_;
  RandomStream chance_;
  State state_ = State::init;
  Instant next_;
  std::uint32_t transaction_ = 0;
  unsigned tries_ = 0;
  Instant began_;              // with this attempt to get an address
  std::uint16_t seconds_ = 0;  // as the latest DISCOVER said
  Instant asked_at_;           // the latest REQUEST: leases count from there
  DhcpLease lease_;            // offered, then ours
  std::vector<Action> actions_;
};

[[nodiscard]] std::string_view to_text(DhcpClient::State state);

}  // namespace lanyard::application
