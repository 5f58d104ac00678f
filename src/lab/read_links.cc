// SPDX-License-Identifier: Apache-2.0
// links:
#include <fmt/format.h>

#include <algorithm>

#include "lab/nearest.hh"
#include "lab/reader.hh"

namespace lanyard::lab {
namespace {

// All that may change, and addresses.
const std::vector<std::string>& link_keys() {
  static const std::vector<std::string> keys = [] {
    std::vector<std::string> all(link_change_keys().begin(), link_change_keys().end());
    all.insert(all.end(), {"addresses", "macs"});
    return all;
  }();
  return keys;
}

std::span<const std::string> one_way_keys() {
  return link_change_keys().first(link_change_keys().size() - 1);  // not mtu
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool Reader::parse_pair(const Yaml& at, std::string_view text, std::size_t offset, Pair& pair) {
  const std::size_t both = text.find(" -- ");
  const std::size_t one = text.find(" -> ");
  const std::size_t middle = std::min(both, one);
  if (middle == std::string_view::npos || text.find(" -", middle + 3) != std::string_view::npos) {
    problem(at.mark_at(offset), fmt::format("`{}` is no link", text.substr(0, 70)),
            "write two nodes and two dashes, as in `alice -- office`");
    return false;
  }
  const std::string_view a = trim(text.substr(0, middle));
  const std::string_view b = trim(text.substr(middle + 4));
  pair = {
      .a = std::string(a),
      .b = std::string(b),
      .a_offset = offset + (a.empty() ? 0 : static_cast<std::size_t>(a.data() - text.data())),
      .b_offset = offset + (b.empty() ? middle : static_cast<std::size_t>(b.data() - text.data())),
      .is_one_way = middle == one};
  return true;
}

std::vector<std::uint32_t> Reader::nodes_named(const Yaml& at, const std::string& name,
                                               std::size_t offset) {
  if (name.ends_with('*')) {
    const auto group = by_group_.find(lower(std::string_view(name).substr(0, name.size() - 1)));
    if (group != by_group_.end()) return group->second;
  } else if (const auto found = by_name_.find(lower(name)); found != by_name_.end()) {
    return {found->second};
  }
  const bool is_group = by_group_.contains(lower(name));
  problem(
      at.mark_at(offset), fmt::format("unknown node `{}`", name.substr(0, 70)),
      is_group ? fmt::format("did you mean `{}*`, all of them?", name) : suggestion(name, names_));
  return {};
}

void Reader::read_links(const Yaml& section) {
  if (section.is_sequence()) {
    for (const Yaml& item : section.items) {
      if (item.is_scalar())
        read_link(item, nullptr);
      else if (item.is_mapping() && item.pairs.size() == 1)
        read_link(item.pairs[0].key, &item.pairs[0].value);
      else
        problem(item.mark, "a link is not one line",
                "write `- alice -- office` or `- alice -- office: { delay: 20ms }`");
    }
  } else if (section.is_mapping()) {
    for (const auto& [name, body] : section.pairs) read_link(name, &body);
  } else {
    problem(section.mark, "`links` is no list", "write a line `- alice -- office` for each link");
  }
}

void Reader::read_link(const Yaml& name, const Yaml* body) {
  Pair pair;
  if (!is_text(name, "a link") || !parse_pair(name, name.text, 0, pair)) return;
  if (pair.is_one_way) {
    const std::vector<std::uint32_t> links = links_of(name, pair);
    if (body == nullptr || body->is_null())
      problem(name.mark, fmt::format("`{}` says nothing about that direction", name.text),
              "write `a -- b` for a link, and `a -> b: { loss: 1% }` for what differs one way");
    else if (!links.empty())
      fill_link(links, name, *body, true);
    return;
  }
  const std::vector<std::uint32_t> a = nodes_named(name, pair.a, pair.a_offset);
  const std::vector<std::uint32_t> b = nodes_named(name, pair.b, pair.b_offset);
  if (a.empty() || b.empty()) {
    // What the link is said to be like may be wrong as well, and is said at once.
    if (body != nullptr && !body->is_null()) fill_link({}, name, *body, false);
    return;
  }
  if (a.size() != b.size() && a.size() != 1 && b.size() != 1) {
    problem(name.mark,
            fmt::format("{} and {} are {} and {} nodes", pair.a, pair.b, a.size(), b.size()),
            "one to many, or as many on both sides");
    return;
  }
  std::vector<std::uint32_t> made;
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    LinkSpec link;
    link.a.node = a[a.size() == 1 ? 0 : i];
    link.b.node = b[b.size() == 1 ? 0 : i];
    link.mark = name.mark;
    if (link.a.node == link.b.node) {
      problem(name.mark, fmt::format("`{}` links {} to itself", name.text, pair.a),
              "a host reaches itself by loopback; name another node");
      return;
    }
    const auto id = static_cast<std::uint32_t>(model_.links.size());
    const auto [first, is_new] = by_pair_.emplace(std::minmax(link.a.node, link.b.node), id);
    if (!is_new) {
      const Mark before = model_.links[first->second].mark;
      problem(name.mark, fmt::format("{} and {} are linked twice", pair.a, pair.b),
              fmt::format("the first link is at {}:{}; for a second path put a switch in it",
                          before.line, before.column));
      return;
    }
    if (model_.links.size() >= lab_links_max) {
      problem(name.mark, fmt::format("more than {} links", lab_links_max), "make the lab smaller");
      return;
    }
    model_.links.push_back(std::move(link));
    made.push_back(id);
  }
  if (body != nullptr && !body->is_null()) fill_link(made, name, *body, false);
}

std::vector<std::uint32_t> Reader::links_of(const Yaml& at, const Pair& pair) {
  const std::vector<std::uint32_t> a = nodes_named(at, pair.a, pair.a_offset);
  const std::vector<std::uint32_t> b = nodes_named(at, pair.b, pair.b_offset);
  std::vector<std::uint32_t> links;
  if (a.empty() || b.empty()) return links;
  const bool is_paired = a.size() == b.size();
  for (std::size_t i = 0; i < (is_paired ? a.size() : a.size() * b.size()); ++i) {
    const std::uint32_t from = is_paired ? a[i] : a[i / b.size()];
    const std::uint32_t to = is_paired ? b[i] : b[i % b.size()];
    if (const auto found = by_pair_.find(std::minmax(from, to)); found != by_pair_.end())
      links.push_back(found->second);
  }
  if (links.empty()) {
    std::string fix = fmt::format("add `- {} -- {}` to links", pair.a, pair.b);
    std::string at_a;
    for (const LinkSpec& each : model_.links)
      if ((each.a.node == a[0] || each.b.node == a[0]) && at_a.size() < 100)
        at_a += fmt::format("{}`{} -- {}`", at_a.empty() ? "" : ", ",
                            model_.nodes[each.a.node].name, model_.nodes[each.b.node].name);
    if (!at_a.empty()) fix = fmt::format("{} has {}", pair.a, at_a);
    problem(at.mark_at(pair.a_offset),
            fmt::format("there is no link between {} and {}", pair.a, pair.b), fix);
  }
  return links;
}

void Reader::fill_link(const std::vector<std::uint32_t>& links, const Yaml& name, const Yaml& body,
                       bool is_one_way) {
  if (!is_map(body, "what a link is like", "`alice -- office: { delay: 20ms }`")) return;
  LinkChange change;
  const auto known = is_one_way ? one_way_keys() : std::span<const std::string>(link_keys());
  each_key(body, known, is_one_way ? "one direction of a link" : "a link",
           [&](const std::string& key, const Yaml& value) {
             if (key == "addresses" || key == "macs") {
               if (!links.empty()) read_link_ends(links, value, key == "macs");
               return;
             }
             read_change_key(key, value, change);
           });
  for (const std::uint32_t id : links) {
    LinkSpec& link = model_.links[id];
    if (change.mtu) link.mtu = *change.mtu;
    const std::size_t arrow = name.text.find(" -> ");
    const std::string from = lower(trim(std::string_view(name.text).substr(0, arrow)));
    const bool is_backward = is_one_way && lower(model_.nodes[link.b.node].name) == from;
    if (!is_backward) apply(change, link.a_to_b);
    if (!is_one_way || is_backward) apply(change, link.b_to_a);
    const auto is_paced = [](const LinkQuality& quality) {
      return quality.rate_bits_per_second != 0 || !quality.more().trace.empty() ||
             quality.more().bucket.rate_bits_per_second != 0;
    };
    const bool has_queue = change.queue_bytes || change.queue;
    if (has_queue && !is_paced(link.a_to_b) && !is_paced(link.b_to_a))
      warning(body.mark, "`queue` without `rate`: nothing ever waits",
              "add `rate: 50Mbit`, or leave `queue` out");
  }
}

// A key of a link or of `set`: one line of text, or a list of lines for `drop`.
void Reader::read_change_key(const std::string& key, const Yaml& value, LinkChange& change) {
  std::string text = value.text;
  if (key == "drop" && value.is_sequence()) {
    for (const Yaml& item : value.items) {
      if (!is_text(item, "a frame to drop")) return;
      text += (text.empty() ? "" : ", ") + item.text;
    }
  } else if (!is_text(value, fmt::format("`{}`", key))) {
    return;
  }
  auto wrong = parse_link_value(key, text, change);
  if (!wrong) wrong = names_problem(change, model_);
  if (wrong) problem(value.mark, wrong->what, wrong->fix);
}

void Reader::read_change(const Yaml& body, std::span<const std::string> known,
                         std::string_view where, std::string_view example, LinkChange& change) {
  if (!is_map(body, "what changes", example)) return;
  each_key(body, known, where,
           [&](const std::string& key, const Yaml& value) { read_change_key(key, value, change); });
  if (body.pairs.empty())
    problem(body.mark, "nothing is changed", fmt::format("write {}", example));
}

// `addresses: { r1: 10.0.9.1/24 }`: which end of the link gets which.
void Reader::read_link_ends(const std::vector<std::uint32_t>& links, const Yaml& value,
                            bool is_mac) {
  const std::string_view example =
      is_mac ? "`macs: { r1: 02:00:00:00:00:01 }`" : "`addresses: { r1: 10.0.9.1/24 }`";
  if (!is_map(value, is_mac ? "`macs`" : "`addresses`", example)) return;
  if (links.size() != 1) {
    problem(value.mark, fmt::format("one address for {} links", links.size()),
            "leave it out; addresses are chosen");
    return;
  }
  LinkSpec& link = model_.links[links[0]];
  for (const auto& [key, item] : value.pairs) {
    if (!is_text(key, "a node's name")) continue;
    const auto found = by_name_.find(lower(key.text));
    LinkEnd* end = nullptr;
    if (found != by_name_.end() && found->second == link.a.node) end = &link.a;
    if (found != by_name_.end() && found->second == link.b.node) end = &link.b;
    if (end == nullptr || model_.nodes[end->node].kind == NodeKind::switching) {
      problem(
          key.mark,
          fmt::format("`{}` is no end of this link that has an address", key.text.substr(0, 70)),
          fmt::format("name a host or router of it, as in {}", example));
    } else if (is_mac) {
      read_mac(item, end->mac);
    } else {
      read_addresses(item, end->addresses, end->address_marks);
    }
  }
}

void Reader::warn_about_links() {
  std::vector<bool> is_linked(model_.nodes.size());
  for (const LinkSpec& link : model_.links) is_linked[link.a.node] = is_linked[link.b.node] = true;
  for (std::size_t i = 0; i < model_.nodes.size(); ++i)
    if (!is_linked[i] && !has_errors())
      warning(model_.nodes[i].mark, fmt::format("`{}` has no link", model_.nodes[i].name),
              fmt::format("nothing can reach it; add a line such as `- {} -- ...` to links",
                          model_.nodes[i].name));
}

}  // namespace lanyard::lab
