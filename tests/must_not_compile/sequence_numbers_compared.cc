// SPDX-License-Identifier: Apache-2.0
// Sequence numbers lie on a circle: less-than means nothing there.
// says: no match for .operator<|invalid operands
#include "wire/sequence.hh"

using lanyard::tcp::SequenceNumber;
#ifdef WRONG
bool f(SequenceNumber a, SequenceNumber b) {
  return a < b;
}
#else
bool f(SequenceNumber a, SequenceNumber b) {
  return before(a, b);
}
#endif
