// SPDX-License-Identifier: Apache-2.0
#include "wire/ipv6_extensions.hh"

#include <algorithm>

#include "wire/icmp.hh"
#include "wire/protocol.hh"

namespace lanyard::ipv6 {

// RFC 8200 4.2 [RFC8200-4.2-e], [RFC8200-4.2-f], BI-25: Pad1 has no length byte; another option
// whose length leads past the end stops the walk.
std::optional<Option> OptionReader::next() {
  if (is_malformed_ || at_ >= options_.size()) return std::nullopt;
  const Bytes rest = options_.subspan(at_);
  if (rest[0] == option::pad1) return Option{option::pad1, at_++, {}};
  if (rest.size() < 2 || std::size_t{2} + rest[1] > rest.size()) {
    is_malformed_ = true;
    return std::nullopt;
  }
  const Option found{rest[0], at_, rest.subspan(2, rest[1])};
  at_ += std::size_t{2} + rest[1];
  return found;
}

std::optional<FragmentView> FragmentView::parse(Bytes bytes) {
  if (bytes.size() < fragment_header_size) return std::nullopt;
  return FragmentView(bytes.data());
}

void FragmentHeader::write(std::uint8_t* to) const {
  to[0] = next_header;
  to[1] = 0;
  store16(to + 2, static_cast<std::uint16_t>((offset & 0xfff8U) | (more_fragments ? 1 : 0)));
  store32(to + 4, identification);
}

namespace {

// One walk over one packet. Each step looks at the header at offset_ and either goes behind it or
// finishes with an outcome.
class Walker {
 public:
  Walker(const View& view, const WalkFrom& from)
      : packet_(view.packet()),
        to_multicast_(view.destination().is_multicast()),
        from_(from),
        may_be_hop_by_hop_(from.is_first) {
    walk_.protocol = from.next_header;
    walk_.offset = from.offset;
    walk_.named_at = from.named_at;
  }

  Walk run() {
    for (unsigned headers = 0; !is_finished_; ++headers) {
      if (headers == extension_headers_max) {
        discard();
        break;
      }
      step();
    }
    return walk_;
  }

 private:
  void step() {
    switch (walk_.protocol) {
      case protocol::hop_by_hop:
        return step_hop_by_hop();
      case protocol::destination_options:
        return is_router_done() ? finish() : step_options();
      case protocol::routing:
        return is_router_done() ? finish() : step_routing();
      case protocol::fragment:
        return is_router_done() ? finish() : step_fragment();
      case protocol::no_next_header:
        return finish(Walk::Outcome::no_next_header);
      default:
        return finish();
    }
  }

  [[nodiscard]] bool is_router_done() const { return from_.only_hop_by_hop; }

  // RFC 8200 4.3, 4.1 [RFC8200-4-a], BI-26: only straight behind the IPv6 header.
  void step_hop_by_hop() {
    if (!may_be_hop_by_hop_) return problem(icmp::v6::unknown_next_header, walk_.named_at);
    step_options();
  }

  void step_options() {
    const Bytes header = extension();
    if (is_finished_) return;
    OptionReader reader(header.subspan(2));
    while (const std::optional<Option> option = reader.next()) {
      judge(*option);
      if (is_finished_) return;
    }
    // BI-25: an option that leads past its header.
    if (reader.is_malformed()) return discard();
    go_behind(header);
  }

  // RFC 8200 4.2: the two highest bits of an unknown option's type say what to do, BI-27.
  void judge(const Option& option) {
    if (option.type == option::pad1 || option.type == option::pad_n) return;
    if (option.type == option::router_alert && option.data.size() == 2) {
      walk_.has_router_alert = true;
      return;
    }
    const std::size_t pointer = walk_.offset + 2 + option.offset;
    switch (option.type >> 6) {
      case 0:
        return;  // [RFC8200-4.2-a]: skip
      case 1:
        return discard();  // [RFC8200-4.2-b]
      case 2:              // [RFC8200-4.2-c]: to multicast too
        walk_.answer_multicast = true;
        return problem(icmp::v6::unknown_option, pointer);
      default:  // [RFC8200-4.2-d]
        return to_multicast_ ? discard() : problem(icmp::v6::unknown_option, pointer);
    }
  }

