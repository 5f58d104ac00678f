// SPDX-License-Identifier: Apache-2.0
// A port is no factor.
// says: no match for .operator\*|invalid operands
#include "wire/address.hh"

#include "core/time.hh"
using lanyard::Duration, lanyard::Port;
#ifdef WRONG
Duration f(Port port, Duration d) {
  return port * d;
}
#else
Duration f(Duration d) {
  return d * 3;
}
#endif
