// SPDX-License-Identifier: Apache-2.0
// The stub resolver of in-process programs: /etc/hosts first, then the host's name servers over
// UDP, over TCP where the answer was cut (RFC 1035, RFC 7766; forged answers are ignored as RFC
// 5452 says).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "socket/process.hh"

namespace lanyard::application {

// The addresses of `name`, IPv6 before IPv4 where both are wanted and had (RFC 6724 6), or what
// went wrong as a person reads it.
using Resolved = std::expected<std::vector<IpAddress>, std::string>;

// `name` may be an address already. `family` absent: both.
[[nodiscard]] Resolved resolve(socket::Process& process, std::string_view name,
                               std::optional<Family> family = std::nullopt);

// Resolves and connects a stream to the first address that answers; the sentence says what each
// attempt gave.
[[nodiscard]] std::expected<socket::Socket, std::string> connect_to(
    socket::Process& process, std::string_view name, Port port,
    std::optional<Family> family = std::nullopt);

}  // namespace lanyard::application