  // RFC 8200 4.4 [RFC8200-4.4-a], [RFC8200-4.4-b], RFC 5095: no routing type is known; a route that
  // has ended is no hindrance.
  void step_routing() {
    const Bytes header = extension();
    if (is_finished_) return;
    const std::uint8_t segments_left = header[3];
    if (segments_left != 0) return problem(icmp::v6::erroneous_header, walk_.offset + 2);
    go_behind(header);
  }

  // BI-22: what was put together from fragments is not itself a fragment.
  void step_fragment() {
    if (from_.is_reassembled) return discard(DropReason::bad_fragment);
    if (packet_.size() < walk_.offset + fragment_header_size) {
      return finish(Walk::Outcome::truncated, DropReason::bad_extension_header);
    }
    finish(Walk::Outcome::fragment);
  }

  // The header at offset_, whole; finishes as truncated when it is not there.
  Bytes extension() {
    const Bytes rest = packet_.subspan(std::min(packet_.size(), walk_.offset));
    const std::size_t size = rest.size() < 2 ? 0 : 8 + std::size_t{8} * rest[1];
    if (size == 0 || size > rest.size()) {
      finish(Walk::Outcome::truncated, DropReason::bad_extension_header);
      return {};
    }
    return rest.first(size);
  }

  void go_behind(Bytes header) {
    walk_.named_at = walk_.offset;
    walk_.protocol = header[0];
    walk_.offset += header.size();
    may_be_hop_by_hop_ = false;
  }

  void problem(std::uint8_t code, std::size_t pointer) {
    walk_.code = code;
    walk_.pointer = pointer;
    finish(Walk::Outcome::parameter_problem, DropReason::bad_extension_header);
  }
  void discard(DropReason reason = DropReason::bad_extension_header) {
    finish(Walk::Outcome::discard, reason);
  }
  void finish(Walk::Outcome outcome = Walk::Outcome::upper_layer,
              DropReason reason = DropReason::none) {
    walk_.outcome = outcome;
    walk_.reason = reason;
    is_finished_ = true;
  }

  Bytes packet_;
  bool to_multicast_;
  WalkFrom from_;
  bool may_be_hop_by_hop_;
  bool is_finished_ = false;
  Walk walk_;
};

}  // namespace

Walk walk(const View& view, const WalkFrom& from) {
  return Walker(view, from).run();
}

Walk walk(const View& view) {
  return walk(view, {.next_header = view.next_header()});
}

Walk walk_hop_by_hop(const View& view) {
  return walk(view, {.next_header = view.next_header(), .only_hop_by_hop = true});
}

UpperLayer find_upper_layer(const View& view) {
  const Bytes packet = view.packet();
  UpperLayer at{.protocol = view.next_header(), .offset = header_size};
  for (unsigned headers = 0; headers < extension_headers_max; ++headers) {
    const Bytes rest = packet.subspan(std::min(packet.size(), at.offset));
    const bool is_fragment = at.protocol == protocol::fragment;
    const bool is_extension = is_fragment || at.protocol == protocol::hop_by_hop ||
                              at.protocol == protocol::routing ||
                              at.protocol == protocol::destination_options;
    if (!is_extension) {
      at.is_found = at.protocol != protocol::no_next_header;
      return at;
    }
    if (rest.size() < 8) return at;
    const std::size_t size = is_fragment ? fragment_header_size : 8 + std::size_t{8} * rest[1];
    if (size > rest.size()) return at;
    at.protocol = rest[0];
    at.offset += size;
    if (is_fragment && FragmentView::parse(rest)->offset() != 0) {
      at.is_found = at.is_later_fragment = true;
      return at;
    }
  }
  return at;
}

}  // namespace lanyard::ipv6
