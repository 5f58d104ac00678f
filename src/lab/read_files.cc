// SPDX-License-Identifier: Apache-2.0
// files:, numbers: and groups:
#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "lab/nearest.hh"
#include "lab/reader.hh"

namespace lanyard::lab {
namespace {

constexpr std::size_t numbers_max = 1'000'000;
constexpr std::size_t file_bytes_max = 8 * 1024 * 1024;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// A whole number with its sign off the front of `text`; false if there is none.
bool take_number(std::string_view& text, std::int64_t& number) {
  const bool is_negative = text.starts_with('-');
  if (is_negative) text.remove_prefix(1);
  std::size_t digits = 0;
  number = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    if (digits == 15) return false;
    number = number * 10 + (text[digits] - '0');
  }
  text.remove_prefix(digits);
  if (is_negative) number = -number;
  return digits > 0;
}

void skip_blanks_and_comments(std::string_view& text) {
  while (!text.empty() && (is_blank(text.front()) || text.front() == '#')) {
    const bool is_comment = text.front() == '#';
    const std::size_t end = is_comment ? std::min(text.find('\n'), text.size()) : 1;
    text.remove_prefix(end);
  }
}

}  // namespace

// Whole numbers with blanks between; `#` begins a comment.
bool Reader::take_numbers(const Yaml& at, const std::string& name, std::string_view text) {
  std::vector<std::int64_t> numbers;
  for (skip_blanks_and_comments(text); !text.empty(); skip_blanks_and_comments(text)) {
    std::int64_t number = 0;
    if (!take_number(text, number) || (!text.empty() && !is_blank(text.front()))) {
      problem(at.mark, fmt::format("`{}` holds something else than whole numbers", name),
              "a table or a trace has one on each line");
      return false;
    }
    if (numbers.size() >= numbers_max) {
      problem(at.mark, fmt::format("`{}` has more than {} numbers", name, numbers_max),
              "make it shorter; a trace begins again at its end");
      return false;
    }
    numbers.push_back(number);
  }
  model_.numbers[name] = std::move(numbers);
  return true;
}

// `files: [lte.trace]`: beside the lab file.
void Reader::read_files(const Yaml& section) {
  if (!section.is_sequence()) {
    problem(section.mark, "`files` is no list", "write `files: [lte.trace]`");
    return;
  }
  for (const Yaml& item : section.items) {
    if (!is_text(item, "a file") || model_.numbers.contains(item.text)) continue;
    const std::size_t slash = file_.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : file_.substr(0, slash + 1);
    std::ifstream stream(item.text.starts_with('/') ? item.text : folder + item.text,
                         std::ios::binary);
    std::string text;
    if (stream) {
      text.resize(file_bytes_max + 1);
      stream.read(text.data(), static_cast<std::streamsize>(text.size()));
      text.resize(static_cast<std::size_t>(stream.gcount()));
    }
    if (text.empty() || text.size() > file_bytes_max) {
      problem(item.mark, fmt::format("the file `{}` cannot be read", item.text.substr(0, 60)),
              "its path counts from the lab file's folder; 8 MiB at most");
      continue;
    }
    if (!take_numbers(item, item.text, text)) continue;
    if (has_numbers_)
      problem(item.mark, fmt::format("`{}` is not among `numbers`", item.text.substr(0, 60)),
              "name all files in `files`, or hold all of them in `numbers`");
    loaded_ += fmt::format("  {:?}: \"", item.text);
    for (const std::int64_t number : model_.numbers[item.text])
      loaded_ += fmt::format("{} ", number);
    loaded_ += "\"\n";
  }
}

// `numbers: { lte.trace: "1 5 9" }`: what a file would say, in the lab file itself.
void Reader::read_numbers(const Yaml& section) {
  if (!is_map(section, "`numbers`", "`numbers: { lte.trace: \"1 5 9\" }`")) return;
  has_numbers_ = true;
  for (const auto& [name, value] : section.pairs)
    if (is_text(name, "a file's name") && is_text(value, "the numbers"))
      take_numbers(value, name.text, value.text);
}

// `groups: { left: [alice, bob], right: client* }`
void Reader::read_groups(const Yaml& section) {
  if (!is_map(section, "`groups`", "`groups: { left: [alice, bob] }`")) return;
  for (const auto& [name, members] : section.pairs) {
    if (!is_text(name, "a group") || !is_name(name, name.text, 0)) continue;
    GroupSpec group{.name = name.text, .nodes = {}, .mark = name.mark};
    const auto add = [&](const Yaml& member) {
      if (!is_text(member, "a node of a group")) return;
      for (const std::uint32_t node : nodes_named(member, member.text, 0))
        group.nodes.push_back(node);
    };
    if (members.is_sequence())
      for (const Yaml& member : members.items) add(member);
    else
      add(members);
    if (group.nodes.empty()) {
      problem(name.mark, fmt::format("the group `{}` has nobody in it", name.text),
              "write `groups: { left: [alice, bob] }`");
      continue;
    }
    const bool is_known = std::ranges::any_of(
        model_.groups, [&](const GroupSpec& each) { return lower(each.name) == lower(name.text); });
    if (is_known || by_name_.contains(lower(name.text)))
      problem(name.mark, fmt::format("the name `{}` is taken", name.text), "choose another");
    else
      model_.groups.push_back(std::move(group));
  }
}

}  // namespace lanyard::lab
