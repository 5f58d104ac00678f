// SPDX-License-Identifier: Apache-2.0
// GraphML (graphml.graphdrawing.org), as drawing tools, graph libraries and the Topology Zoo write
// it. What data means is not part of the format; the names people use for it are below.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "lab/imports/topology.hh"
#include "lab/imports/xml.hh"
#include "lab/nearest.hh"
#include "lab/units.hh"

namespace lanyard::lab::imports {
namespace {

enum class Meaning : std::uint8_t { nothing, label, kind, delay, rate, loss };

struct KnownName {
  std::string_view name;
  Meaning meaning;
};
constexpr auto node_names = std::to_array<KnownName>({{"label", Meaning::label},
                                                      {"name", Meaning::label},
                                                      {"kind", Meaning::kind},
                                                      {"type", Meaning::kind},
                                                      {"role", Meaning::kind}});
constexpr auto edge_names = std::to_array<KnownName>({{"delay", Meaning::delay},
                                                      {"latency", Meaning::delay},
                                                      {"rate", Meaning::rate},
                                                      {"bandwidth", Meaning::rate},
                                                      {"capacity", Meaning::rate},
                                                      {"linkspeedraw", Meaning::rate},
                                                      {"loss", Meaning::loss},
                                                      {"packetloss", Meaning::loss},
                                                      {"packet_loss", Meaning::loss}});

Meaning meaning_of(std::span<const KnownName> known, std::string_view name) {
  const std::string wanted = lower(name);
  const auto found = std::ranges::find(known, wanted, &KnownName::name);
  return found == known.end() ? Meaning::nothing : found->meaning;
}

// A number without a unit: thousandths of it, what is smaller left out.
std::optional<std::int64_t> thousandths(std::string_view text) {
  constexpr std::size_t digits_max = 15;
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string digits(text.substr(0, point));
  std::string part(text.substr(std::min(point + 1, text.size())));
  part.resize(std::max<std::size_t>(part.size(), 3), '0');
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (digits.empty() || digits.size() > digits_max || !std::ranges::all_of(digits, is_digit) ||
      !std::ranges::all_of(part, is_digit))
    return std::nullopt;
  std::int64_t number = 0;
  for (const char c : digits + part.substr(0, 3)) number = number * 10 + (c - '0');
  return number;
}

std::string without_blanks(std::string_view text) {
  std::string out(text);
  std::erase(out, ' ');
  return out;
}

// The value of a lab file's key; nothing if it is none.
std::optional<std::string> value_of(Meaning meaning, std::string_view text) {
  const std::string value = without_blanks(text);
  const auto number = thousandths(value);
  if (meaning == Meaning::delay) {
    if (number) return to_text(Duration::microseconds(*number));
    return parse_duration(value, "delay") ? std::optional(value) : std::nullopt;
  }
  if (meaning == Meaning::rate) {
    if (number)
      return *number < 1000 ? std::nullopt
                            : std::optional(rate_text(static_cast<std::uint64_t>(*number) / 1000));
    return parse_rate(value, "rate") ? std::optional(value) : std::nullopt;
  }
  if (!number) return parse_share(value, "loss") ? std::optional(value) : std::nullopt;
  return *number > 1000
             ? std::nullopt
             : std::optional(share_text(static_cast<std::uint64_t>(*number) * 1'000'000));
}

std::string_view key_of(Meaning meaning) {
  return meaning == Meaning::delay ? "delay" : meaning == Meaning::rate ? "rate" : "loss";
}

class Reader {
 public:
  Reader(Notes& notes, NodeNames& names) : notes_(notes), names_(names) {}

  Topology read(std::string_view text) {
    const auto root = parse_xml(text);
    if (!root) {
      notes_.wrong(root.error().mark, root.error().what, root.error().fix);
      return {};
    }
    const auto graph = std::ranges::find(root->children, "graph", &Element::name);
    if (root->name != "graphml" || graph == root->children.end()) {
      notes_.wrong(root->mark, "this is no GraphML", "it has <graphml> and in it a <graph>");
      return {};
    }
    for (const Element& each : root->children) {
      if (each.name == "key") read_key(each);
      if (each.name == "graph" && &each != &*graph)
        notes_.note(each.mark, "a second graph is left out", "a lab is one network");
    }
    topology_.name = graph->attribute("id").empty() ? "lab" : std::string(graph->attribute("id"));
    is_directed_ = graph->attribute("edgedefault") == "directed";
    for (const Element& each : graph->children) read_node(each);
    for (const Element& each : graph->children) read_edge(each);
    decide_kinds();
    return std::move(topology_);
  }

 private:
  struct Key {
    Meaning meaning = Meaning::nothing;
    std::string name;
  };

  void read_key(const Element& element) {
    const std::string_view what = element.attribute("for");
    std::string_view name = element.attribute("attr.name");
    if (name.empty()) name = element.attribute("id");
    const bool is_node = what == "node" || what == "all" || what.empty();
    Key key{.name = std::string(name)};
    if (is_node) key.meaning = meaning_of(node_names, name);
    if (what == "edge" || (!is_node ? false : key.meaning == Meaning::nothing && what != "node"))
      key.meaning = meaning_of(edge_names, name);
    if (key.meaning == Meaning::nothing)
      notes_.note(element.mark, fmt::format("`{}` is not translated", name.substr(0, 60)),
                  "there is nothing for it in a lab");
    keys_.emplace(element.attribute("id"), std::move(key));
    const auto standard = std::ranges::find(element.children, "default", &Element::name);
    if (standard != element.children.end())
      defaults_.emplace_back(element.attribute("id"), standard->text);
  }

