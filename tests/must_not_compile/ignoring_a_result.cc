// SPDX-License-Identifier: Apache-2.0
// A result that may be an error is looked at.
// says: ignoring return value
#include "core/random.hh"

using lanyard::RandomStream;
#ifdef WRONG
void f(RandomStream& s) {
  s.next();
}
#else
auto f(RandomStream& s) {
  return s.next();
}
#endif
