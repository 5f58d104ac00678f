// SPDX-License-Identifier: Apache-2.0
// How an idle object is written small: its fields one after the other, each beside a guess. One bit
// says whether the guess was right; where it was not, the difference follows, in as few octets as
// it needs. The writer and the reader have the same calls, so that one list of fields serves both.
// Bits are kept in words, of which the list says where the next one begins: how many octets of bits
// there are, the bits, the differences.
#pragma once

#include <type_traits>

#include "transport/tcp/fold_numbers.hh"

namespace lanyard::tcp {

// A field, and what it is likely to be.
template <typename T>
struct Guessed {
  T& value;
  std::type_identity_t<T> guess;
};
template <typename T>
Guessed(T&, std::type_identity_t<T>) -> Guessed<T>;

}  // namespace lanyard::tcp
