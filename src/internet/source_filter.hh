// SPDX-License-Identifier: Apache-2.0
// Which groups an interface listens to, and whose datagrams to them.
#pragma once

#include <set>
#include <vector>

#include "wire/address.hh"

namespace lanyard::internet {

// Whose datagrams to a group are wanted (RFC 3376 3.1, RFC 3810 4.1): everybody's but those of the
// sources, or only theirs.
struct SourceFilter {
  bool is_exclude = true;
  std::set<IpAddress> sources{};

  [[nodiscard]] bool takes(const IpAddress& source) const {
    return sources.contains(source) != is_exclude;
  }
  [[nodiscard]] bool is_nothing() const { return !is_exclude && sources.empty(); }
  friend bool operator==(const SourceFilter&, const SourceFilter&) = default;
};

// Who on this machine listens to a group, and what that is together.
struct Membership {
  std::vector<SourceFilter> listeners{};
  SourceFilter whole{};
};

}  // namespace lanyard::internet
