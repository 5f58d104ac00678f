// SPDX-License-Identifier: Apache-2.0
// The extension headers of an IPv6 packet (RFC 8200 4): walked in order, with what must be done
// reported and nothing done.
//
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+  hop-by-hop, destination options: then options
//   |  Next Header  |  Hdr Ext Len  |  routing: then Routing Type, Segments Left
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+  length in 8-byte units, not counting the first 8
//
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |  Next Header  |   Reserved    |      Fragment Offset    |Res|M|
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                         Identification                        |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <cstdint>
#include <optional>

#include "core/bytes.hh"
#include "core/drop.hh"
#include "wire/ipv6.hh"

namespace lanyard::ipv6 {

inline constexpr std::size_t fragment_header_size = 8;
inline constexpr unsigned extension_headers_max = 32;  // RFC 8504 5.3 lets a node set a limit

// Where a walk begins. The default is a packet as it came.
struct WalkFrom {
  std::size_t offset = header_size;                 // of the first extension header
  std::uint8_t next_header = 0;                     // its type
  std::size_t named_at = ipv6::next_header_offset;  // the byte that gave its type
  bool is_first = true;                             // hop-by-hop options may stand here
  bool is_reassembled = false;   // another fragment header is then a reason to drop (BI-22)
  bool only_hop_by_hop = false;  // a router looks no further
};

// What a walk came to.
struct Walk {
  enum class Outcome : std::uint8_t {
    upper_layer,        // deliver to `protocol`, whose header begins at `offset`
    fragment,           // a fragment header stands at `offset`
    no_next_header,     // the packet ends here; no error
    discard,            // for `reason`, silently
    parameter_problem,  // discard, and answer with `code` and `pointer`
    truncated,          // the chain of headers goes on beyond the bytes given
  };
  Outcome outcome = Outcome::upper_layer;
  std::uint8_t protocol = 0;
  std::size_t offset = 0;    // all offsets count from the IPv6 header
  std::size_t named_at = 0;  // the byte that named `protocol`: the pointer when it is unknown
  DropReason reason = DropReason::none;
  std::uint8_t code = 0;  // of ICMPv6 Parameter Problem
  std::size_t pointer = 0;
  bool answer_multicast = false;  // the parameter problem is sent even for a multicast destination
  bool has_router_alert = false;
};

// Walks the extension headers of the packet whose header `view` shows.
[[nodiscard]] Walk walk(const View& view);
[[nodiscard]] Walk walk(const View& view, const WalkFrom& from);
// A router's walk: the hop-by-hop options only.
[[nodiscard]] Walk walk_hop_by_hop(const View& view);

// A fragment header that is wholly there.
class FragmentView {
 public:
  [[nodiscard]] static std::optional<FragmentView> parse(Bytes bytes);

  [[nodiscard]] std::uint8_t next_header() const { return from_[0]; }
  [[nodiscard]] std::size_t offset() const { return word() & 0xfff8U; }  // in bytes
  [[nodiscard]] bool more_fragments() const { return (word() & 1) != 0; }
  [[nodiscard]] std::uint32_t identification() const { return load32(from_ + 4); }
  // RFC 6946: a whole packet that happens to carry a fragment header.
  [[nodiscard]] bool is_atomic() const { return offset() == 0 && !more_fragments(); }

 private:
  explicit FragmentView(const std::uint8_t* from) : from_(from) {}
  [[nodiscard]] std::uint16_t word() const { return load16(from_ + 2); }
  const std::uint8_t* from_;
};

struct FragmentHeader {
  std::uint8_t next_header = 0;
  std::size_t offset = 0;  // in bytes, a multiple of 8
  bool more_fragments = false;
  std::uint32_t identification = 0;

  void write(std::uint8_t* to) const;  // fragment_header_size bytes
};

// One option of a hop-by-hop or destination options header.
struct Option {
  std::uint8_t type = 0;
  std::size_t offset = 0;  // in the bytes given to the reader
  Bytes data{};
};

namespace option {
inline constexpr std::uint8_t pad1 = 0;
inline constexpr std::uint8_t pad_n = 1;
inline constexpr std::uint8_t router_alert = 5;
}  // namespace option

// Walks options one by one, padding included, up to the first that is malformed.
class OptionReader {
 public:
  explicit OptionReader(Bytes options) : options_(options) {}
  [[nodiscard]] std::optional<Option> next();
  [[nodiscard]] bool is_malformed() const { return is_malformed_; }
  [[nodiscard]] std::size_t offset() const { return at_; }

 private:
  Bytes options_;
  std::size_t at_ = 0;
  bool is_malformed_ = false;
};

// Where the transport header of a packet is, whoever it is for: nothing is judged, a first fragment
// is looked through. For quotes and for dissection.
struct UpperLayer {
  bool is_found = false;
  bool is_later_fragment = false;
  std::uint8_t protocol = 0;
  std::size_t offset = 0;  // from the IPv6 header
};
[[nodiscard]] UpperLayer find_upper_layer(const View& view);

}  // namespace lanyard::ipv6
