// SPDX-License-Identifier: Apache-2.0
#include "lab/hunt/lab_text.hh"

#include <fmt/format.h>

#include <algorithm>

#include "lab/units.hh"

namespace lanyard::lab::hunt {
namespace {

std::vector<std::string_view> lines_in(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1);
    lines.push_back(text.substr(0, end + 1));
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20)
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    else
      out += c;
  }
  return out + "\"";
}

// True for text that means itself in a flow collection without quotes.
bool is_plain(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text,
                             [](char c) {
                               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                      (c >= '0' && c <= '9') || c == '.' || c == '%' || c == ' ' ||
                                      c == '-' || c == '>' || c == '*' || c == '/' || c == '_';
                             }) &&
         text.front() != '-' && text.front() != '>' && text.front() != '*' && text.front() != '%' &&
         text.front() != ' ' && text.back() != ' ';
}

}  // namespace

std::string flow_text(const Yaml& yaml) {
  std::string out;
  switch (yaml.kind) {
    case Yaml::Kind::null:
      return "~";
    case Yaml::Kind::scalar:
      return !yaml.is_quoted && is_plain(yaml.text) ? yaml.text : quoted(yaml.text);
    case Yaml::Kind::sequence:
      for (const Yaml& item : yaml.items) out += (out.empty() ? "" : ", ") + flow_text(item);
      return "[" + out + "]";
    case Yaml::Kind::mapping:
      for (const auto& [key, value] : yaml.pairs)
        out += (out.empty() ? "" : ", ") + flow_text(key) + ": " + flow_text(value);
      return "{ " + out + " }";
  }
  return out;
}

LabText::LabText(std::string_view text) {
  const auto yaml = parse_yaml(text);
  if (!yaml || !yaml->is_mapping()) return;
  const std::vector<std::string_view> lines = lines_in(text);
  const bool is_block = std::ranges::all_of(
      yaml->pairs, [](const YamlPair& pair) { return pair.key.mark.column == 1; });
  for (std::size_t i = 0; i < yaml->pairs.size(); ++i) {
    const auto& [key, value] = yaml->pairs[i];
    if (key.text == "at") keep_author_moments(value);
    if (!is_block) {
      sections_.emplace_back(key.text, fmt::format("{}: {}\n", key.text, flow_text(value)));
      continue;
    }
    const std::size_t begin = key.mark.line - 1;
    const std::size_t end =
        i + 1 < yaml->pairs.size() ? yaml->pairs[i + 1].key.mark.line - 1 : lines.size();
    std::string section;
    for (std::size_t line = begin; line < end && line < lines.size(); ++line)
      section += lines[line];
    if (!section.ends_with('\n')) section += '\n';
    if (i == 0)
      for (std::size_t line = 0; line < begin; ++line) head_ += lines[line];
    sections_.emplace_back(key.text, std::move(section));
  }
}

void LabText::keep_author_moments(const Yaml& section) {
  bool is_any_relative = false;
  const auto take = [&](const Yaml& map) {
    for (const auto& [time, value] : map.pairs) {
      const auto at = parse_duration(time.text, "time");
      is_any_relative = is_any_relative || !at;
      if (!at) continue;
      Moment moment{*at, {}};
      if (value.is_sequence())
        for (const Yaml& item : value.items) moment.actions.push_back(flow_text(item));
      else
        moment.actions.push_back(flow_text(value));
      moments_.push_back(std::move(moment));
    }
  };
  if (section.is_mapping()) take(section);
  for (const Yaml& item : section.items) take(item);
  if (!is_any_relative) return;
  const auto list = [this](const Yaml& map) {
    for (const auto& [time, value] : map.pairs)
      moment_lines_ += fmt::format("  - {}: {}\n", flow_text(time), flow_text(value));
  };
  list(section);
  for (const Yaml& item : section.items) list(item);
}

std::string LabText::timeline_with(std::span<const Line> lines) const {
  std::vector<Moment> moments = moment_lines_.empty() ? moments_ : std::vector<Moment>{};
  for (const Line& line : lines) {
    const std::string what = is_plain(line.action) ? line.action : quoted(line.action);
    const std::string action =
        line.body.empty() ? what : fmt::format("{{ {}: {} }}", what, line.body);
    moments.push_back({line.at, {action}});
  }
  std::ranges::stable_sort(moments, {}, &Moment::at);
  std::string timeline = moment_lines_;
  const std::string_view dash = moment_lines_.empty() ? "" : "- ";
  for (std::size_t i = 0; i < moments.size();) {
    std::vector<std::string> actions;
    const Duration at = moments[i].at;
    for (; i < moments.size() && moments[i].at == at; ++i)
      actions.insert(actions.end(), moments[i].actions.begin(), moments[i].actions.end());
    timeline += actions.size() == 1
                    ? fmt::format("  {}{}: {}\n", dash, to_text(at), actions[0])
                    : fmt::format("  {}{}: [{}]\n", dash, to_text(at), fmt::join(actions, ", "));
  }
  return timeline.empty() ? "" : "at:\n" + timeline;
}

std::string LabText::with_sections(
    std::span<const std::pair<std::string, std::string>> others) const {
  std::string out = head_;
  for (const auto& [key, section] : sections_) {
    const auto other = std::ranges::find(others, key, &std::pair<std::string, std::string>::first);
    out += other == others.end() ? section : other->second;
  }
  return out;
}

std::string LabText::with(const Changes& changes) const {
  std::string timeline = timeline_with(changes.lines);
  std::string out = changes.heading + head_;
  const std::string numbers =
      fmt::format("seed: {}\n", changes.seed) +
      (changes.until ? fmt::format("until: {}\n", to_text(*changes.until)) : "");
  const bool has_name = !sections_.empty() && sections_[0].first == "lab";
  if (!has_name) out += numbers;
  for (const auto& [key, section] : sections_) {
    if (key == "check") out += std::exchange(timeline, "");
    if (key == "seed" || key == "at" || (key == "until" && changes.until)) continue;
    out += section;
    if (key == "lab" && has_name) out += numbers;
  }
  return out + timeline;
}

}  // namespace lanyard::lab::hunt
