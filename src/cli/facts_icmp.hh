// SPDX-License-Identifier: Apache-2.0
// The part of facts.hh that reads ICMP, NDP and DNS messages.
#pragma once

#include <string>

#include "cli/facts.hh"

namespace lanyard::cli {

void read_icmp_v4(Bytes message, Facts& facts);
void read_icmp_v6(Bytes message, Facts& facts);
// "A bob? " or "bob A 10.0.2.2", from the first question and the answers of a DNS message.
[[nodiscard]] std::string dns_detail(Bytes message);

}  // namespace lanyard::cli
