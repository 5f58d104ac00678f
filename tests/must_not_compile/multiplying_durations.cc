// SPDX-License-Identifier: Apache-2.0
// A square second is a mistake.
// says: no match for .operator\*|invalid operands
#include "core/time.hh"

using lanyard::Duration;
#ifdef WRONG
Duration f(Duration a, Duration b) {
  return a * b;
}
#else
Duration f(Duration a) {
  return a * 2;
}
#endif
