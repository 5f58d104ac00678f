// SPDX-License-Identifier: Apache-2.0
// The names that scripts use for numbers, with Linux's values.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace lanyard::lab::drill {

// SOL_SOCKET, O_NONBLOCK, TCP_CA_Open ...; nothing: not known.
[[nodiscard]] std::optional<std::int64_t> constant(std::string_view name);

}  // namespace lanyard::lab::drill
