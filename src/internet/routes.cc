// SPDX-License-Identifier: Apache-2.0
#include "internet/routes.hh"

#include <algorithm>
#include <bit>

namespace lanyard::internet {

namespace {

constexpr std::size_t dead_gateways_max = 64;
// Shortcuts cost 64 MB and a tenth of a second: for tables that are large, and at rest.
constexpr std::size_t shortcut_routes_min = 50'000;
constexpr std::uint32_t shortcut_searches_min = 20'000;
constexpr unsigned shortcut_bits = 24;

std::uint64_t mask64(unsigned length) {
  return length == 0 ? 0 : ~std::uint64_t{0} << (64 - length);
}

}  // namespace

RouteTable::Key RouteTable::key_of(const IpAddress& address) {
  if (address.is_v4()) return {std::uint64_t{address.v4_number()} << 32, 0};
  return {load64(address.bytes().data()), load64(address.bytes().data() + 8)};
}

bool RouteTable::bit(const Key& key, unsigned position) {
  const std::uint64_t word = position < 64 ? key.high : key.low;
  return ((word >> (63 - position % 64)) & 1) != 0;
}

RouteTable::Key RouteTable::masked(const Key& key, unsigned length) {
  if (length <= 64) return {key.high & mask64(length), 0};
  return {key.high, key.low & mask64(length - 64)};
}

unsigned RouteTable::common_bits(const Key& a, const Key& b) {
  if (a.high != b.high) return static_cast<unsigned>(std::countl_zero(a.high ^ b.high));
  return 64 + static_cast<unsigned>(std::countl_zero(a.low ^ b.low));
}

RouteTable::Index RouteTable::new_node(const Key& key, unsigned length) {
  Index index = static_cast<Index>(nodes_.size());
  if (free_nodes_.empty()) {
    nodes_.emplace_back();
  } else {
    index = free_nodes_.back();
    free_nodes_.pop_back();
  }
  nodes_[index] = Node{};
  nodes_[index].key = masked(key, length);
  nodes_[index].length = static_cast<std::uint8_t>(length);
  return index;
}

// The node of this prefix, made if it is not there: on the way down, behind an edge, or in the
// middle of one, with a branch where two prefixes part.
RouteTable::Index RouteTable::node_for(Family family, const Key& key, unsigned length) {
  Index parent = none;
  Index at = root_of(family);
  bool side = false;
  const auto hang = [&](Index index) {
    (parent == none ? roots_[family == Family::ipv6] : nodes_[parent].children[side]) = index;
  };
  while (at != none) {
    const Key here = nodes_[at].key;
    const unsigned here_length = nodes_[at].length;
    const unsigned common = std::min({common_bits(key, here), length, here_length});
    if (common == here_length) {
      if (common == length) return at;
      parent = at;
      side = bit(key, here_length);
      at = nodes_[at].children[side];
      continue;
    }
    const Index upper = new_node(key, common);
    nodes_[upper].children[bit(here, common)] = at;
    hang(upper);
    if (common == length) return upper;
    const Index leaf = new_node(key, length);
    nodes_[upper].children[bit(key, common)] = leaf;
    return leaf;
  }
  const Index leaf = new_node(key, length);
  hang(leaf);
  return leaf;
}

RouteTable::Index RouteTable::exact(Family family, const Key& key, unsigned length) const {
  Index at = root_of(family);
  while (at != none && nodes_[at].length < length) {
    at = nodes_[at].children[bit(key, nodes_[at].length)];
  }
  const bool is_it =
      at != none && nodes_[at].length == length && nodes_[at].key == masked(key, length);
  return is_it ? at : none;
}

void RouteTable::add(const Route& route) {
  ++version_;
  forget_shortcuts();
  remove(route.destination, route.hop.gateway, route.hop.interface);
  const Family family = route.destination.address.family();
  const Index at = node_for(family, key_of(route.destination.address), route.destination.length);
  Index link = static_cast<Index>(links_.size());
  if (free_links_.empty()) {
    links_.emplace_back();
  } else {
    link = free_links_.back();
    free_links_.pop_back();
  }
  links_[link] = {share(route.hop), none};
  // At the end of the chain: the first added wins among equals.
  Index* last = &nodes_[at].routes;
  while (*last != none) last = &links_[*last].next;
  *last = link;
  ++size_;
}

template <typename Matches>
std::size_t RouteTable::remove_links(Node& node, Matches matches) {
  std::size_t removed = 0;
  for (Index* at = &node.routes; *at != none;) {
    const Index link = *at;
    if (!matches(hops_[links_[link].hop].hop)) {
      at = &links_[link].next;
      continue;
    }
    *at = links_[link].next;
    unshare(links_[link].hop);
    free_links_.push_back(link);
    ++removed;
  }
  size_ -= removed;
  return removed;
}

template <typename Matches>
std::size_t RouteTable::remove_matching(const IpPrefix& destination, Matches matches) {
  const Family family = destination.address.family();
  const Key key = key_of(destination.address);
  const Index at = exact(family, key, destination.length);
  if (at == none) return 0;
  const std::size_t removed = remove_links(nodes_[at], matches);
  if (removed == 0) return 0;
  ++version_;
  forget_shortcuts();
  prune(family, key, destination.length);
  return removed;
}

std::size_t RouteTable::remove(const IpPrefix& destination, const IpAddress& gateway,
                               std::uint32_t interface) {
  return remove_matching(destination, [&](const NextHop& hop) {
    const bool same_gateway = gateway.is_unspecified() ? hop.is_on_link() : hop.gateway == gateway;
    return same_gateway && (interface == 0 || hop.interface == interface);
  });
}

std::size_t RouteTable::remove_origin(const IpPrefix& destination, RouteOrigin origin) {
  return remove_matching(destination, [&](const NextHop& hop) { return hop.origin == origin; });
}

std::size_t RouteTable::remove_through(const IpAddress& gateway, std::uint32_t interface,
                                       RouteOrigin origin) {
  std::size_t removed = 0;
  for (const Route& route : rows()) {
    const NextHop& hop = route.hop;
    if (hop.gateway != gateway || hop.interface != interface || hop.origin != origin) continue;
    removed += remove(route.destination, gateway, interface);
  }
  return removed;
}

// Takes nodes away that neither hold a route nor part two ways, from this prefix upwards.
void RouteTable::prune(Family family, const Key& key, unsigned length) {
  std::array<Index, 130> path;
  std::size_t depth = 0;
  for (Index at = root_of(family); at != none && nodes_[at].length <= length;) {
    path[depth++] = at;
    if (nodes_[at].length == length) break;
    at = nodes_[at].children[bit(key, nodes_[at].length)];
  }
  while (depth-- > 0) {
    const Node& node = nodes_[path[depth]];
    const bool parts = node.children[0] != none && node.children[1] != none;
    if (node.routes != none || parts) return;
    const Index child = node.children[0] != none ? node.children[0] : node.children[1];
    if (depth == 0) {
      roots_[family == Family::ipv6] = child;
    } else {
      Node& parent = nodes_[path[depth - 1]];
      parent.children[parent.children[1] == path[depth]] = child;
    }
    free_nodes_.push_back(path[depth]);
  }
}

RouteTable::Index RouteTable::share(const NextHop& hop) {
  const auto [found, is_new] = hop_indices_.try_emplace(hop, none);
  if (is_new) {
    found->second = static_cast<Index>(hops_.size());
    if (free_hops_.empty()) {
      hops_.emplace_back();
    } else {
      found->second = free_hops_.back();
      free_hops_.pop_back();
    }
    hops_[found->second] = {hop, 0};
  }
  ++hops_[found->second].routes;
  return found->second;
}

void RouteTable::unshare(Index hop) {
  if (--hops_[hop].routes != 0) return;
  hop_indices_.erase(hops_[hop].hop);
  free_hops_.push_back(hop);
}

const NextHop* RouteTable::find(const IpAddress& destination, std::uint32_t interface) const {
  const Key key = key_of(destination);
  if (size_ >= shortcut_routes_min && destination.is_v4()) {
    const Index from = shortcut(key);
    // What a shortcut finds is longer than all that it leaves out.
    if (from != none) {
      if (const NextHop* hop = search(from, key, interface)) return hop;
    }
  }
  return search(root_of(destination.family()), key, interface);
}

RouteTable::Index RouteTable::shortcut(const Key& key) const {
  if (shortcuts_.empty()) {
    if (++searches_ < shortcut_searches_min) return none;
    shortcuts_.assign(std::size_t{1} << shortcut_bits, none);
    fill_shortcuts(root_of(Family::ipv4), 0, shortcuts_.size());
  }
  return shortcuts_[key.high >> (64 - shortcut_bits)];
}

// Gives the slots [begin, end) that this node covers to it, but for those of its children.
void RouteTable::fill_shortcuts(Index at, std::uint64_t begin, std::uint64_t end) const {
  if (at == none || nodes_[at].length > shortcut_bits) return;
  const Node& node = nodes_[at];
  begin = std::max(begin, node.key.high >> (64 - shortcut_bits));
  end = std::min(end, begin + (std::uint64_t{1} << (shortcut_bits - node.length)));
  std::fill(shortcuts_.begin() + static_cast<std::ptrdiff_t>(begin),
            shortcuts_.begin() + static_cast<std::ptrdiff_t>(end), at);
  for (const Index child : node.children) fill_shortcuts(child, begin, end);
}

void RouteTable::forget_shortcuts() {
  searches_ = 0;
  if (!shortcuts_.empty()) std::vector<Index>().swap(shortcuts_);
}

const NextHop* RouteTable::search(Index from, const Key& key, std::uint32_t interface) const {
  std::array<Index, 130> matches;
  std::size_t count = 0;
  for (Index at = from; at != none;) {
    const Node& node = nodes_[at];
    if (masked(key, node.length) != node.key) break;
    if (node.routes != none) matches[count++] = at;
    if (node.length == 128) break;
    at = node.children[bit(key, node.length)];
  }
  // RFC 1812 5.2.4.3 [RFC1812-5.2.4.3-a]: the longest match prevails, the default route comes last.
  while (count-- > 0) {
    if (const NextHop* hop = best_of(nodes_[matches[count]], interface)) return hop;
  }
  return nullptr;
}

const NextHop* RouteTable::best_of(const Node& node, std::uint32_t interface) const {
  const NextHop* best = nullptr;
  bool best_is_dead = true;
  for (Index link = node.routes; link != none; link = links_[link].next) {
    const NextHop& hop = hops_[links_[link].hop].hop;
    if (!is_usable(hop, interface)) continue;
    // RFC 1122 3.3.1.5 [RFC1122-3.3.1.5-a], RFC 4861 6.3.6 [RFC4861-6.3.6-a]: another gateway is
    // taken while one is dead; if all are, the best of them is tried all the same.
    const bool dead = is_dead(hop);
    const bool is_better = best == nullptr || (best_is_dead && !dead) ||
                           (best_is_dead == dead && hop.metric < best->metric);
    if (!is_better) continue;
    best = &hop;
    best_is_dead = dead;
  }
  return best;
}

bool RouteTable::is_usable(const NextHop& hop, std::uint32_t interface) const {
  if (interface != 0 && hop.interface != interface) return false;
  return std::find(down_.begin(), down_.end(), hop.interface) == down_.end();
}

bool RouteTable::is_dead(const NextHop& hop) const {
  return std::any_of(dead_.begin(), dead_.end(), [&](const DeadGateway& dead) {
    return dead.gateway == hop.gateway && dead.interface == hop.interface;
  });
}

void RouteTable::set_up(std::uint32_t interface, bool is_up) {
  ++version_;
  std::erase(down_, interface);
  if (!is_up) down_.push_back(interface);
}

void RouteTable::mark_dead(const IpAddress& gateway, std::uint32_t interface, Instant until) {
  mark_alive(gateway, interface);
  if (dead_.size() >= dead_gateways_max) dead_.erase(dead_.begin());
  dead_.push_back({gateway, interface, until});
  ++version_;
}

void RouteTable::mark_alive(const IpAddress& gateway, std::uint32_t interface) {
  version_ += std::erase_if(dead_, [&](const DeadGateway& dead) {
    return dead.gateway == gateway && dead.interface == interface;
  });
}

bool RouteTable::is_gateway(const IpAddress& address, std::uint32_t interface) const {
  return std::any_of(hop_indices_.begin(), hop_indices_.end(), [&](const auto& row) {
    return row.first.gateway == address && row.first.interface == interface;
  });
}

void RouteTable::poll(Instant now) {
  version_ += std::erase_if(dead_, [&](const DeadGateway& dead) { return dead.until <= now; });
}

Instant RouteTable::next_deadline() const {
  Instant next = Instant::never();
  for (const DeadGateway& dead : dead_) next = std::min(next, dead.until);
  return next;
}

std::vector<Route> RouteTable::rows() const {
  std::vector<Route> rows;
  rows.reserve(size_);
  for (const Family family : {Family::ipv4, Family::ipv6}) collect(root_of(family), family, rows);
  return rows;
}

void RouteTable::collect(Index index, Family family, std::vector<Route>& rows) const {
  if (index == none) return;
  const Node& node = nodes_[index];
  std::array<std::uint8_t, 16> bytes;
  store64(bytes.data(), node.key.high);
  store64(bytes.data() + 8, node.key.low);
  const IpAddress address = family == Family::ipv4 ? IpAddress::from_v4_bytes(bytes.data())
                                                   : IpAddress::from_v6_bytes(bytes.data());
  for (Index link = node.routes; link != none; link = links_[link].next) {
    rows.push_back({{address, node.length}, hops_[links_[link].hop].hop});
  }
  collect(node.children[0], family, rows);
  collect(node.children[1], family, rows);
}

}  // namespace lanyard::internet
