// SPDX-License-Identifier: Apache-2.0
#include "lab/hunt/lab_parts.hh"

#include <fmt/format.h>

#include <algorithm>

#include "lab/hunt/lab_text.hh"
#include "lab/nearest.hh"

namespace lanyard::lab::hunt {

bool has_nodes(std::string_view section) {
  return section == "hosts" || section == "routers" || section == "switches";
}

std::string section_text(const std::string& key, const Yaml& section) {
  if (section.is_null()) return {};
  std::string text = key + ":";
  const auto body_of = [](const Yaml& body) { return body.is_null() ? "{}" : flow_text(body); };
  if (section.is_mapping()) {
    for (const auto& [name, body] : section.pairs)
      text += fmt::format("\n  {}: {}", flow_text(name), body_of(body));
    return section.pairs.empty() ? "" : text + "\n";
  }
  if (std::ranges::all_of(section.items, &Yaml::is_scalar) && has_nodes(key))
    return section.items.empty() ? "" : fmt::format("{}: {}\n", key, flow_text(section));
  for (const Yaml& item : section.items)
    text += item.is_mapping() && item.pairs.size() == 1
                ? fmt::format("\n  - {}: {}", flow_text(item.pairs[0].key),
                              body_of(item.pairs[0].value))
                : fmt::format("\n  - {}", flow_text(item));
  return section.items.empty() ? "" : text + "\n";
}

namespace {

// Whether a word of an action or a check is this node: "alice", "client7" of "client*100".
bool is_of(std::string_view word, std::string_view node) {
  const std::size_t star = node.find('*');
  const std::string name = lower(word), base = lower(node.substr(0, star));
  if (star == std::string_view::npos) return name == base;
  return name.starts_with(base) &&
         name.find_first_not_of("0123456789*", base.size()) == std::string::npos;
}

bool speaks_of(std::string_view line, std::string_view node) {
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t end = std::min(line.find_first_of(" ,()", at), line.size());
    if (end > at && is_of(line.substr(at, end - at), node)) return true;
    at = end + 1;
  }
  return false;
}

// The line that an item of `links`, `check` or a moment's list is, or begins with.
std::string_view line_of(const Yaml& item) {
  return item.is_mapping() && !item.pairs.empty() ? item.pairs[0].key.text : item.text;
}

// Takes away whatever a predicate on an item's line says; true if there was something.
template <typename Is>
bool take_away(Yaml& section, Is is_gone) {
  const std::size_t before = section.items.size();
  std::erase_if(section.items, [&](const Yaml& item) { return is_gone(line_of(item)); });
  return section.items.size() != before;
}

// A node without its links, its part of the timeline, of the checks and of groups.
bool forget_node(const std::string& key, Yaml& section, std::string_view node) {
  const auto is_gone = [&](std::string_view line) { return speaks_of(line, node); };
  if (key == "links" || key == "check") return take_away(section, is_gone);
  bool is_changed = false;
  if (key == "at") {
    for (Yaml& item : section.items) is_changed |= forget_node(key, item, node);
    for (auto& [time, value] : section.pairs) {
      is_changed |= take_away(value, is_gone);
      if (value.is_sequence() ? value.items.empty() : is_gone(line_of(value))) value = Yaml{};
    }
    const auto gone = [&](const YamlPair& pair) {
      return pair.value.is_null() || is_gone(pair.key.text);
    };
    is_changed |= std::erase_if(section.pairs, gone) > 0;
    std::erase_if(section.items, [](const Yaml& item) { return item.pairs.empty(); });
  }
  if (key == "groups")
    for (auto& [name, members] : section.pairs) is_changed |= take_away(members, is_gone);
  return is_changed;
}

}  // namespace

LabParts::LabParts(Yaml yaml, std::string_view keep) : yaml_(std::move(yaml)) {
  const auto each = [&](auto add) {
    for (std::size_t i = 0; i < yaml_.pairs.size(); ++i) add(i, yaml_.pairs[i].key.text);
  };
  each([&](std::size_t i, const std::string& key) {
    if (has_nodes(key)) add_nodes(i);
  });
  each([&](std::size_t i, const std::string& key) {
    if (has_nodes(key)) add_programs(i);
  });
  each([&](std::size_t i, const std::string& key) {
    if (key == "links") add_items(i, Kind::link, {});
    if (key == "check") add_items(i, Kind::check, keep);
    if (key == "at") add_items(i, Kind::moment, {});
    if (key == "groups") parts_.push_back({Kind::groups, i, 0, 0, "groups"});
  });
}