  // An element's data, its own before the defaults.
  [[nodiscard]] std::string data_of(const Element& element, Meaning meaning) const {
    const auto is_it = [&](std::string_view id) {
      const auto found = keys_.find(std::string(id));
      return found != keys_.end() && found->second.meaning == meaning;
    };
    for (const Element& each : element.children)
      if (each.name == "data" && !each.text.empty() && is_it(each.attribute("key")))
        return each.text;
    for (const auto& [id, text] : defaults_)
      if (is_it(id)) return text;
    return {};
  }

  void read_node(const Element& element) {
    if (element.name == "hyperedge" || element.name == "port")
      notes_.note(element.mark, fmt::format("a <{}> is left out", element.name),
                  "links of a lab have two ends");
    if (element.name != "node") return;
    const std::string id(element.attribute("id"));
    if (id.empty() || !by_id_.emplace(id, topology_.nodes.size()).second)
      return notes_.wrong(
          element.mark,
          id.empty() ? "a node without id" : fmt::format("the node `{}` is here twice", id),
          "each has an id of its own");
    std::string label = data_of(element, Meaning::label);
    if (label.empty()) label = id;
    Node node{.name = names_.name_for(label, element.mark)};
    const std::string kind = lower(data_of(element, Meaning::kind));
    is_decided_.push_back(true);
    if (kind == "router")
      node.kind = NodeKind::router;
    else if (kind == "switch" || kind == "bridge" || kind == "hub")
      node.kind = NodeKind::switching;
    else
      is_decided_.back() = kind == "host" || kind == "client" || kind == "server" || kind == "pc";
    topology_.nodes.push_back(std::move(node));
    for (const Element& each : element.children)
      if (each.name == "graph")
        notes_.note(each.mark, "a graph inside a node is left out", "labs are flat");
  }

  [[nodiscard]] std::optional<std::uint32_t> end_of(const Element& element, const char* which) {
    const std::string id(element.attribute(which));
    const auto found = by_id_.find(id);
    if (found != by_id_.end()) return found->second;
    notes_.wrong(element.mark, fmt::format("unknown node `{}`", id.substr(0, 60)),
                 fmt::format("an edge's {} is the id of a node", which));
    return std::nullopt;
  }

  void read_edge(const Element& element) {
    if (element.name != "edge") return;
    const auto source = end_of(element, "source"), target = end_of(element, "target");
    if (!source || !target) return;
    if (*source == *target)
      return notes_.note(
          element.mark,
          fmt::format("an edge from {} to itself is left out", topology_.nodes[*source].name),
          "there is nothing for it in a lab");
    Link link{.a = {.node = *source}, .b = {.node = *target}, .mark = element.mark};
    for (const Meaning meaning : {Meaning::delay, Meaning::rate, Meaning::loss}) {
      const std::string text = data_of(element, meaning);
      if (text.empty()) continue;
      if (const auto value = value_of(meaning, text))
        link.keys.emplace_back(key_of(meaning), *value);
      else
        notes_.note(
            element.mark,
            fmt::format("a {} of `{}` is not translated", key_of(meaning), text.substr(0, 40)),
            "write a number with a unit, as in 20ms, 50Mbit and 1%");
    }
    const std::string_view own = element.attribute("directed");
    const bool is_directed = own.empty() ? is_directed_ : own == "true";
    add_link(std::move(link), is_directed);
  }

  // Of two directed edges there and back the second says what differs on the way back.
  void add_link(Link link, bool is_directed) {
    const auto back = std::pair{link.b.node, link.a.node};
    const auto before = directed_.find(back);
    if (is_directed && before != directed_.end()) {
      const Keys& there = topology_.links[before->second].keys;
      if (there != link.keys) {
        for (const auto& [key, value] : there)
          if (std::ranges::find(link.keys, key, &std::pair<std::string, std::string>::first) ==
              link.keys.end())
            link.keys.emplace_back(key, key == "rate" ? "1Tbit" : key == "delay" ? "0" : "0%");
        link.is_one_way = true;
        topology_.links.push_back(std::move(link));
      }
      directed_.erase(before);
      return;
    }
    if (is_directed) directed_.emplace(std::pair{link.a.node, link.b.node}, topology_.links.size());
    for (const End* end : {&link.a, &link.b}) ++topology_.nodes[end->node].links;
    topology_.links.push_back(std::move(link));
  }

  // Where the file does not say what a node is, a leaf is a host and all else a router.
  void decide_kinds() {
    std::size_t hosts = 0, routers = 0;
    for (std::size_t i = 0; i < topology_.nodes.size(); ++i) {
      if (is_decided_[i]) continue;
      Node& node = topology_.nodes[i];
      node.kind = node.links > 1 ? NodeKind::router : NodeKind::host;
      ++(node.links > 1 ? routers : hosts);
    }
    if (hosts + routers > 0)
      notes_.note(
          {1, 1},
          fmt::format(
              "{} nodes do not say what they are: {} with one link are hosts, {} are routers",
              hosts + routers, hosts, routers),
          "a node's `kind` may be host, router or switch");
  }

  Notes& notes_;
  NodeNames& names_;
  Topology topology_;
  std::map<std::string, Key> keys_;
  std::vector<std::pair<std::string, std::string>> defaults_;
  std::map<std::string, std::uint32_t> by_id_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> directed_;  // seen one way only
  std::vector<bool> is_decided_;
  bool is_directed_ = false;
};

}  // namespace

Topology read_graphml(std::string_view text, Notes& notes, NodeNames& names) {
  return Reader(notes, names).read(text);
}

}  // namespace lanyard::lab::imports
