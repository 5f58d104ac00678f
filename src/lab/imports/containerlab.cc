// SPDX-License-Identifier: Apache-2.0
// containerlab's topology files. Containers are not run: a network operating system becomes a
// router, a bridge a switch, a Linux container a host, or a router if it has several links.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lab/command.hh"
#include "lab/imports/topology.hh"
#include "lab/nearest.hh"
#include "lab/yaml.hh"

namespace lanyard::lab::imports {
namespace {

constexpr std::string_view not_here = "there is nothing for it in a lab";

std::string_view text_at(const Yaml* yaml) {
  return yaml != nullptr && yaml->is_scalar() ? std::string_view(yaml->text) : std::string_view();
}

const Yaml* value_of(const Yaml* map, std::string_view key) {
  if (map == nullptr) return nullptr;
  for (const auto& [name, value] : map->pairs)
    if (name.text == key) return &value;
  return nullptr;
}

bool has_word(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(
      words, [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

// What an `exec:` line of a container does to its network.
struct Setting {
  enum class Kind : std::uint8_t { unknown, nothing, address, gateway, forwarding };
  Kind kind = Kind::unknown;
  std::string value = {}, interface = {};
};

Setting setting_of(std::string_view command) {
  std::vector<std::string> words = words_of(command).value_or(std::vector<std::string>{});
  std::erase_if(words, [](const std::string& word) { return word == "-4" || word == "-6"; });
  const auto after = [&](std::string_view word) {
    const auto found = std::ranges::find(words, word);
    return found == words.end() || found + 1 == words.end() ? std::string() : *(found + 1);
  };
  if (words.size() >= 2 && words[0] == "sysctl" &&
      has_word(words.back(), {"forwarding=1", "ip_forward=1"}))
    return {.kind = Setting::Kind::forwarding};
  if (words.size() < 4 || words[0] != "ip") return {};
  const std::string &object = words[1], &verb = words[2];
  if (object == "link" && words.back() == "up") return {.kind = Setting::Kind::nothing};
  if (std::string_view("address").starts_with(object) && verb == "add")
    return {.kind = Setting::Kind::address, .value = words[3], .interface = after("dev")};
  const bool adds_route = object.starts_with("r") &&
                          std::string_view("route").starts_with(object) &&
                          (verb == "add" || verb == "replace");
  if (adds_route && (words[3] == "default" || words[3] == "0.0.0.0/0" || words[3] == "::/0"))
    return {.kind = Setting::Kind::gateway, .value = after("via")};
  return {};
}

class Reader {
 public:
  Reader(Notes& notes, NodeNames& names) : notes_(notes), names_(names) {}

  Topology read(std::string_view text) {
    const auto root = parse_yaml(text);
    if (!root) {
      notes_.wrong(root.error().mark, root.error().what, root.error().fix);
      return {};
    }
    const Yaml* const body = value_of(&*root, "topology");
    if (!root->is_mapping() || body == nullptr || !body->is_mapping()) {
      notes_.wrong(root->mark, "this is no topology of containerlab",
                   "it has `name:` and `topology:` with `nodes:` and `links:`");
      return {};
    }
    for (const auto& [key, value] : root->pairs) {
      if (key.text == "name")
        topology_.name = std::string(text_at(&value));
      else if (key.text != "topology")
        leave(key);
    }
    if (topology_.name.empty()) topology_.name = "lab";
    read_topology(*body);
    return std::move(topology_);
  }

 private:
  struct Address {
    std::uint32_t node = 0;
    std::string interface, address;
    Mark mark = {};
  };

  void leave(const Yaml& key) {
    notes_.note(key.mark, fmt::format("`{}` is not translated", key.text.substr(0, 60)),
                std::string(not_here));
  }

  void read_topology(const Yaml& body) {
    defaults_ = value_of(&body, "defaults");
    kinds_ = value_of(&body, "kinds");
    groups_ = value_of(&body, "groups");
    for (const auto& [key, value] : body.pairs) {
      if (key.text == "nodes")
        read_nodes(value);
      else if (key.text == "defaults")
        leave_inside(value);
      else if (key.text == "kinds" || key.text == "groups") {
        for (const auto& [name, inside] : value.pairs) leave_inside(inside);
      } else if (key.text != "links")
        leave(key);
    }
    if (const Yaml* const links = value_of(&body, "links")) read_links(*links);
    place_addresses();
    count_links();
  }

  // What the defaults say beside kind and image.
  void leave_inside(const Yaml& value) {
    for (const auto& [key, inside] : value.pairs)
      if (key.text != "kind" && key.text != "image" && key.text != "group") leave(key);
  }

  // A node's own word, its group's, its kind's, or the default.
  std::string_view inherited(const Yaml& node, std::string_view key, std::string_view kind) const {
    const std::string_view group = text_at(value_of(&node, "group"));
    for (const Yaml* from : {&node, value_of(groups_, group), value_of(kinds_, kind), defaults_})
      if (const std::string_view text = text_at(value_of(from, key)); !text.empty()) return text;
    return {};
  }

  void read_nodes(const Yaml& section) {
    if (!section.is_mapping())
      notes_.wrong(section.mark, "`nodes` is no mapping",
                   "write a line `alice: { kind: linux }` for each");
    for (const auto& [name, body] : section.pairs) read_node(name, body);
  }

  void read_node(const Yaml& name, const Yaml& body) {
    const auto number = static_cast<std::uint32_t>(topology_.nodes.size());
    if (!by_name_.emplace(name.text, number).second)
      return notes_.wrong(name.mark,
                          fmt::format("the node `{}` is here twice", name.text.substr(0, 60)),
                          "keep one");
    Node node{.name = names_.name_for(name.text, name.mark)};
    const std::string kind(inherited(body, "kind", {}));
    const std::string_view image = inherited(body, "image", kind);
    const bool is_container =
        kind.empty() || kind == "linux" || kind.starts_with("k8s") || kind == "ext-container";
    const bool routes = has_word(image, {"frr", "bird", "quagga", "vyos", "gobgp", "openbgpd"});
    may_become_router_.push_back(is_container && !routes);
    if (kind == "bridge" || kind == "ovs-bridge")
      node.kind = NodeKind::switching;
    else if (!is_container || routes)
      node.kind = NodeKind::router;
    marks_.push_back(name.mark);
    topology_.nodes.push_back(node);
    for (const auto& [key, value] : body.pairs) read_node_key(number, key, value);
  }

  void read_node_key(std::uint32_t number, const Yaml& key, const Yaml& value) {
    if (key.text == "exec" && value.is_sequence()) {
      for (const Yaml& line : value.items) read_exec(number, line);
    } else if (key.text == "image") {
      notes_.note(
          key.mark, fmt::format("the image `{}` is not run", text_at(&value).substr(0, 70)),
          fmt::format("{} is {}", topology_.nodes[number].name,
                      topology_.nodes[number].kind == NodeKind::router ? "a router of Lanyard's"
                      : topology_.nodes[number].kind == NodeKind::switching
                          ? "a switch of Lanyard's"
                          : "a host; give it programs with `run:`"));
    } else if (key.text != "kind" && key.text != "group" && key.text != "labels") {
      leave(key);
    }
  }

  void read_exec(std::uint32_t number, const Yaml& line) {
    const Setting setting = setting_of(line.text);
    Node& node = topology_.nodes[number];
    const bool is_prefix =
        IpPrefix::parse(setting.value).has_value() && setting.value.find('/') != std::string::npos;
    switch (setting.kind) {
      case Setting::Kind::nothing:
        return;
      case Setting::Kind::forwarding:
        if (node.kind == NodeKind::host) node.kind = NodeKind::router;
        return;
      case Setting::Kind::address:
        if (!is_prefix || node.kind == NodeKind::switching) break;
        addresses_.push_back({number, setting.interface, setting.value, line.mark});
        return;
      case Setting::Kind::gateway:
        if (!IpAddress::parse(setting.value) || !node.gateway.empty()) break;
        node.gateway = setting.value;
        return;
      case Setting::Kind::unknown:
        break;
    }
    notes_.note(line.mark, fmt::format("`{}` is not run", line.text.substr(0, 70)),
                std::string(not_here));
  }

  void read_links(const Yaml& section) {
    if (!section.is_sequence())
      notes_.wrong(section.mark, "`links` is no list",
                   "write `- endpoints: [\"a:eth1\", \"b:eth1\"]`");
    for (const Yaml& link : section.items) read_link(link);
  }

  void read_link(const Yaml& body) {
    const std::string_view type = text_at(value_of(&body, "type"));
    if (!type.empty() && type != "veth")
      return notes_.note(body.mark, fmt::format("a link of type `{}` is left out", type),
                         "a lab has nothing outside");
    const Yaml* const ends = value_of(&body, "endpoints");
    if (ends == nullptr || ends->items.size() != 2)
      return notes_.wrong(body.mark, "a link has two endpoints",
                          "write `endpoints: [\"a:eth1\", \"b:eth1\"]`");
    Link link{.mark = body.mark};
    std::array<std::string, 2> interfaces;
    if (!read_end(ends->items[0], link.a, interfaces[0]) ||
        !read_end(ends->items[1], link.b, interfaces[1]))
      return;
    if (link.a.node == link.b.node)
      return notes_.note(body.mark, "a link from a node to itself is left out",
                         std::string(not_here));
    for (const auto& [key, value] : body.pairs) {
      if (key.text == "mtu")
        read_mtu(value, link);
      else if (key.text != "endpoints" && key.text != "type" && key.text != "labels")
        leave(key);
    }
    interfaces_.push_back(std::move(interfaces));
    topology_.links.push_back(std::move(link));
  }

  void read_mtu(const Yaml& value, Link& link) {
    const auto mtu = parse_count(value.text, "mtu", 65'535);
    if (mtu && *mtu >= 1280)
      link.keys.emplace_back("mtu", value.text);
    else
      notes_.note(value.mark,
                  fmt::format("an MTU of `{}` is not translated", value.text.substr(0, 20)),
                  "a lab's links take from 1280 to 65535 bytes");
  }

  // False if the link is left out.
  bool read_end(const Yaml& end, End& into, std::string& interface) {
    std::string node;
    if (end.is_scalar()) {
      const std::size_t colon = end.text.rfind(':');
      node = end.text.substr(0, colon);
      if (colon != std::string::npos) interface = end.text.substr(colon + 1);
    } else {
      node = text_at(value_of(&end, "node"));
      interface = text_at(value_of(&end, "interface"));
      into.mac = text_at(value_of(&end, "mac"));
      if (!MacAddress::parse(into.mac)) into.mac.clear();
      for (const char* key : {"ipv4", "ipv6"})
        if (const std::string_view address = text_at(value_of(&end, key)); IpPrefix::parse(address))
          into.addresses.emplace_back(address);
    }
    if (node == "host" || node == "mgmt-net" || node == "macvlan") {
      notes_.note(end.mark, fmt::format("the link to `{}` is left out", end.text.substr(0, 60)),
                  "a lab has nothing outside");
      return false;
    }
    const auto found = by_name_.find(node);
    if (found == by_name_.end()) {
      std::vector<std::string> known;
      for (const auto& each : by_name_) known.push_back(each.first);
      notes_.wrong(end.mark, fmt::format("unknown node `{}`", node.substr(0, 60)),
                   suggestion(node, known));
      return false;
    }
    into.node = found->second;
    return true;
  }

  // Those that `exec:` gave to interfaces go to the links there.
  void place_addresses() {
    for (const Address& each : addresses_) {
      bool is_placed = false;
      for (std::size_t i = 0; i < topology_.links.size() && !is_placed; ++i)
        for (const std::size_t side : {0U, 1U}) {
          End& end = side == 0 ? topology_.links[i].a : topology_.links[i].b;
          if (end.node != each.node || interfaces_[i][side] != each.interface) continue;
          end.addresses.push_back(each.address);
          is_placed = true;
        }
      if (!is_placed)
        notes_.note(each.mark, fmt::format("the address {} is left out", each.address),
                    fmt::format("no link of {} has an interface `{}`",
                                topology_.nodes[each.node].name, each.interface));
    }
  }

  void count_links() {
    for (const Link& link : topology_.links)
      for (const End* end : {&link.a, &link.b}) ++topology_.nodes[end->node].links;
    for (std::size_t i = 0; i < topology_.nodes.size(); ++i) {
      Node& node = topology_.nodes[i];
      if (may_become_router_[i] && node.kind == NodeKind::host && node.links > 1) {
        node.kind = NodeKind::router;
        notes_.note(marks_[i],
                    fmt::format("{} has {} links and becomes a router", node.name, node.links),
                    "containers forward packets; make it a host if it must not");
      }
      if (node.kind != NodeKind::host && !node.gateway.empty()) {
        notes_.note(marks_[i], fmt::format("the default route of {} is left out", node.name),
                    "routers of a lab know the way to every network");
        node.gateway.clear();
      }
    }
  }

  Notes& notes_;
  NodeNames& names_;
  Topology topology_;
  const Yaml *defaults_ = nullptr, *kinds_ = nullptr, *groups_ = nullptr;
  std::map<std::string, std::uint32_t> by_name_;
  std::vector<Mark> marks_;                             // of nodes
  std::vector<bool> may_become_router_;                 // of nodes
  std::vector<std::array<std::string, 2>> interfaces_;  // of links
  std::vector<Address> addresses_;
};

}  // namespace

Topology read_containerlab(std::string_view text, Notes& notes, NodeNames& names) {
  return Reader(notes, names).read(text);
}

}  // namespace lanyard::lab::imports
