// SPDX-License-Identifier: Apache-2.0
#include "wire/ipv4_options.hh"

#include <cstring>

namespace lanyard::ipv4 {

// RFC 1122 3.2.1.8 [RFC1122-3.2.1.8-c], BI-10: a length of 0 or 1, or past the end, stops the walk.
std::optional<Option> OptionReader::next() {
  if (is_malformed_ || at_ >= options_.size()) return std::nullopt;
  const Bytes rest = options_.subspan(at_);
  const std::uint8_t type = rest[0];
  if (type == option::end_of_list) {
    at_ = options_.size();
    return std::nullopt;
  }
  const Option single{.type = type, .offset = at_, .bytes = rest.first(1), .data = {}};
  if (type == option::no_operation) {
    ++at_;
    return single;
  }
  if (rest.size() < 2 || rest[1] < 2 || rest[1] > rest.size()) {
    is_malformed_ = true;
    return std::nullopt;
  }
  const Bytes bytes = rest.first(rest[1]);
  const Option whole{.type = type, .offset = at_, .bytes = bytes, .data = bytes.subspan(2)};
  at_ += bytes.size();
  return whole;
}

OptionFacts examine_options(Bytes options) {
  OptionFacts facts;
  OptionReader reader(options);
  while (const std::optional<Option> found = reader.next()) {
    facts.source_routes +=
        found->type == option::loose_source_route || found->type == option::strict_source_route;
    facts.has_router_alert |= found->type == option::router_alert;
  }
  facts.is_malformed = reader.is_malformed();
  facts.malformed_offset = facts.is_malformed ? reader.offset() : 0;
  return facts;
}

// BI-10: the smallest legal pointer is 4, and a pointer past length + 1 points at nothing.
std::optional<SourceRoute> source_route_of(const Option& option) {
  const bool is_strict = option.type == option::strict_source_route;
  if (!is_strict && option.type != option::loose_source_route) return std::nullopt;
  if (option.bytes.size() < 3) return std::nullopt;
  const std::size_t pointer = option.data[0];
  const Bytes addresses = option.data.subspan(1);
  if (addresses.size() % 4 != 0 || pointer < 4 || pointer % 4 != 0 ||
      pointer > option.bytes.size() + 1) {
    return std::nullopt;
  }
  return SourceRoute{is_strict, pointer, addresses};
}

// RFC 791 3.2 [RFC791-3.2-b]: only options with the copied flag go into later fragments.
FragmentOptions options_of_later_fragments(Bytes options) {
  FragmentOptions copied;
  OptionReader reader(options);
  while (const std::optional<Option> found = reader.next()) {
    if (!found->is_copied() || copied.size + found->bytes.size() > copied.bytes.size()) continue;
    std::memcpy(copied.bytes.data() + copied.size, found->bytes.data(), found->bytes.size());
    copied.size += found->bytes.size();
  }
  return copied;
}

}  // namespace lanyard::ipv4
