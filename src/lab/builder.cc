// SPDX-License-Identifier: Apache-2.0
#include "lab/builder.hh"

#include <fmt/format.h>

#include <algorithm>

#include "lab/nearest.hh"

namespace lanyard::lab {
namespace {

// A YAML text in double quotes (YAML 1.2 5.7): whatever is in it, it is one text.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20)
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out + '"';
}

// A text that means itself without quotes, inside a flow mapping too.
bool is_plain(const std::string& text) {
  const auto is_safe = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '/' || c == '%' || c == '-' || c == ' ';
  };
  return !text.empty() && std::ranges::all_of(text, is_safe) && text.front() != '-' &&
         text.front() != '%' && text.front() != ' ' && text.back() != ' ' && lower(text) != "null";
}

// Values such as `[10.0.1.5/24, fd01::5/64]` and `{ r1: 10.0.9.1/24 }` are not one text.
std::string value_of(const std::string& text) {
  if (is_plain(text) || text.starts_with('[') || text.starts_with('{')) return text;
  return quoted(text);
}

std::string mapping_of(const Builder::Keys& keys) {
  std::string out = "{";
  for (const auto& [key, value] : keys)
    out += fmt::format("{} {}: {}", out.size() == 1 ? "" : ",", key, value_of(value));
  return out + " }";
}

std::string list_of(const std::vector<std::string>& names) {
  return fmt::format("[{}]", fmt::join(names, ", "));
}

}  // namespace

Builder& Builder::seed(std::uint64_t seed) {
  seed_ = seed;
  return *this;
}

Builder& Builder::until(std::string time) {
  until_ = std::move(time);
  return *this;
}

Builder& Builder::host(const std::string& name, Keys keys) {
  hosts_.push_back({name, std::move(keys), {}});
  return *this;
}

Builder& Builder::switching(const std::string& name) {
  switches_.push_back(name);
  return *this;
}

Builder& Builder::router(const std::string& name) {
  routers_.push_back(name);
  return *this;
}

// Programs are mostly added to the host that was made last.
Builder::Host& Builder::host_of(const std::string& name) {
  const auto found = std::ranges::find(hosts_.rbegin(), hosts_.rend(), name, &Host::name);
  if (found != hosts_.rend()) return *found;
  return hosts_.emplace_back(Host{name, {}, {}});
}

Builder& Builder::run(const std::string& host, std::string command, Keys keys) {
  keys.insert(keys.begin(), {"do", std::move(command)});
  host_of(host).programs.push_back(std::move(keys));
  return *this;
}

Builder& Builder::link(const std::string& a, const std::string& b, Keys keys) {
  links_.emplace_back(a + " -- " + b, std::move(keys));
  return *this;
}

Builder& Builder::one_way(const std::string& a, const std::string& b, Keys keys) {
  links_.emplace_back(a + " -> " + b, std::move(keys));
  return *this;
}

Builder& Builder::at(std::string time, std::string action) {
  timeline_.emplace_back(std::move(time), std::move(action));
  return *this;
}

Builder& Builder::check(std::string text) {
  checks_.push_back(std::move(text));
  return *this;
}

std::string Builder::text() const {
  std::string out = fmt::format("lab: {}\nseed: {}\n", value_of(name_), seed_);
  if (!until_.empty()) out += fmt::format("until: {}\n", until_);
  if (!hosts_.empty()) out += "hosts:\n";
  for (const Host& host : hosts_) {
    out += fmt::format("  {}:\n", host.name);
    for (const auto& [key, value] : host.keys)
      out += fmt::format("    {}: {}\n", key, value_of(value));
    if (!host.programs.empty()) out += "    run:\n";
    for (const Keys& program : host.programs)
      out += fmt::format("      - {}\n", mapping_of(program));
    if (host.keys.empty() && host.programs.empty()) out.insert(out.size() - 1, " {}");
  }
  if (!switches_.empty()) out += fmt::format("switches: {}\n", list_of(switches_));
  if (!routers_.empty()) out += fmt::format("routers: {}\n", list_of(routers_));
  if (!links_.empty()) out += "links:\n";
  for (const auto& [ends, keys] : links_)
    out += keys.empty() ? fmt::format("  - {}\n", ends)
                        : fmt::format("  - {}: {}\n", ends, mapping_of(keys));
  if (!timeline_.empty()) out += "at:\n";
  for (std::size_t i = 0; i < timeline_.size(); ++i) {
    // What happens at one time is one list.
    if (i == 0 || timeline_[i].first != timeline_[i - 1].first)
      out += fmt::format("  {}:\n", timeline_[i].first);
    out += fmt::format("    - {}\n", timeline_[i].second);
  }
  if (!checks_.empty()) out += "check:\n";
  for (const std::string& check : checks_) out += fmt::format("  - {}\n", check);
  return out;
}

std::expected<LabFile, std::vector<Diagnostic>> Builder::build() const {
  return parse_lab(text(), name_ + ".yaml");
}

}  // namespace lanyard::lab
