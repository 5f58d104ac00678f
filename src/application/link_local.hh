// SPDX-License-Identifier: Apache-2.0
// The IPv4 addresses a host tries where nobody gives it one (RFC 3927 2.1), and how fast.
#pragma once

#include "core/random.hh"
#include "core/time.hh"
#include "wire/address.hh"

namespace lanyard::application {

class LinkLocalAddresses {
 public:
  // The MAC address decides, so that a host tries the same ones each time.
  explicit LinkLocalAddresses(const MacAddress& mac);

  // The next candidate, of 169.254.1.0 to 169.254.254.255.
  [[nodiscard]] IpAddress next();
  // The last one is another's: how long to wait before the next is tried.
  [[nodiscard]] Duration on_conflict();

 private:
  RandomStream chance_;
  unsigned conflicts_ = 0;
};

}  // namespace lanyard::application