void LabParts::add_nodes(std::size_t section) {
  const Yaml& nodes = yaml_.pairs[section].value;
  for (const auto& [name, body] : nodes.pairs)
    parts_.push_back({Kind::node, section, 0, 0, name.text});
  for (const Yaml& item : nodes.items) {
    if (item.is_scalar()) parts_.push_back({Kind::node, section, 0, 0, item.text});
    for (const auto& [name, body] : item.pairs)
      parts_.push_back({Kind::node, section, 0, 0, name.text});
  }
}

void LabParts::add_programs(std::size_t section) {
  const Yaml& nodes = yaml_.pairs[section].value;
  for (std::size_t i = 0; i < nodes.pairs.size(); ++i)
    for (const auto& [key, run] : nodes.pairs[i].value.pairs) {
      if (key.text != "run") continue;
      const std::string& node = nodes.pairs[i].key.text;
      const std::size_t count = run.is_sequence() ? run.items.size() : 1;
      for (std::size_t inside = 0; inside < count; ++inside)
        parts_.push_back({Kind::program, section, i, inside,
                          count == 1 ? "the program of " + node
                                     : fmt::format("program {} of {}", inside + 1, node)});
    }
}

void LabParts::add_items(std::size_t section, Kind kind, std::string_view keep) {
  const Yaml& all = yaml_.pairs[section].value;
  for (std::size_t i = 0; i < all.items.size(); ++i)
    if (kind != Kind::check || line_of(all.items[i]) != keep)
      parts_.push_back(
          {kind, section, i, 0,
           fmt::format("{}{}", kind == Kind::moment ? "at " : "", line_of(all.items[i]))});
  for (std::size_t i = 0; i < all.pairs.size(); ++i)
    parts_.push_back({kind, section, i, 0, "at " + all.pairs[i].key.text});
}

std::vector<std::string> LabParts::names_of(const std::vector<bool>& left_out) const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (!left_out[i]) continue;
    const Part& part = parts_[i];
    bool goes_with_node = false;
    for (std::size_t node = 0; node < parts_.size(); ++node)
      goes_with_node =
          goes_with_node || (left_out[node] && node != i && parts_[node].kind == Kind::node &&
                             speaks_of(part.name, parts_[node].name));
    if (!goes_with_node)
      names.push_back(part.kind == Kind::check ? fmt::format("check `{}`", part.name) : part.name);
  }
  return names;
}

LabParts::Sections LabParts::without(const std::vector<bool>& left_out) const {
  Yaml root = yaml_;
  std::vector<bool> is_changed(root.pairs.size(), false);
  // From behind, so that the numbers of what comes before stay right.
  for (std::size_t i = parts_.size(); i-- > 0;) {
    const Part& part = parts_[i];
    if (!left_out[i] || part.kind == Kind::node) continue;
    Yaml& section = root.pairs[part.section].value;
    is_changed[part.section] = true;
    const auto at = static_cast<std::ptrdiff_t>(part.item);
    if (part.kind == Kind::groups) {
      section = Yaml{};
    } else if (part.kind == Kind::program) {
      Yaml& body = section.pairs[part.item].value;
      const auto run =
          std::ranges::find(body.pairs, "run", [](const YamlPair& pair) { return pair.key.text; });
      if (run->value.is_sequence())
        run->value.items.erase(run->value.items.begin() + static_cast<std::ptrdiff_t>(part.inside));
      if (!run->value.is_sequence() || run->value.items.empty()) body.pairs.erase(run);
    } else if (section.is_sequence()) {
      section.items.erase(section.items.begin() + at);
    } else {
      section.pairs.erase(section.pairs.begin() + at);
    }
  }
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (!left_out[i] || parts_[i].kind != Kind::node) continue;
    const auto is_it = [&](const YamlPair& pair) { return pair.key.text == parts_[i].name; };
    Yaml& nodes = root.pairs[parts_[i].section].value;
    is_changed[parts_[i].section] = true;
    std::erase_if(nodes.pairs, is_it);
    for (Yaml& item : nodes.items) std::erase_if(item.pairs, is_it);
    std::erase_if(nodes.items, [&](const Yaml& item) {
      return item.is_mapping() ? item.pairs.empty() : item.text == parts_[i].name;
    });
    for (std::size_t s = 0; s < root.pairs.size(); ++s)
      if (forget_node(root.pairs[s].key.text, root.pairs[s].value, parts_[i].name))
        is_changed[s] = true;
  }
  Sections sections;
  for (std::size_t i = 0; i < root.pairs.size(); ++i)
    if (is_changed[i])
      sections.emplace_back(root.pairs[i].key.text,
                            section_text(root.pairs[i].key.text, root.pairs[i].value));
  return sections;
}

}  // namespace lanyard::lab::hunt
