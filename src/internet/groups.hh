// SPDX-License-Identifier: Apache-2.0
// The groups this machine listens to, and what it tells the routers of its links about them: the
// host's half of IGMP (RFC 1112, RFC 2236, RFC 3376) and MLD (RFC 2710, RFC 3810). Internal to
// internet/.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "internet/output.hh"
#include "internet/shared.hh"
#include "wire/membership.hh"

namespace lanyard::internet {

class Groups {
 public:
  Groups(Shared& shared, Output& output);

  // One listener's filter for a group on an interface: `before` goes (nothing: it listens from now
  // on), `after` comes (nothing: it stops). False: nobody here listens with `before`. A change of
  // the whole is reported to the link unless `is_quiet`: so are the machine's own groups where
  // addresses are known to be unique, see docs/decisions.md.
  bool change(Instant now, Interface& interface, const IpAddress& group,
              const std::optional<SourceFilter>& before, const std::optional<SourceFilter>& after,
              bool is_quiet);
  // What is listened to is told again.
  void on_link_up(Instant now, const Interface& interface);

  // An IGMP message, or an ICMPv6 message of MLD's types, with its checksum still to be looked at.
  // `header` is the IP header with its options.
  DropReason on_message(Instant now, const Datagram& datagram, Bytes header,
                        const Arrival& arrival);

  void poll(Instant now);
  [[nodiscard]] Instant next_deadline() const;

 private:
  // An answer to a query that waits for its time (RFC 3376 5.2), or, before older routers, a report
  // to be repeated.
  struct Answer {
    Instant at;
    std::set<IpAddress> sources{};  // asked about; empty: the group as a whole
    unsigned repeats = 0;
  };
  // A change of state that is still to be told (RFC 3376 5.1): how many more times.
  struct Change {
    unsigned mode = 0;
    std::map<IpAddress, unsigned> sources{};
  };
  // What one family on one interface knows of its routers.
  struct Link {
    unsigned version = 3;  // spoken at present
    Instant version_1_until, version_2_until;
    unsigned robustness = 2;
    Duration query_interval = Duration::seconds(125);
    Instant general_at = Instant::never();
    std::map<IpAddress, Answer> answers{};
    Instant changes_at = Instant::never();
    std::map<IpAddress, Change> changes{};
    std::set<IpAddress> reported_last{};  // nobody else's report came since ours
  };
  using Key = std::pair<std::uint32_t, Family>;

  [[nodiscard]] bool is_from_a_neighbour(const Datagram& datagram, Bytes header,
                                         const membership::View& view) const;
  void on_query(Instant now, const membership::View& view, const Interface& interface);
  void hear_version(Instant now, const membership::View& view, Link& link);
  void settle_version(Instant now, Link& link);
  void schedule_answer(Instant at, const membership::View& view, const IpAddress& group,
                       Link& link);
  void on_report(const IpAddress& group, Link& link);

  void tell_change(Instant now, Interface& interface, const IpAddress& group,
                   const SourceFilter& before, const SourceFilter& after);
  void tell_old_change(Instant now, Interface& interface, const IpAddress& group, Link& link,
                       bool is_member);
  void send_changes(Instant now, Interface& interface, Family family, Link& link);
  void send_general(Instant now, Interface& interface, Family family, Link& link);
  void send_answer(Instant now, Interface& interface, const IpAddress& group, Link& link);
  void send_single(Instant now, Interface& interface, membership::Kind kind, const IpAddress& group,
                   Link& link);
  void send_report(Instant now, Interface& interface, Family family,
                   std::vector<membership::Record> records);
  void send(Instant now, Interface& interface, const IpAddress& to, Packet&& message);
  [[nodiscard]] Duration random_up_to(Duration bound);

  Shared& shared_;
  Output& output_;
  RandomStream chance_;
  std::map<Key, Link> links_;
  // It is asked for far more often than it changes.
  mutable Instant next_ = Instant::never();
  mutable bool is_next_known_ = false;
};

// Is a group told to routers at all?
[[nodiscard]] bool is_reported(const IpAddress& group);

}  // namespace lanyard::internet
