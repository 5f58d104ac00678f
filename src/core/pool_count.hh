// SPDX-License-Identifier: Apache-2.0
// How many blocks of a pool are in use: whoever is done has given all of his back.
#pragma once

#include <cstdint>

namespace lanyard {

// Blocks that this thread has allocated and somebody still refers to.
[[nodiscard]] std::int64_t blocks_in_use();

}  // namespace lanyard
