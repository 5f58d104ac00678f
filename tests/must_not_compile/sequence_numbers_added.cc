// SPDX-License-Identifier: Apache-2.0
// Two places on the circle have no sum.
// says: no match for .operator\+|invalid operands
#include "wire/sequence.hh"

using lanyard::tcp::SequenceNumber;
#ifdef WRONG
auto f(SequenceNumber a, SequenceNumber b) {
  return a + b;
}
#else
auto f(SequenceNumber a) {
  return a + 1u;
}
#endif
