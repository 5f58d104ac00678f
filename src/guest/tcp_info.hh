// SPDX-License-Identifier: Apache-2.0
// TCP_INFO as Linux lays it out.
#pragma once

#include <string>

#include "socket/types.hh"

namespace lanyard::guest {

// The bytes of struct tcp_info (linux/tcp.h); what the stack does not know stays 0.
[[nodiscard]] std::string tcp_info_bytes(const socket::TcpInfo& info);

}  // namespace lanyard::guest
