// SPDX-License-Identifier: Apache-2.0
// hosts:, switches:, routers: and their programs.
#include <fmt/format.h>

#include <algorithm>

#include "lab/command.hh"
#include "lab/dhcp_host.hh"
#include "lab/nearest.hh"
#include "lab/reader.hh"

namespace lanyard::lab {
namespace {

const std::vector<std::string> host_keys = {"run", "kind",    "address", "mac",
                                            "mtu", "gateway", "dns"};
const std::vector<std::string> router_keys = {"run", "dns"};
const std::vector<std::string> run_keys = {"do", "at", "expect", "env", "dir", "name"};
const std::vector<std::string> no_keys = {};

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

// `address: dhcp`: the first of its programs asks for an address before the others use one.
void add_dhcp_client(Reader& reader, NodeSpec& node, const Mark& mark) {
  if (node.kind == NodeKind::kernel_host) {
    reader.problem(mark, "`address: dhcp` is for hosts with our stack",
                   "give this host a DHCP client of its own, as in `run: udhcpc -i eth0 -f`");
    return;
  }
  ProgramSpec program;
  program.name = dhcp_client_suffix;
  program.command = "dhcp client";
  program.any_status = true;
  program.mark = mark;
  node.programs.insert(node.programs.begin(), std::move(program));
}

}  // namespace

// RFC 1123 2.1: names are letters, digits and hyphens, at most 63 (RFC 1035 2.3.4); they are asked
// of the name server.
bool Reader::is_name(const Yaml& at, std::string_view name, std::size_t offset) {
  const bool is_good =
      !name.empty() && name.size() <= 63 && name.front() != '-' && name.back() != '-' &&
      std::ranges::all_of(name, [](char c) { return is_letter_or_digit(c) || c == '-'; });
  if (!is_good)
    problem(at.mark_at(offset), fmt::format("bad name `{}`", name.substr(0, 70)),
            "names are letters, digits and hyphens between them, at most 63");
  return is_good;
}

// A node under its name, or as many as `alice*100` says.
void Reader::add_nodes(const Yaml& name, NodeSpec node) {
  node.mark = name.mark;
  const std::size_t star = name.text.find('*');
  const std::string base = name.text.substr(0, star);
  if (!is_name(name, base, 0)) return;
  std::uint64_t count = 1;
  if (star != std::string::npos) {
    const auto number =
        parse_count(std::string_view(name.text).substr(star + 1), "count", lab_nodes_max);
    if (!number || *number == 0) {
      problem(name.mark_at(star + 1), fmt::format("bad count in `{}`", name.text.substr(0, 70)),
              fmt::format("write a number from 1 to {} after the star, as in `{}*100`",
                          lab_nodes_max, base));
      return;
    }
    count = *number;
    if (!node.addresses.empty() || node.mac)
      problem(name.mark, fmt::format("`{}` gives one address to {} hosts", name.text, count),
              "leave address and mac out; they are chosen");
  }
  if (model_.nodes.size() + count > lab_nodes_max) {
    problem(name.mark, fmt::format("more than {} nodes", lab_nodes_max), "make the lab smaller");
    return;
  }
  for (std::uint64_t i = 1; i <= count; ++i) {
    NodeSpec each = node;
    const std::string number = std::to_string(i);
    each.name = star == std::string::npos ? base : base + number;
    if (star != std::string::npos)
      for (ProgramSpec& program : each.programs) {
        replace_all(program.command, "{n}", number);
        replace_all(program.when, "{n}", number);
      }
    const auto id = static_cast<std::uint32_t>(model_.nodes.size());
    const auto [first, is_new] = by_name_.emplace(lower(each.name), id);
    if (!is_new || lower(each.name) == "localhost") {
      const Mark before = is_new ? Mark{} : model_.nodes[first->second].mark;
      problem(name.mark, fmt::format("the name `{}` is taken", each.name),
              is_new ? "localhost is every host's own name"
                     : fmt::format("it is first used at {}:{}; choose another", before.line,
                                   before.column));
      return;
    }
    if (star != std::string::npos) by_group_[lower(base)].push_back(id);
    names_.push_back(each.name);
    model_.nodes.push_back(std::move(each));
  }
}

// Checks and people call a program by its host's name, its own, or host.2 for a host's second.
void Reader::name_programs() {
  std::map<std::string, Mark> seen;
  for (NodeSpec& node : model_.nodes) {
    std::size_t number = 0;
    for (ProgramSpec& program : node.programs) {
      if (is_dhcp_client(program)) {
        program.name = node.name + std::string(dhcp_client_suffix);
        continue;
      }
      ++number;
      if (program.name.empty()) {
        program.name = number == 1 ? node.name : fmt::format("{}.{}", node.name, number);
        continue;
      }
      if (by_name_.contains(lower(program.name)) ||
          !seen.emplace(lower(program.name), program.mark).second)
        problem(program.mark, fmt::format("the name `{}` is taken", program.name),
                "give the program a name no host and no other program has");
    }
  }
}

void Reader::read_hosts(const Yaml& section) {
  if (section.is_mapping()) {
    for (const auto& [name, body] : section.pairs) read_host(name, &body);
  } else if (section.is_sequence()) {
    for (const Yaml& item : section.items) {
      if (item.is_mapping())
        for (const auto& [name, body] : item.pairs) read_host(name, &body);
      else
        read_host(item, nullptr);
    }
  } else {
    problem(section.mark, "`hosts` is neither a list of names nor a mapping of them",
            "write `hosts: [alice, bob]` or `hosts:` and a line `alice: { run: ... }` for each");
  }
}

void Reader::read_host(const Yaml& name, const Yaml* body) {
  if (!is_text(name, "a host's name")) return;
  NodeSpec node;
  node.mark = name.mark;
  if (body != nullptr && !body->is_null()) fill_host(node, *body);
  add_nodes(name, std::move(node));
}

void Reader::fill_host(NodeSpec& node, const Yaml& body) {
  if (!is_map(body, "a host", "`alice: { run: ping bob }`")) return;
  bool asks_dhcp = false;
  each_key(body, host_keys, "a host", [&](const std::string& key, const Yaml& value) {
    if (key == "run")
      read_runs(node, value);
    else if (key == "address" && value.is_scalar() && value.text == "dhcp")
      asks_dhcp = true;
    else if (key == "address")
      read_addresses(value, node.addresses, node.address_marks);
    else if (key == "mac")
      read_mac(value, node.mac);
    else if (key == "mtu")
      read_mtu(value, node.mtu);
    else if (key == "gateway")
      read_plain_addresses(value, "gateway", node.gateways);
    else if (key == "dns")
      read_plain_addresses(value, "dns", node.name_servers);
    else if (key == "kind" && is_text(value, "`kind`")) {
      if (value.text == "linux")
        node.kind = NodeKind::kernel_host;
      else if (value.text != "lanyard")
        problem(value.mark, fmt::format("unknown kind `{}`", value.text.substr(0, 60)),
                "write lanyard (our stack) or linux (the kernel's)");
    }
  });
  for (const auto& [key, value] : body.pairs)
    if (key.text == "run") refuse_ignored_keys(node, value);
  if (asks_dhcp) add_dhcp_client(*this, node, body.mark);
}

void Reader::read_runs(NodeSpec& node, const Yaml& value) {
  if (value.is_sequence()) {
    for (const Yaml& item : value.items) read_run(node, item);
  } else {
    read_run(node, value);
  }
}

void Reader::read_run(NodeSpec& node, const Yaml& value) {
  ProgramSpec program;
  program.mark = value.mark;
  if (value.is_scalar()) {
    program.command = value.text;
  } else if (value.is_mapping()) {
    each_key(value, run_keys, "`run`",
             [&](const std::string& key, const Yaml& item) { read_run_key(program, key, item); });
  } else {
    problem(value.mark, "`run` is not a command",
            "write `run: ping bob` or `run: { do: ping bob, at: 1s }`");
    return;
  }
  if (program.command.find_first_not_of(" \t\n") == std::string::npos) {
    problem(value.mark, "`run` has no command", "write `do: ping bob`");
    return;
  }
  node.programs.push_back(std::move(program));
}

void Reader::read_run_key(ProgramSpec& program, const std::string& key, const Yaml& value) {
  if (key == "at" && value.is_scalar() && value.text.starts_with("when ")) {
    program.when = value.text;
    program.when_mark = value.mark;
  } else if (key == "at")
    read_duration(value, "at", program.at);
  else if (key == "env")
    read_environment(program, value);
  else if (!is_text(value, fmt::format("`{}`", key)))
    return;
  else if (key == "do") {
    program.command = value.text;
    program.mark = value.mark;
  } else if (key == "expect")
    read_expect(program, value);
  else if (key == "dir")
    program.directory = value.text;
  else if (key == "name" && is_name(value, value.text, 0))
    program.name = value.text;
}

// A program built in has neither a directory nor an environment.
void Reader::refuse_ignored_keys(const NodeSpec& node, const Yaml& runs) {
  for (const Yaml& item : runs.items) refuse_ignored_keys(node, item);
  const auto command =
      std::ranges::find_if(runs.pairs, [](const YamlPair& pair) { return pair.key.text == "do"; });
  if (command == runs.pairs.end() || node.kind == NodeKind::kernel_host ||
      !is_built_in(command->value.text))
    return;
  const std::string name = command->value.text.substr(0, command->value.text.find(' '));
  for (const auto& [key, value] : runs.pairs)
    if (key.text == "dir" || key.text == "env")
      problem(
          key.mark,
          fmt::format("`{}` means nothing to `{}`, which is built into Lanyard", key.text, name),
          "leave it out, or name a program of the machine by its path");
}

// `exit N`, or `any`.
void Reader::read_expect(ProgramSpec& program, const Yaml& value) {
  const auto words = words_of(value.text);
  if (words && words->size() == 1 && words->front() == "any") {
    program.any_status = true;
    return;
  }
  std::uint64_t status = 0;
  if (!words || words->size() != 2 || words->front() != "exit") {
    problem(value.mark, fmt::format("bad expectation `{}`", value.text.substr(0, 60)),
            "write `exit 0`, another status, or `any`");
  } else if (take(parse_count((*words)[1], "exit status", 255), value, status)) {
    program.expected_status = static_cast<int>(status);
  }
}

void Reader::read_environment(ProgramSpec& program, const Yaml& value) {
  if (!is_map(value, "`env`", "`env: { LANG: C }`")) return;
  for (const auto& [name, text] : value.pairs) {
    if (!is_text(name, "a variable's name")) continue;
    if (name.text.empty() ||
        name.text.find_first_of(std::string_view("=\0", 2)) != std::string::npos) {
      problem(name.mark, fmt::format("bad variable `{}`", name.text.substr(0, 60)),
              "a name without `=`");
    } else if (text.is_null()) {
      program.environment[name.text] = "";
    } else if (is_text(text, fmt::format("`{}`", name.text.substr(0, 60)))) {
      if (!program.environment.emplace(name.text, text.text).second)
        problem(name.mark, fmt::format("`{}` is here twice", name.text.substr(0, 60)), "keep one");
    }
  }
}

void Reader::read_devices(const Yaml& section, NodeKind kind) {
  const std::string_view what = kind == NodeKind::router ? "routers" : "switches";
  if (section.is_mapping()) {
    for (const auto& [name, body] : section.pairs) read_device(name, &body, kind);
  } else if (section.is_sequence()) {
    for (const Yaml& item : section.items) {
      if (item.is_mapping())
        for (const auto& [name, body] : item.pairs) read_device(name, &body, kind);
      else
        read_device(item, nullptr, kind);
    }
  } else {
    problem(section.mark,
            fmt::format("`{}` is neither a list of names nor a mapping of them", what),
            fmt::format("write `{}: [one, two]`", what));
  }
}

void Reader::read_device(const Yaml& name, const Yaml* body, NodeKind kind) {
  const bool is_router = kind == NodeKind::router;
  const std::string_view what = is_router ? "a router" : "a switch";
  if (!is_text(name, fmt::format("{}'s name", what))) return;
  NodeSpec node;
  node.kind = kind;
  if (body != nullptr && !body->is_null() && is_map(*body, what, "`name: {}`")) {
    each_key(*body, is_router ? router_keys : no_keys, what,
             [&](const std::string& key, const Yaml& value) {
               if (key == "run")
                 read_runs(node, value);
               else if (key == "dns")
                 read_plain_addresses(value, "dns", node.name_servers);
             });
    for (const auto& [key, value] : body->pairs)
      if (key.text == "run") refuse_ignored_keys(node, value);
  }
  add_nodes(name, std::move(node));
}

}  // namespace lanyard::lab
