// SPDX-License-Identifier: Apache-2.0
// The route table: longest prefix match for both families in one path-compressed binary trie each;
// a million routes take about 80 MB. A prefix may have several next hops; dead gateways and links
// that are down are passed over.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "core/time.hh"
#include "internet/route.hh"
#include "wire/address.hh"

namespace lanyard::internet {

class RouteTable {
 public:
  // Host bits of the destination are cleared. A route with the same destination, gateway and
  // interface is replaced.
  void add(const Route& route);
  // Interface 0: any; an unspecified gateway matches on-link routes only. How many went.
  std::size_t remove(const IpPrefix& destination, const IpAddress& gateway,
                     std::uint32_t interface);
  std::size_t remove_origin(const IpPrefix& destination, RouteOrigin origin);
  // All routes of this origin through this gateway.
  std::size_t remove_through(const IpAddress& gateway, std::uint32_t interface, RouteOrigin origin);

  // The best next hop: longest prefix with a link that is up, then a gateway not known to be dead,
  // then the least metric, then the first added. Null: no route. Valid until the table changes.
  [[nodiscard]] const NextHop* find(const IpAddress& destination, std::uint32_t interface) const;

  void set_up(std::uint32_t interface, bool is_up);
  // RFC 1122 3.3.1.4: a gateway that does not answer is passed over until `until`.
  void mark_dead(const IpAddress& gateway, std::uint32_t interface, Instant until);
  void mark_alive(const IpAddress& gateway, std::uint32_t interface);
  [[nodiscard]] bool is_gateway(const IpAddress& address, std::uint32_t interface) const;
  void poll(Instant now);
  [[nodiscard]] Instant next_deadline() const;

  [[nodiscard]] std::size_t size() const { return size_; }
  // Grows whenever find() may answer otherwise than before.
  [[nodiscard]] std::uint64_t version() const { return version_; }
  // All routes in the order of their prefixes, IPv4 first.
  [[nodiscard]] std::vector<Route> rows() const;

 private:
  using Index = std::uint32_t;
  static constexpr Index none = ~Index{0};
  // A prefix, left-aligned: IPv4 in the upper half of `high`.
  struct Key {
    std::uint64_t high = 0, low = 0;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Node {
    Key key;
    std::array<Index, 2> children{none, none};
    Index routes = none;  // head of a chain in links_
    std::uint8_t length = 0;
  };
  struct Link {
    Index hop = none, next = none;
  };
  struct SharedHop {
    NextHop hop;
    std::uint32_t routes = 0;
  };
  struct DeadGateway {
    IpAddress gateway;
    std::uint32_t interface;
    Instant until;
  };

  [[nodiscard]] static Key key_of(const IpAddress& address);
  [[nodiscard]] static bool bit(const Key& key, unsigned position);
  [[nodiscard]] static Key masked(const Key& key, unsigned length);
  [[nodiscard]] static unsigned common_bits(const Key& a, const Key& b);
  [[nodiscard]] Index root_of(Family family) const { return roots_[family == Family::ipv6]; }
  Index node_for(Family family, const Key& key, unsigned length);
  [[nodiscard]] Index exact(Family family, const Key& key, unsigned length) const;
  Index new_node(const Key& key, unsigned length);
  void prune(Family family, const Key& key, unsigned length);
  [[nodiscard]] const NextHop* search(Index from, const Key& key, std::uint32_t interface) const;
  [[nodiscard]] Index shortcut(const Key& key) const;
  void forget_shortcuts();
  void fill_shortcuts(Index at, std::uint64_t begin, std::uint64_t end) const;
  [[nodiscard]] const NextHop* best_of(const Node& node, std::uint32_t interface) const;
  [[nodiscard]] bool is_usable(const NextHop& hop, std::uint32_t interface) const;
  [[nodiscard]] bool is_dead(const NextHop& hop) const;
  Index share(const NextHop& hop);
  void unshare(Index hop);
  template <typename Matches>
  std::size_t remove_matching(const IpPrefix& destination, Matches matches);
  template <typename Matches>
  std::size_t remove_links(Node& node, Matches matches);
  void collect(Index index, Family family, std::vector<Route>& rows) const;

  std::vector<Node> nodes_;
  std::vector<Index> free_nodes_;
  std::array<Index, 2> roots_{none, none};
  std::vector<Link> links_;
  std::vector<Index> free_links_;
  std::vector<SharedHop> hops_;
  std::vector<Index> free_hops_;
  std::map<NextHop, Index> hop_indices_;
  std::vector<std::uint32_t> down_;  // interfaces
  std::vector<DeadGateway> dead_;
  std::size_t size_ = 0;
  std::uint64_t version_ = 1;
  // For large IPv4 tables: by the first 24 bits, the deepest node no longer than those; empty while
  // the table is small or has just changed.
  mutable std::vector<Index> shortcuts_;
  mutable std::uint32_t searches_ = 0;  // since the last change
};

}  // namespace lanyard::internet
