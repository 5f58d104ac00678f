// SPDX-License-Identifier: Apache-2.0
// The file as a whole and what all sections share. The sections: read_hosts.cc, read_links.cc,
// read_timeline.cc.
#include "lab/lab_file.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "lab/nearest.hh"
#include "lab/plan.hh"
#include "lab/reader.hh"

namespace lanyard::lab {
namespace {

const std::vector<std::string> top_keys = {"lab",   "seed",     "time",    "until",  "files",
                                           "hosts", "switches", "routers", "groups", "links",
                                           "at",    "check",    "numbers"};

std::string base_name(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

void sort_diagnostics(std::vector<Diagnostic>& diagnostics) {
  std::ranges::stable_sort(diagnostics, [](const Diagnostic& a, const Diagnostic& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
}

}  // namespace

std::string to_text(const Diagnostic& diagnostic) {
  return fmt::format("{}:{}:{}: {}{}{}{}", diagnostic.file, diagnostic.line, diagnostic.column,
                     diagnostic.is_warning ? "warning: " : "", diagnostic.what,
                     diagnostic.fix.empty() ? "" : ": ", diagnostic.fix);
}

void Reader::problem(Mark mark, std::string what, std::string fix) {
  ++errors_;
  if (diagnostics_.size() < lab_diagnostics_max)
    diagnostics_.push_back({file_, std::max(1U, mark.line), std::max(1U, mark.column),
                            std::move(what), std::move(fix), false});
}

void Reader::warning(Mark mark, std::string what, std::string fix) {
  if (diagnostics_.size() < lab_diagnostics_max)
    diagnostics_.push_back({file_, std::max(1U, mark.line), std::max(1U, mark.column),
                            std::move(what), std::move(fix), true});
}

bool Reader::is_map(const Yaml& value, std::string_view what, std::string_view example) {
  if (value.is_mapping()) return true;
  problem(value.mark, fmt::format("{} is not a mapping of keys to values", what),
          fmt::format("write {}", example));
  return false;
}

bool Reader::is_text(const Yaml& value, std::string_view what) {
  if (value.is_scalar()) return true;
  problem(value.mark, fmt::format("{} is not one value", what),
          value.is_null() ? "write a value after the colon" : "put text with `: ` in it in quotes");
  return false;
}

bool Reader::accept_key(const Yaml& key, std::span<const std::string> known, std::string_view where,
                        std::map<std::string, Mark>& seen) {
  if (!key.is_scalar()) {
    problem(key.mark, fmt::format("a key of {} is not a word", where), suggestion("", known));
    return false;
  }
  if (std::ranges::find(known, key.text) == known.end()) {
    problem(key.mark, fmt::format("unknown key `{}` in {}", key.text.substr(0, 60), where),
            suggestion(key.text, known));
    return false;
  }
  const auto [first, is_new] = seen.emplace(key.text, key.mark);
  if (!is_new)
    problem(
        key.mark, fmt::format("`{}` is here twice", key.text),
        fmt::format("the first is at {}:{}; keep one", first->second.line, first->second.column));
  return is_new;
}

void Reader::read_duration(const Yaml& value, std::string_view name, Duration& into) {
  if (is_text(value, fmt::format("`{}`", name)))
    take(parse_duration(value.text, name), value, into);
}

// One address with its prefix length, or a list of them.
void Reader::read_addresses(const Yaml& value, std::vector<IpPrefix>& into,
                            std::vector<Mark>& marks) {
  if (value.is_sequence()) {
    for (const Yaml& item : value.items) read_addresses(item, into, marks);
    return;
  }
  if (!is_text(value, "an address")) return;
  const auto prefix = IpPrefix::parse(value.text);
  if (!prefix || value.text.find('/') == std::string::npos) {
    problem(value.mark, fmt::format("bad address `{}`", value.text.substr(0, 60)),
            "write an address and its prefix length, as in 10.0.1.5/24 or fd00::5/64");
    return;
  }
  into.push_back(*prefix);
  marks.push_back(value.mark);
}

void Reader::read_plain_addresses(const Yaml& value, std::string_view name,
                                  std::vector<IpAddress>& into) {
  if (value.is_sequence()) {
    for (const Yaml& item : value.items) read_plain_addresses(item, name, into);
    return;
  }
  if (!is_text(value, fmt::format("`{}`", name))) return;
  const auto address = IpAddress::parse(value.text);
  if (!address) {
    problem(value.mark, fmt::format("bad {} `{}`", name, value.text.substr(0, 60)),
            "write an address without a prefix length, as in 10.0.1.1");
    return;
  }
  into.push_back(*address);
}

void Reader::read_mac(const Yaml& value, std::optional<MacAddress>& into) {
  if (!is_text(value, "`mac`")) return;
  const auto mac = MacAddress::parse(value.text);
  if (!mac) {
    problem(value.mark, fmt::format("bad MAC address `{}`", value.text.substr(0, 60)),
            "write six bytes, as in 02:00:00:00:00:01");
  } else if (mac->is_group() || mac->is_zero()) {
    problem(value.mark, fmt::format("`{}` is no address of one machine", value.text),
            "the lowest bit of the first byte must be 0, as in 02:00:00:00:00:01");
  } else {
    into = *mac;
  }
}

void Reader::read_mtu(const Yaml& value, std::uint32_t& into) {
  if (!is_text(value, "`mtu`")) return;
  std::uint64_t mtu = 0;
  if (!take(parse_count(value.text, "mtu", 65535), value, mtu)) return;
  // RFC 8200 5: every link that carries IPv6 has at least 1280.
  if (mtu < 1280) {
    problem(value.mark, fmt::format("mtu {} is too small", mtu), "IPv6 needs at least 1280");
    return;
  }
  into = static_cast<std::uint32_t>(mtu);
}

void Reader::read_top(const std::string& key, const Yaml& value) {
  if (key == "lab" && is_text(value, "`lab`")) {
    if (is_name(value, value.text, 0)) model_.name = value.text;
  } else if (key == "seed" && is_text(value, "`seed`")) {
    take(parse_count(value.text, "seed", 999'999'999'999'999'999ULL), value, model_.seed);
  } else if (key == "time" && is_text(value, "`time`")) {
    if (value.text == "virtual")
      model_.time = TimeMode::virtual_;
    else if (value.text == "real")
      model_.time = TimeMode::real;
    else if (value.text != "auto")
      problem(value.mark, fmt::format("bad time `{}`", value.text.substr(0, 60)),
              "write virtual, real or auto");
  } else if (key == "until") {
    read_duration(value, "until", model_.until);
  } else if (key == "hosts") {
    read_hosts(value);
  } else if (key == "switches") {
    read_devices(value, NodeKind::switching);
  } else if (key == "routers") {
    read_devices(value, NodeKind::router);
  } else if (key == "files") {
    read_files(value);
  } else if (key == "groups") {
    read_groups(value);
  } else if (key == "links") {
    read_links(value);
  } else if (key == "at") {
    read_timeline(value);
  } else if (key == "check") {
    read_checks(value);
  }
}

void Reader::read(const Yaml& root) {
  if (root.is_null()) {
    problem({1, 1}, "the file is empty", "begin with `lab: my-lab` and `hosts:`");
    return;
  }
  if (!is_map(root, "the file", "`lab: my-lab`, `hosts:` and so on, one below the other")) return;
  std::map<std::string, const Yaml*> sections;
  each_key(root, top_keys, "the lab",
           [&](const std::string& key, const Yaml& value) { sections[key] = &value; });
  if (const auto found = sections.find("numbers"); found != sections.end())
    read_numbers(*found->second);  // first: a file that is there already is not read
  // In the order of the table, so that links know the hosts wherever they stand in the file.
  for (const std::string& key : top_keys) {
    if (const auto found = sections.find(key); found != sections.end())
      read_top(key, *found->second);
    if (key != "routers") continue;
    name_programs();
    for (const auto& [name, nodes] : by_group_) model_.groups.push_back({name + "*", nodes, {}});
  }
  start_by_events();
  if (model_.nodes.empty() && !has_errors())
    problem(root.mark, "the lab has no hosts",
            "add `hosts:` with a name for each, as in `hosts: [alice, bob]`");
  warn_about_links();
}

namespace {

// What can only be seen once everything is known: addresses, and what cannot run in virtual time.
void read_plan(Reader& reader) {
  const auto plan = make_plan(reader.model());
  if (!plan)
    for (const PlanProblem& each : plan.error()) reader.problem(each.mark, each.what, each.fix);
  else
    for (const PlanProblem& each : plan->warnings) reader.warning(each.mark, each.what, each.fix);
  if (reader.model().time != TimeMode::virtual_) return;
  for (const NodeSpec& node : reader.model().nodes) {
    if (node.kind == NodeKind::kernel_host)
      reader.problem(node.mark,
                     fmt::format("{} has the kernel's stack, which has only real time", node.name),
                     "leave `time: virtual` out");
    for (const ProgramSpec& program : node.programs)
      if (!is_built_in(program.command))
        reader.problem(
            program.mark,
            fmt::format("`{}` is not built into Lanyard and has only real time", program.command),
            "leave `time: virtual` out");
  }
}

}  // namespace

std::expected<LabFile, std::vector<Diagnostic>> parse_lab(std::string_view text,
                                                          const std::string& file) {
  Reader reader(file);
  if (text.size() > lab_file_bytes_max) {
    reader.problem(
        {1, 1}, fmt::format("the file has {} bytes", text.size()),
        fmt::format("at most {} are read; use counts as in `alice*100`", lab_file_bytes_max));
    return std::unexpected(std::move(reader.diagnostics()));
  }
  const auto yaml = parse_yaml(text);
  if (!yaml) {
    reader.problem(yaml.error().mark, yaml.error().what, yaml.error().fix);
    return std::unexpected(std::move(reader.diagnostics()));
  }
  reader.read(*yaml);
  if (!reader.has_errors()) read_plan(reader);
  sort_diagnostics(reader.diagnostics());
  if (reader.has_errors()) return std::unexpected(std::move(reader.diagnostics()));
  LabFile lab{std::move(reader.model()), std::move(reader.diagnostics())};
  lab.model.file = base_name(file);
  lab.model.text = std::string(text);
  if (!reader.loaded().empty()) lab.model.text += "\nnumbers:\n" + reader.loaded();
  return lab;
}

std::expected<LabFile, std::vector<Diagnostic>> read_lab(const std::string& path) {
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  std::string text;
  if (stream) {
    text.resize(lab_file_bytes_max + 1);
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(stream.gcount()));
  }
  const int error = errno;
  if (!stream.eof() && !stream.good())
    return std::unexpected(std::vector<Diagnostic>{
        {path, 1, 1, fmt::format("the file cannot be read: {}", std::strerror(error)),
         "give the path of a lab file", false}});
  return parse_lab(text, path);
}

}  // namespace lanyard::lab
