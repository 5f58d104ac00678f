// SPDX-License-Identifier: Apache-2.0
// Multicast groups: which a socket has joined.
#include <algorithm>

#include "socket/table.hh"

namespace lanyard::socket {

Result<void> change_group(Sockets::Table& table, Instant now, Entry& entry, bool join,
                          const Group& group) {
  if (entry.type == Type::stream) return unexpected(Errno::no_such_option);
  if (group.group.family() != entry.family) return unexpected(Errno::invalid);
  std::uint32_t interface = group.interface;
  if (interface == 0 && !group.source_interface.is_unspecified()) {
    const auto rows = table.stack.interfaces();
    const auto owner = std::ranges::find_if(rows, [&](const stack::InterfaceRow& row) {
      return std::ranges::any_of(row.addresses, [&](const IpPrefix& prefix) {
        return prefix.address == group.source_interface;
      });
    });
    if (owner == rows.end()) return unexpected(Errno::no_such_device);
    interface = owner->index;
  }
  const std::pair membership(interface, group.group);
  auto& groups = entry.made_seldom().groups;
  const auto found = std::ranges::find(groups, membership);
  if (join) {
    if (found != groups.end()) return unexpected(Errno::address_in_use);
    const auto joined = table.stack.join_group(now, interface, group.group);
    if (joined) groups.push_back(membership);
    return joined;
  }
  if (found == groups.end()) return unexpected(Errno::address_not_available);
  groups.erase(found);
  return table.stack.leave_group(now, interface, group.group);
}

}  // namespace lanyard::socket
