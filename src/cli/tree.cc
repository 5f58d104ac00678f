// SPDX-License-Identifier: Apache-2.0
#include "cli/tree.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace lanyard::cli {
namespace {

constexpr std::size_t bytes_per_line = 16;
constexpr std::size_t name_column = 11;  // of layers_text

void add_field(const wire::Field& field, std::size_t depth, const Paper& paper, std::string& out) {
  const std::string place = fmt::format("{:>5}{:>6}  ", field.offset, field.size);
  const std::string indent(depth * 2, ' ');
  std::string line = depth == 0 ? paint(paper, Ink::bold, field.name) : indent + field.name;
  if (!field.value.empty()) {
    const std::size_t taken = place.size() + indent.size() + columns_of(field.name) + 2;
    const std::size_t room = paper.columns > taken + 10 ? paper.columns - taken : 10;
    const bool is_wrong = field.name == "Malformed";
    line += ": " + paint(paper, is_wrong ? Ink::red : Ink::plain, fit(paper, field.value, room));
  }
  out += paint(paper, Ink::dim, place) + line + "\n";
  for (const wire::Field& child : field.children) add_field(child, depth + 1, paper, out);
}

// "Source Port 49152": the fields of a layer, without headings and without what stands in them.
void add_words(const wire::Field& field, std::vector<std::string>& words) {
  if (!field.value.empty()) words.push_back(fmt::format("{} {}", field.name, field.value));
  if (!field.value.empty()) return;
  for (const wire::Field& child : field.children) add_words(child, words);
}

struct Leaf {
  std::string layer, name, value;
};

void add_leaves(const std::string& layer, const wire::Field& field, std::vector<Leaf>& leaves) {
  if (field.children.empty()) leaves.push_back({layer, field.name, field.value});
  for (const wire::Field& child : field.children) add_leaves(layer, child, leaves);
}

std::vector<Leaf> leaves_of(const std::vector<wire::Field>& layers) {
  std::vector<Leaf> leaves;
  for (const wire::Field& layer : layers) add_leaves(layer.name, layer, leaves);
  return leaves;
}

bool is_same_field(const Leaf& a, const Leaf& b) {
  return a.layer == b.layer && a.name == b.name;
}

}  // namespace

std::string tree_text(const std::vector<wire::Field>& layers, const Paper& paper) {
  std::string out = paint(paper, Ink::dim, "   at  size  ") + "\n";
  for (const wire::Field& layer : layers) add_field(layer, 0, paper, out);
  return out;
}

std::string layers_text(const std::vector<wire::Field>& layers, std::size_t indent,
                        const Paper& paper) {
  std::string out;
  for (const wire::Field& layer : layers) {
    std::vector<std::string> words;
    for (const wire::Field& field : layer.children) add_words(field, words);
    if (words.empty() && !layer.value.empty()) words.push_back(layer.value);
    std::string line = std::string(indent, ' ') +
                       paint(paper, Ink::bold, fmt::format("{:<{}}", layer.name, name_column));
    std::size_t column = indent + std::max(name_column, columns_of(layer.name));
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::string word = words[i] + (i + 1 < words.size() ? "; " : "");
      if (column + columns_of(word) > paper.columns && column > indent + name_column) {
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
        line = std::string(indent + name_column, ' ');
        column = indent + name_column;
      }
      const std::string shown = fit(paper, word, paper.columns - column);
      line += shown;
      column += columns_of(shown);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string hex_dump(Bytes bytes) {
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += bytes_per_line) {
    const Bytes line = bytes.subspan(at, std::min(bytes_per_line, bytes.size() - at));
    std::string text;
    out += fmt::format("{:04x} ", at);
    for (std::size_t i = 0; i < bytes_per_line; ++i) {
      if (i == bytes_per_line / 2) out += ' ';
      out += i < line.size() ? fmt::format(" {:02x}", line[i]) : "   ";
      if (i < line.size())
        text += line[i] >= 0x20 && line[i] < 0x7f ? static_cast<char>(line[i]) : '.';
    }
    out += "  " + text + "\n";
  }
  return out;
}

std::vector<Change> changes_between(const std::vector<wire::Field>& before,
                                    const std::vector<wire::Field>& after) {
  const std::vector<Leaf> olds = leaves_of(before);
  const std::vector<Leaf> news = leaves_of(after);
  std::vector<Change> changes;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < olds.size() || j < news.size()) {
    if (i < olds.size() && j < news.size() && is_same_field(olds[i], news[j])) {
      if (olds[i].value != news[j].value) {
        changes.push_back({olds[i].layer, olds[i].name, olds[i].value, news[j].value});
      }
      ++i;
      ++j;
      continue;
    }
    // A field that came or went: whichever of the two is found again further on is the one that
    // stays.
    const bool stays = i < olds.size() &&
                       std::any_of(news.begin() + static_cast<std::ptrdiff_t>(j), news.end(),
                                   [&](const Leaf& leaf) { return is_same_field(leaf, olds[i]); });
    if (i < olds.size() && !stays) {
      changes.push_back({olds[i].layer, olds[i].name, olds[i].value, ""});
      ++i;
    } else {
      changes.push_back({news[j].layer, news[j].name, "", news[j].value});
      ++j;
    }
  }
  return changes;
}

std::string_view duty_of(std::string_view layer) {
  constexpr std::array<std::string_view, 4> link{"Ethernet", "VLAN", "ARP", "LLC"};
  constexpr std::array<std::string_view, 6> internet{"IPv4",   "IPv6", "ICMP",
                                                     "ICMPv6", "NDP",  "IGMP"};
  const auto is_one_of = [&](const auto& names) {
    return std::find(names.begin(), names.end(), layer) != names.end();
  };
  if (is_one_of(link)) return "link";
  if (is_one_of(internet) || layer.starts_with("IPv6")) return "internet";
  if (layer == "TCP" || layer == "UDP") return "transport";
  return "application";
}

}  // namespace lanyard::cli
