// SPDX-License-Identifier: Apache-2.0
// Chance comes from the world's seed, by name, not from a number at hand.
// says: no matching function|no matching conversion
#include "core/random.hh"

using lanyard::RandomStream, lanyard::Seed;
#ifdef WRONG
RandomStream f() {
  return RandomStream(7);
}
#else
RandomStream f(const Seed& seed) {
  return seed.branch("loss").stream();
}
#endif
