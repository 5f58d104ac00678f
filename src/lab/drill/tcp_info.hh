// SPDX-License-Identifier: Apache-2.0
// The fields of TCP_INFO by the names scripts use.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "socket/types.hh"

namespace lanyard::lab::drill {

// tcpi_snd_cwnd ...; nothing: a field that we do not answer.
[[nodiscard]] std::optional<std::int64_t> tcp_info_field(const socket::TcpInfo& info,
                                                         std::string_view name);

}  // namespace lanyard::lab::drill
