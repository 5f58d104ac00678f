// SPDX-License-Identifier: Apache-2.0
// Fragments of both families put together again (RFC 791 3.2, RFC 815, RFC 8200 4.5). Any order
// and exact duplicates are right; any overlap kills the datagram (RFC 5722), also what of it is
// still to come. Everything is bounded, and the oldest goes first.
#pragma once

#include <cstdint>
#include <expected>
#include <list>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/drop.hh"
#include "core/packet.hh"
#include "core/time.hh"
#include "internet/config.hh"
#include "wire/address.hh"

namespace lanyard::internet {

// RFC 791 3.2: source, destination, protocol, identification; RFC 8200 4.5: without the protocol,
// which is 0 for IPv6.
struct FragmentKey {
  IpAddress source, destination;
  std::uint32_t identification = 0;
  std::uint8_t protocol = 0;
  friend bool operator==(const FragmentKey&, const FragmentKey&) = default;
};

struct FragmentKeyHash {
  std::size_t operator()(const FragmentKey& key) const noexcept;
};

// Facts about the headers that outlive the fragment: those of the first one count.
struct FragmentHeader {
  std::vector<std::uint8_t> bytes;  // as received: everything before the fragment's data
  std::uint16_t fragment_at = 0;    // IPv6: where the fragment header stands in `bytes`
  std::uint16_t next_at = 0;        // IPv6: where the field that announced it stands
  std::uint32_t interface = 0;
  bool was_link_broadcast = false;
};

struct Fragment {
  FragmentKey key;
  std::uint32_t offset = 0;  // bytes
  bool more = false;
  std::uint8_t ecn = 0;
  FragmentHeader header;
  Packet data;
};

struct Reassembled {
  FragmentHeader header;  // of the first fragment
  std::uint8_t ecn = 0;   // RFC 3168 5.3
  Packet data;
};

class Reassembly {
 public:
  explicit Reassembly(const Config& config) : config_(config) {}

  // Takes a fragment. A whole datagram when this was the last missing piece, nothing when more are
  // missing, the reason when the fragment (and perhaps its datagram) was dropped.
  std::expected<std::optional<Reassembled>, DropReason> add(Instant now, Fragment fragment);

  // What was given up since the last call. With `first` there is something to quote.
  struct GivenUp {
    DropReason reason = DropReason::reassembly_timeout;
    FragmentKey key;
    bool has_first = false;
    FragmentHeader header;
    Packet first;
  };
  [[nodiscard]] std::vector<GivenUp> take_given_up();

  void poll(Instant now);
  [[nodiscard]] Instant next_deadline() const;
  [[nodiscard]] std::size_t datagrams() const { return by_key_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Piece {
    std::uint32_t offset = 0, end = 0;
    Packet data;
  };
  struct Partial {
    FragmentKey key;
    Instant expires;
    std::vector<Piece> pieces;  // by offset, never overlapping
    std::optional<std::uint32_t> total;
    std::uint32_t have = 0;
    std::size_t cost = 0;
    std::uint8_t ecn = 0;
    bool is_dead = false;  // an overlap was seen; kept so that the rest is recognised
    FragmentHeader header;
  };
  using Partials = std::list<Partial>;  // the oldest first

  enum class Fit : std::uint8_t { fits, duplicate, overlaps };
  Partial& partial_for(Instant now, const FragmentKey& key);
  [[nodiscard]] static Fit fit(const Partial& partial, const Fragment& fragment);
  static void merge_ecn(Partial& partial, std::uint8_t ecn);
  void insert(Partial& partial, Fragment fragment);
  Reassembled assemble(Partial& partial);
  void kill(Partial& partial);
  void give_up(Partials::iterator partial, DropReason reason);
  void erase(Partials::iterator partial);
  void make_room(const Partial& keep);

  const Config& config_;
  Partials partials_;
  std::unordered_map<FragmentKey, Partials::iterator, FragmentKeyHash> by_key_;
  std::size_t bytes_ = 0;
  std::vector<GivenUp> given_up_;
};

}  // namespace lanyard::internet
