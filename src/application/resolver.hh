// SPDX-License-Identifier: Apache-2.0
// The stub resolver of in-process programs: the host's own table first, then its name servers over
// UDP, and over TCP where an answer was cut (RFC 1035 7, RFC 7766). Answers that do not fit the
// question are ignored (RFC 5452 9).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "socket/process.hh"
#include "wire/dns.hh"

namespace lanyard::application {

// One question put to the name servers in turn: the first answer, or what went wrong.
[[nodiscard]] std::expected<dns::Message, std::string> ask(socket::Process& process,
                                                           const dns::Question& question);

// The addresses of `name`, best first (RFC 6724 6), or what went wrong as a
// person reads it.
using Resolved = std::expected<std::vector<IpAddress>, std::string>;

// `name` may be an address already. `family` absent: both.
[[nodiscard]] Resolved resolve(socket::Process& process, std::string_view name,
                               std::optional<Family> family = std::nullopt);

// Resolves and connects a stream to the first address that answers; the sentence says what the last
// attempt gave.
[[nodiscard]] std::expected<socket::Socket, std::string> connect_to(
    socket::Process& process, std::string_view name, Port port,
    std::optional<Family> family = std::nullopt);

}  // namespace lanyard::application
