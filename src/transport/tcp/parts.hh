// SPDX-License-Identifier: Apache-2.0
// What Tcp is made of: a Machine.
#pragma once

#include "transport/tcp/machine.hh"

namespace lanyard::tcp {

struct Tcp::Parts : Machine {
  using Machine::Machine;
};

}  // namespace lanyard::tcp
