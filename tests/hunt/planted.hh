// SPDX-License-Identifier: Apache-2.0
// Programs with a bug of the kind people ship: each works as long as the network does.
#pragma once

#include <map>
#include <string>

#include "socket/process.hh"

namespace lanyard::planted {

[[nodiscard]] std::map<std::string, socket::Program, std::less<>> programs();

}  // namespace lanyard::planted
