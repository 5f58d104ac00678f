// SPDX-License-Identifier: Apache-2.0
// Two points in time have no sum.
// says: no match for .operator\+|invalid operands
#include "core/time.hh"

using lanyard::Instant, lanyard::Duration;
#ifdef WRONG
Instant f(Instant a, Instant b) {
  return a + b;
}
#else
Duration f(Instant a, Instant b) {
  return b - a;
}
#endif
