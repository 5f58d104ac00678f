// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport/tcp/machine.hh"

namespace lanyard::tcp {

// The connection that has in flight what an ICMP error quotes; null: nobody does.
[[nodiscard]] Connection* quoted_in(const Demux& demux, const internet::IcmpError& error);

}  // namespace lanyard::tcp
