// SPDX-License-Identifier: Apache-2.0
#include "lab/imports/imports.hh"

#include <fmt/format.h>

#include <algorithm>

#include "lab/builder.hh"
#include "lab/imports/topology.hh"
#include "lab/nearest.hh"

namespace lanyard::lab::imports {
namespace {

constexpr std::size_t notes_max = 1000;
constexpr std::size_t name_size_max = 63;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// The name, with a hyphen for whatever a lab file does not take.
std::string plain_name(const std::string& wanted) {
  std::string name;
  for (const char c : wanted) {
    if (is_letter_or_digit(c))
      name += c;
    else if (!name.empty() && name.back() != '-')
      name += '-';
  }
  name.resize(std::min(name.size(), name_size_max - 6));  // room for a number
  while (name.ends_with('-')) name.pop_back();
  return name.empty() ? "node" : name;
}

std::string list_of(const std::vector<std::string>& addresses) {
  return addresses.size() == 1 ? addresses[0] : fmt::format("[{}]", fmt::join(addresses, ", "));
}

Keys keys_of(const Link& link, const Topology& topology) {
  Keys keys = link.keys;
  std::string addresses, macs;
  for (const End* end : {&link.a, &link.b}) {
    const std::string& name = topology.nodes[end->node].name;
    if (!end->addresses.empty())
      addresses +=
          fmt::format("{}{}: {}", addresses.empty() ? "" : ", ", name, list_of(end->addresses));
    if (!end->mac.empty())
      macs += fmt::format("{}{}: \"{}\"", macs.empty() ? "" : ", ", name, end->mac);
  }
  if (!addresses.empty()) keys.emplace_back("addresses", "{ " + addresses + " }");
  if (!macs.empty()) keys.emplace_back("macs", "{ " + macs + " }");
  return keys;
}

bool is_switch(const Topology& topology, std::uint32_t node) {
  return topology.nodes[node].kind == NodeKind::switching;
}

// Two machines have one link at most in a lab; a second one goes through a switch of its own.
void part_double_links(Topology& topology, Notes& notes, NodeNames& names) {
  std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
  std::vector<Link> links;
  for (Link& link : topology.links) {
    const auto pair = std::minmax(link.a.node, link.b.node);
    if (link.is_one_way || seen.insert(pair).second) {
      links.push_back(std::move(link));
      continue;
    }
    const Node &a = topology.nodes[pair.first], &b = topology.nodes[pair.second];
    if (is_switch(topology, pair.first) || is_switch(topology, pair.second)) {
      notes.note(link.mark,
                 fmt::format("a second link between {} and {} is left out", a.name, b.name),
                 "switches of a lab must not form a circle");
      continue;
    }
    const auto middle = static_cast<std::uint32_t>(topology.nodes.size());
    const std::string name = names.fresh(a.name + "-" + b.name);
    notes.note(link.mark, fmt::format("a second link between {} and {}", a.name, b.name),
               fmt::format("it goes through a switch, {}: two nodes have one link at most", name));
    topology.nodes.push_back({.name = name, .kind = NodeKind::switching});
    links.push_back({.a = link.a, .b = {.node = middle}, .keys = link.keys, .mark = link.mark});
    links.push_back({.a = {.node = middle}, .b = link.b, .mark = link.mark});
  }
  topology.links = std::move(links);
}

std::string lab_text(const Topology& topology) {
  Builder builder(topology.name);
  for (const Node& node : topology.nodes) {
    Builder::Keys keys;
    if (!node.gateway.empty()) keys.emplace_back("gateway", node.gateway);
    if (node.kind == NodeKind::router)
      builder.router(node.name);
    else if (node.kind == NodeKind::switching)
      builder.switching(node.name);
    else
      builder.host(node.name, keys);
  }
  for (const Link& link : topology.links) {
    const std::string &a = topology.nodes[link.a.node].name, &b = topology.nodes[link.b.node].name;
    if (link.is_one_way)
      builder.one_way(a, b, keys_of(link, topology));
    else
      builder.link(a, b, keys_of(link, topology));
  }
  return builder.text();
}

}  // namespace

void Notes::note(Mark mark, std::string what, std::string fix) {
  notes_.push_back({file_, mark.line, mark.column, std::move(what), std::move(fix), true});
}

void Notes::wrong(Mark mark, std::string what, std::string fix) {
  if (errors_.size() < lab_diagnostics_max)
    errors_.push_back({file_, mark.line, mark.column, std::move(what), std::move(fix), false});
}

std::vector<Diagnostic> Notes::take_notes() {
  std::ranges::stable_sort(notes_, {}, [](const Diagnostic& each) {
    return std::pair{each.line, each.column};
  });
  if (notes_.size() > notes_max) {
    const std::size_t more = notes_.size() - notes_max;
    notes_.resize(notes_max);
    notes_.push_back({file_, 1, 1, fmt::format("{} more notes are left out", more),
                      "the first ones say of what kind they are", true});
  }
  return std::move(notes_);
}

std::string NodeNames::fresh(const std::string& wanted) {
  const std::string base = plain_name(wanted);
  std::string name = base;
  for (int i = 2; lower(name) == "localhost" || !taken_.insert(lower(name)).second; ++i)
    name = fmt::format("{}-{}", base, i);
  return name;
}

std::string NodeNames::name_for(const std::string& wanted, Mark mark) {
  const std::string name = fresh(wanted);
  if (name != wanted)
    notes_.note(mark, fmt::format("`{}` is called {} here", wanted.substr(0, 70), name),
                "names are letters, digits and hyphens, no two the same");
  return name;
}

Format format_of(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  return first != std::string_view::npos && text[first] == '<' ? Format::graphml
                                                               : Format::containerlab;
}

Result import_lab(std::string_view text, const std::string& file, Format format) {
  Notes notes(file);
  NodeNames names(notes);
  Topology topology = format == Format::graphml ? read_graphml(text, notes, names)
                                                : read_containerlab(text, notes, names);
  if (notes.is_wrong()) return std::unexpected(notes.take_errors());
  part_double_links(topology, notes, names);
  const std::string_view tool = format == Format::graphml ? "GraphML" : "containerlab";
  Imported imported{.text = {}, .notes = notes.take_notes()};
  imported.text = fmt::format("# From {} ({}) by `lanyard import`.\n", file, tool);
  for (const Diagnostic& each : imported.notes)
    imported.text += fmt::format("# {}:{}: {}: {}\n", each.line, each.column, each.what, each.fix);
  imported.text += lab_text(topology);
  return imported;
}

}  // namespace lanyard::lab::imports
