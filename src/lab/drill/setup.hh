// SPDX-License-Identifier: Apache-2.0
// What a script asks for before it begins: its --options, and the settings it makes with sysctl.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lab/drill/script.hh"
#include "stack/config.hh"
#include "wire/address.hh"

namespace lanyard::lab::drill {

// What differs between good stacks and is passed over unless asked for (--strict=window,push).
struct Strict {
  bool options = false;     // order and padding of options, the order of later SACK blocks
  bool window = false;      // our window numbers (else only zero or not) and our window scale
  bool push = false;        // PSH on data
  bool segments = false;    // boundaries of super-segments
  bool buffers = false;     // readings of SO_RCVBUF and SO_SNDBUF
  bool timestamps = false;  // our TS values advance as the script says
};

struct Setup {
  Family family = Family::ipv4;  // on the wire
  bool is_mapped = false;        // sockets of IPv6, IPv4 on the wire
  IpAddress local = IpAddress::v4(192, 168, 0, 1);
  IpAddress remote = IpAddress::v4(192, 0, 2, 1);
  bool has_local = false, has_remote = false, has_mtu = false, has_tolerance = false;
  std::uint32_t mtu = 1500;
  std::uint32_t merged_bytes = 0;  // --mss: of the segments that a card has put together; 0: ours
  Port bind_port = 8080;           // where a listener is
  Port connect_port = 8080;        // where a client connects to
  Duration tolerance;
  bool packets_are_fatal = true, calls_are_fatal = true, asserts_are_fatal = true;
  bool is_dry_run = false;
  bool is_changed = false;       // by sysctl, since this was last false
  bool forgets_servers = false;  // what Fast Open remembers of them is to be forgotten
  std::string kernel_only;       // not empty: why a setting means something to a kernel only
  Instant began;                 // when the script did
  Strict strict;
  stack::Config config;
  std::map<std::string, std::uint64_t> files;  // that commands have made, by name: how many octets
  std::vector<std::string> notes;              // what was skipped, and what has no effect

  [[nodiscard]] Family socket_family() const { return is_mapped ? Family::ipv6 : family; }
};

// One option; problems name its place.
[[nodiscard]] std::expected<void, Problem> apply_option(Setup& setup, const ScriptOption& option);
// Addresses that nobody gave, for the family that was chosen.
void complete(Setup& setup);
// The text of a back-ticked command: sysctl and its like are looked up in sysctl.cc's table; the
// init script of the public suites sets Linux's defaults; other commands are skipped with a note,
// or refused where the outcome would depend on them.
[[nodiscard]] std::expected<void, Problem> apply_command(Setup& setup, std::string_view command,
                                                         Mark mark);

// net.ipv4.tcp_ecn = "2". False: a name or a value that is not in the table.
struct SysctlAnswer {
  bool is_known = false;
  bool has_effect = false;
  std::string note;  // not empty: why it has no effect here
};
[[nodiscard]] SysctlAnswer apply_sysctl(Setup& setup, std::string_view name,
                                        const std::vector<std::string>& values);
void apply_kernel_defaults(stack::Config& config);
void apply_linux_defaults(Setup& setup);

}  // namespace lanyard::lab::drill
