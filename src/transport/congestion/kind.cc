// SPDX-License-Identifier: Apache-2.0
#include "transport/congestion/kind.hh"

#include "transport/congestion/cubic.hh"
#include "transport/congestion/new_reno.hh"

namespace lanyard::congestion {

std::string_view to_text(Kind kind) {
  return kind == Kind::cubic ? "cubic" : "reno";
}

std::optional<Kind> kind_of(std::string_view name) {
  for (const Kind kind : {Kind::cubic, Kind::reno})
    if (name == to_text(kind)) return kind;
  return std::nullopt;
}

std::unique_ptr<Control> make(Kind kind, std::uint32_t segment_bytes, bool syn_was_lost) {
  if (kind == Kind::reno) return std::make_unique<NewReno>(segment_bytes, syn_was_lost);
  return std::make_unique<Cubic>(segment_bytes, syn_was_lost);
}

}  // namespace lanyard::congestion
