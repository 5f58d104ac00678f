// SPDX-License-Identifier: Apache-2.0
// A DHCPv6 client for one address as a state machine (RFC 8415 18.2): messages and time come in,
// what is to be done goes out. It sends nothing and owns no address; dhcp6.cc does that.
//
//   soliciting -> requesting -> checking -> bound -> renewing -> rebinding -> soliciting
//   confirming: the link came back; informing: everything but an address
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/random.hh"
#include "core/time.hh"
#include "wire/dhcp6.hh"

namespace lanyard::application {

struct Dhcp6Lease {
  dhcp6::IaAddress address{};
  dhcp6::Duid server{};
  std::vector<IpAddress> name_servers{};
  Instant renew_at{}, rebind_at{}, expires_at{};
};

class Dhcp6Client {
 public:
  enum class State : std::uint8_t {
    soliciting,
    requesting,
    checking,
    bound,
    renewing,
    rebinding,
    confirming,
    declining,
    releasing,
    informing,
    over
  };
  struct Action {
    enum class Kind : std::uint8_t {
      send,   // `message` to all servers
      check,  // is the lease's address free on this link? Then call on_checked
      use,    // the lease is ours, or has been renewed
      drop,   // its address must not be used from now on
      inform  // the lease's name servers, and nothing else
    };
    Kind kind = Kind::send;
    dhcp6::Message message{};
    Dhcp6Lease lease{};
  };
  struct Settings {
    MacAddress mac{};
    std::uint32_t ia = 1;
    bool only_informs = false;  // Information-request: no address
  };

  Dhcp6Client(Instant now, const Settings& settings, const RandomStream& chance);

  // Each gives what is to be done, in order.
  [[nodiscard]] std::vector<Action> poll(Instant now);
  [[nodiscard]] std::vector<Action> on_message(Instant now, const dhcp6::Message& message);
  [[nodiscard]] std::vector<Action> on_checked(Instant now, bool is_free);
  [[nodiscard]] std::vector<Action> on_link_up(Instant now);
  [[nodiscard]] std::vector<Action> release(Instant now);

  [[nodiscard]] Instant next_deadline() const;
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const Dhcp6Lease& lease() const { return lease_; }

 private:
  // RFC 8415 15: how a message is repeated. Zero: no limit.
  struct Repeat {
    Duration first{}, most{};
    unsigned count_max = 0;
    Duration duration_max{};
  };
  void begin(Instant now, State state, Duration wait = Duration::zero());
  [[nodiscard]] Repeat repeat_of(State state) const;
  void transmit(Instant now);
  void give_up(Instant now);
  void take_best_offer(Instant now);
  void on_advertise(Instant now, const dhcp6::Message& message);
  void on_reply(Instant now, const dhcp6::Message& message);
  void on_lease(Instant now, const dhcp6::Message& message);
  [[nodiscard]] dhcp6::Message question() const;
  void act(Action::Kind kind, dhcp6::Message message = {});
  [[nodiscard]] Duration about(Duration duration, bool is_above);

  Settings settings_;
  dhcp6::Duid duid_;
  RandomStream chance_;
  State state_ = State::soliciting;
  std::uint32_t transaction_ = 0;
  Instant began_;  // the first message of this exchange
  Instant next_;   // it is sent again
  Instant until_;  // or given up
  Duration timeout_;
  unsigned sent_ = 0;
  std::optional<dhcp6::Message> best_;  // the best Advertise of the first wait
  Dhcp6Lease lease_;
  std::vector<Action> actions_;
};

}  // namespace lanyard::application
