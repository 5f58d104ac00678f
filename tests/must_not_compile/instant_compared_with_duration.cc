// SPDX-License-Identifier: Apache-2.0
// A deadline is not compared with a time-out.
// says: no match for .operator<|invalid operands
#include "core/time.hh"

using lanyard::Instant, lanyard::Duration;
#ifdef WRONG
bool f(Instant a, Duration d) {
  return a < d;
}
#else
bool f(Instant a, Instant now, Duration d) {
  return a < now + d;
}
#endif
