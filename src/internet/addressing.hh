// SPDX-License-Identifier: Apache-2.0
// The life of our addresses: assigned, checked for duplicates (RFC 4862 5.4, RFC 5227), announced,
// defended, deprecated, gone; with the groups and routes that come and go with them. Internal to
// internet/.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "internet/groups.hh"
#include "internet/identifiers.hh"
#include "internet/output.hh"
#include "internet/shared.hh"
#include "wire/ndp.hh"

namespace lanyard::internet {

class Addressing {
 public:
  Addressing(Shared& shared, Output& output, Groups& groups);

  // Assigns an address; if the interface checks for duplicates it is tentative until that is done.
  void add(Instant now, Interface& interface, InterfaceAddress address);
  void remove(Instant now, Interface& interface, const IpAddress& address);
  // The address that SLAAC made under a prefix of 64 bits, if it did; and makes it, by the rule of
  // the configuration.
  [[nodiscard]] InterfaceAddress* formed(Interface& interface, const IpPrefix& prefix);
  void form(Instant now, Interface& interface, InterfaceAddress like);
  // RFC 8981 3.4, 3.5: the lifetimes of that address changed, or one beside it is about to be over.
  void keep_temporary(Instant now, Interface& interface, const IpPrefix& prefix);
  // Lifetimes of an address changed.
  void watch(const Interface& interface, const IpAddress& address);

  // Somebody else uses `address`, or is checking it as we are.
  void on_conflict(Instant now, Interface& interface, const IpAddress& address);
  // A solicitation of ours that came back (RFC 7527).
  [[nodiscard]] bool is_own_nonce(const std::array<std::uint8_t, 6>& nonce) const;

  void poll(Instant now);
  [[nodiscard]] Instant next_deadline() const;

  // Sends a neighbour discovery message to a neighbour or a group of the link, from exactly this
  // source.
  void send(Instant now, Interface& interface, const IpAddress& source, const IpAddress& to,
            const ndp::Message& message);

  // A group of the machine's own: those all machines and all routers hear, and the solicited-node
  // ones.
  void join(Instant now, Interface& interface, const IpAddress& group);

 private:
  struct Task {
    enum class Kind : std::uint8_t { probe, announce, lifetime, renew };
    Kind kind;
    std::uint32_t interface;
    IpAddress address;
    std::uint32_t sent = 0;
  };
  void schedule(Instant when, const Task& task) { tasks_.emplace(when, task); }
  void run(Instant now, Task task);
  void probe(Instant now, Interface& interface, Task task);
  void probe_v4(Instant now, Interface& interface, Task task);
  void probe_v6(Instant now, Interface& interface, Task task);
  void finish_check(Instant now, Interface& interface, const IpAddress& address);
  void announce(Instant now, Interface& interface, Task task);
  void on_lifetime(Instant now, Interface& interface, const IpAddress& address);
  [[nodiscard]] IpAddress identified(const Interface& interface, const IpPrefix& prefix,
                                     std::uint8_t conflicts) const;
  void form_temporary(Instant now, Interface& interface, InterfaceAddress like);
  void renew(Instant now, Interface& interface, const Task& task);
  bool try_another(Instant now, Interface& interface, InterfaceAddress failed);
  [[nodiscard]] Duration random_below(Duration bound);

  Shared& shared_;
  Output& output_;
  Groups& groups_;
  RandomStream chance_;
  SipKey secret_;  // RFC 7217 5
  std::multimap<Instant, Task> tasks_;
  std::vector<std::array<std::uint8_t, 6>> nonces_;  // of the latest checks
  Instant next_defence_;
};

}  // namespace lanyard::internet
