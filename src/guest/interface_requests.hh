// SPDX-License-Identifier: Apache-2.0
// netdevice(7): what a program asks about interfaces with ioctl, answered from a stack's own rows.
// For where there is no network namespace whose mirror interfaces the kernel could answer from.
#pragma once

#include <net/if.h>

#include <vector>

#include "stack/config.hh"

namespace lanyard::guest {

// Fills in what `request` (SIOCGIFINDEX and its kin) asks for: 0, ENODEV where there is no such
// interface, EADDRNOTAVAIL where it has no such address, EINVAL for what is not among them.
[[nodiscard]] int answer_interface_request(const std::vector<stack::InterfaceRow>& rows,
                                           unsigned long request, ifreq& asked);
// SIOCGIFCONF's answer: an ifreq for each IPv4 address.
[[nodiscard]] std::vector<ifreq> interface_list(const std::vector<stack::InterfaceRow>& rows);

}  // namespace lanyard::guest
