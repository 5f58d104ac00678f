// SPDX-License-Identifier: Apache-2.0
// Ports, and which of them one broadcast reaches.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "lab/planner.hh"

namespace lanyard::lab {
namespace {

// Sets of numbers that are merged; the smallest of a set stands for it.
class Groups {
 public:
  explicit Groups(std::size_t size) : parent_(size) {
    std::iota(parent_.begin(), parent_.end(), 0U);
  }
  std::uint32_t find(std::uint32_t each) {
    while (parent_[each] != each) each = parent_[each] = parent_[parent_[each]];
    return each;
  }
  // False if they were together already.
  bool join(std::uint32_t a, std::uint32_t b) {
    a = find(a);
    b = find(b);
    parent_[std::max(a, b)] = std::min(a, b);
    return a != b;
  }

 private:
  std::vector<std::uint32_t> parent_;
};

}  // namespace

const IpPrefix* address_of(const PlannedPort& port, Family family) {
  for (const IpPrefix& each : port.addresses)
    if (each.address.family() == family) return &each;
  return nullptr;
}

const LinkEnd& Planner::end_of(const PlannedPort& port) const {
  const LinkSpec& link = model_.links[port.link];
  return port.is_a ? link.a : link.b;
}

Mark Planner::mark_of(const PlannedPort& port) const {
  return end_of(port).addresses.empty() ? node_of(port).mark : model_.links[port.link].mark;
}

void Planner::problem(Mark mark, std::string what, std::string fix) {
  problems.push_back({mark, std::move(what), std::move(fix)});
}

std::uint32_t Planner::interface_of(std::uint32_t port) const {
  const std::vector<std::uint32_t>& ports = plan.nodes[plan.ports[port].node].ports;
  return 2 + static_cast<std::uint32_t>(std::ranges::find(ports, port) - ports.begin());
}

void Planner::make_ports() {
  plan.nodes.resize(model_.nodes.size());
  struct End {
    std::uint32_t node, link;
    bool is_a;
  };
  std::vector<End> ends;
  for (std::uint32_t i = 0; i < model_.links.size(); ++i) {
    ends.push_back({model_.links[i].a.node, i, true});
    ends.push_back({model_.links[i].b.node, i, false});
  }
  std::ranges::stable_sort(ends, {}, &End::node);
  for (const End& end : ends) {
    PlannedNode& node = plan.nodes[end.node];
    PlannedPort port;
    port.node = end.node;
    port.link = end.link;
    port.is_a = end.is_a;
    port.name = is_switch(end.node) ? fmt::format("port{}", node.ports.size() + 1)
                                    : fmt::format("eth{}", node.ports.size());
    const std::uint32_t own = model_.nodes[end.node].mtu;
    const std::uint32_t links = model_.links[end.link].mtu;
    port.mtu = own == 0 ? links : std::min(own, links);
    node.ports.push_back(static_cast<std::uint32_t>(plan.ports.size()));
    plan.ports.push_back(std::move(port));
  }
}

// Links that meet at a switch are one network. Networks are numbered by their first link.
void Planner::find_networks() {
  Groups groups(model_.links.size());
  for (std::uint32_t i = 0; i < plan.nodes.size(); ++i) {
    const std::vector<std::uint32_t>& ports = plan.nodes[i].ports;
    if (is_switch(i))
      for (const std::uint32_t port : ports)
        groups.join(plan.ports[ports[0]].link, plan.ports[port].link);
  }
  std::map<std::uint32_t, std::uint32_t> numbers;
  for (std::uint32_t link = 0; link < model_.links.size(); ++link)
    numbers.try_emplace(groups.find(link), static_cast<std::uint32_t>(numbers.size()));
  plan.networks.resize(numbers.size());
  // Routers first, so that they get the first addresses.
  for (const bool wants_router : {true, false})
    for (std::uint32_t i = 0; i < plan.ports.size(); ++i) {
      PlannedPort& port = plan.ports[i];
      if (is_switch(port.node) || is_router(port.node) != wants_router) continue;
      port.network = numbers[groups.find(port.link)];
      plan.networks[port.network].ports.push_back(i);
    }
  for (PlannedPort& port : plan.ports) port.network = numbers[groups.find(port.link)];
}

// A broadcast in a circle of switches would go round for ever.
void Planner::check_circles() {
  Groups groups(model_.nodes.size());
  for (const LinkSpec& link : model_.links) {
    if (!is_switch(link.a.node) || !is_switch(link.b.node)) continue;
    if (!groups.join(link.a.node, link.b.node))
      problem(link.mark,
              fmt::format("{} -- {} closes a circle of switches", model_.nodes[link.a.node].name,
                          model_.nodes[link.b.node].name),
              "frames would go round for ever; take one link of the circle away, or use routers");
  }
}

}  // namespace lanyard::lab
