// SPDX-License-Identifier: Apache-2.0
#include "lab/drill/setup.hh"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <optional>

namespace lanyard::lab::drill {

namespace {

constexpr std::uint64_t file_bytes_max = 64 * 1024 * 1024;

using Answer = std::expected<void, Problem>;

std::unexpected<Problem> wrong(Mark mark, std::string what) {
  return std::unexpected(Problem{Problem::Kind::wrong_script, mark, std::move(what)});
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string> split(std::string_view text, std::string_view separators) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (separators.find(c) != std::string_view::npos) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  std::erase_if(parts, [](const std::string& part) { return part.empty(); });
  return parts;
}

Answer set_version(Setup& setup, const ScriptOption& option) {
  if (option.value == "ipv4" || option.value == "ipv4_mapped_ipv6") {
    setup.family = Family::ipv4;
    setup.is_mapped = option.value != "ipv4";
  } else if (option.value == "ipv6") {
    setup.family = Family::ipv6;
    setup.is_mapped = false;
  } else {
    return wrong(option.mark, "--ip_version is ipv4, ipv6 or ipv4_mapped_ipv6");
  }
  return {};
}

// 192.0.2.1, or 192.0.2.0/24: of a network its first host.
Answer set_address(Setup& setup, const ScriptOption& option) {
  const auto prefix = IpPrefix::parse(option.value);
  auto address = prefix ? std::optional(prefix->address) : IpAddress::parse(option.value);
  if (!address) return wrong(option.mark, fmt::format("--{} is an address", option.name));
  if (prefix && prefix->network() == prefix->address && prefix->length < 31 && address->is_v4()) {
    address = IpAddress::v4(address->v4_number() + 1);
  }
  const bool is_local = option.name == "local_ip";
  (is_local ? setup.local : setup.remote) = *address;
  (is_local ? setup.has_local : setup.has_remote) = true;
  return {};
}

Answer set_number(Setup& setup, const ScriptOption& option) {
  const auto number = number_of(option.value);
  const bool is_port = option.name.ends_with("_port");
  const bool is_size = option.name == "mtu" || option.name == "mss";
  const std::uint64_t most = is_port || is_size ? 65'535 : 1'000'000'000;
  const std::uint64_t least = is_port ? 1 : (option.name == "mtu" ? 576 : 0);
  if (!number || *number < least || *number > most) {
    return wrong(option.mark, fmt::format("--{} is from {} to {}", option.name, least, most));
  }
  if (option.name == "mtu") {
    setup.mtu = static_cast<std::uint32_t>(*number);
    setup.has_mtu = true;
  } else if (option.name == "mss") {
    setup.merged_bytes = static_cast<std::uint32_t>(*number);
  } else if (option.name == "bind_port") {
    setup.bind_port = static_cast<Port>(*number);
  } else if (option.name == "connect_port") {
    setup.connect_port = static_cast<Port>(*number);
  } else {
    setup.tolerance = Duration::microseconds(static_cast<std::int64_t>(*number));
    setup.has_tolerance = true;
  }
  return {};
}

Answer set_non_fatal(Setup& setup, const ScriptOption& option) {
  for (const std::string& part : split(option.value, ",")) {
    if (part == "packet") {
      setup.packets_are_fatal = false;
    } else if (part == "syscall") {
      setup.calls_are_fatal = false;
    } else if (part == "assert" || part == "code") {
      setup.asserts_are_fatal = false;
    } else {
      return wrong(option.mark, "--non_fatal is packet, syscall, assert, or several with commas");
    }
  }
  return {};
}

Answer set_strict(Setup& setup, const ScriptOption& option) {
  Strict& strict = setup.strict;
  const std::map<std::string_view, bool*> names{
      {"options", &strict.options}, {"window", &strict.window},
      {"push", &strict.push},       {"segments", &strict.segments},
      {"buffers", &strict.buffers}, {"timestamps", &strict.timestamps},
  };
  for (const std::string& part : split(option.value, ",")) {
    if (part == "all") {
      for (const auto& [name, flag] : names) *flag = true;
      continue;
    }
    const auto found = names.find(part);
    if (found == names.end()) {
      return wrong(option.mark,
                   "--strict is options, window, push, segments, buffers, timestamps or all");
    }
    *found->second = true;
  }
  return {};
}

Answer set_dry_run(Setup& setup, const ScriptOption&) {
  setup.is_dry_run = true;
  return {};
}

// Means something to another runner only: there is no device, no gateway, no shell, no library
// here.
Answer pass_over(Setup& setup, const ScriptOption& option) {
  setup.notes.push_back(fmt::format("--{} has no effect here", option.name));
  return {};
}
Answer accept_silently(Setup&, const ScriptOption&) {
  return {};
}
Answer refuse(Setup&, const ScriptOption& option) {
  return std::unexpected(Problem{Problem::Kind::unsupported, option.mark,
                                 fmt::format("--{} is not supported", option.name)});
}

using Setter = Answer (*)(Setup&, const ScriptOption&);

const std::map<std::string_view, Setter>& setters() {
  static const std::map<std::string_view, Setter> table{
      {"ip_version", set_version},
      {"local_ip", set_address},
      {"remote_ip", set_address},
      {"mtu", set_number},
      {"bind_port", set_number},
      {"connect_port", set_number},
      {"tolerance_usecs", set_number},
      {"non_fatal", set_non_fatal},
      {"strict", set_strict},
      {"dry_run", set_dry_run},
      {"gateway_ip", accept_silently},
      {"netmask_ip", accept_silently},
      {"speed", accept_silently},
      {"tcp_ts_tick_usecs", accept_silently},
      {"tcp_ts_ecr_scaled", accept_silently},
      {"mss", set_number},
      {"verbose", accept_silently},
      {"debug", accept_silently},
      {"persistent_tun_dev", accept_silently},
      {"code_command", accept_silently},
      {"code_format", accept_silently},
      {"code_sockopt", accept_silently},
      {"init_scripts", pass_over},
      {"so_filename", pass_over},
      {"so_flags", pass_over},
      {"tun_dev", accept_silently},
      {"wire_client", refuse},
      {"wire_server", refuse},
      {"wire_server_ip", refuse},
      {"wire_server_port", refuse},
      {"wire_server_dev", refuse},
      {"wire_client_dev", refuse},
      {"dns", pass_over},
  };
  return table;
}

struct Command {
  std::string program;
  std::vector<std::string> words;
};

bool ends_with_program(const std::string& word, std::string_view program) {
  return word == program || word.ends_with("/" + std::string(program));
}

// /proc/sys/net/ipv4/tcp_ecn and net/ipv4/tcp_ecn are net.ipv4.tcp_ecn.
std::string dotted(std::string name) {
  if (name.starts_with("/proc/sys/")) name = name.substr(10);
  for (char& c : name) {
    if (c == '/') c = '.';
  }
  return name;
}

void set_one(Setup& setup, const std::string& name, std::string value) {
  std::erase_if(value, [](char c) { return c == '"' || c == '\''; });
  const SysctlAnswer answer = apply_sysctl(setup, name, split(value, " \t"));
  if (!answer.is_known) {
    setup.notes.push_back(fmt::format("sysctl {} is not known and has no effect here", name));
  } else if (!answer.note.empty()) {
    setup.notes.push_back(fmt::format("sysctl {}={}: {}", name, value, answer.note));
  }
  if (answer.has_effect) setup.is_changed = true;
}

// sysctl -w a.b=c d.e="f g", set_sysctls.py /proc/sys/a/b=c
void set_sysctls(Setup& setup, const std::string& text) {
  char quote = '\0';
  std::string word;
  std::vector<std::string> words;
  for (const char c : text + " ") {
    if (quote == '\0' && (c == ' ' || c == '\t')) {
      if (!word.empty()) words.push_back(word);
      word.clear();
    } else if (c == quote) {
      quote = '\0';
    } else if (quote == '\0' && (c == '"' || c == '\'')) {
      quote = c;
    } else {
      word += c;
    }
  }
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::size_t sign = words[i].find('=');
    if (words[i].starts_with("-") || sign == std::string::npos) continue;
    set_one(setup, dotted(words[i].substr(0, sign)), words[i].substr(sign + 1));
  }
}

// echo 1 > /proc/sys/net/ipv4/tcp_ecn
bool set_by_echo(Setup& setup, const std::string& text) {
  const std::size_t arrow = text.find('>');
  const std::size_t path = text.find("/proc/sys/");
  if (!text.starts_with("echo ") || arrow == std::string::npos || path == std::string::npos) {
    return false;
  }
  const auto name = split(text.substr(path), " \t");
  set_one(setup, dotted(name.front()), text.substr(5, arrow - 5));
  return true;
}

// dd if=/dev/zero of=NAME bs=1 count=5: the one way in which scripts make files.
bool make_file(Setup& setup, const std::vector<std::string>& words) {
  if (!ends_with_program(words.front(), "dd")) return false;
  std::string name;
  std::uint64_t bytes = 512, blocks = 1;
  for (const std::string& word : words) {
    const std::string value = word.substr(std::min(word.find('=') + 1, word.size()));
    if (word.starts_with("of=")) name = value;
    if (word.starts_with("bs=")) bytes = number_of(value).value_or(0);
    if (word.starts_with("count=")) blocks = number_of(value).value_or(0);
  }
  if (name.empty() || bytes * blocks > file_bytes_max) return false;
  setup.files[name] = bytes * blocks;
  return true;
}

Answer apply_one(Setup& setup, const std::string& text, Mark mark) {
  const auto words = split(text, " \t");
  const std::string& program = words.front();
  if (ends_with_program(program, "sysctl") || program.ends_with("set_sysctls.py")) {
    set_sysctls(setup, text);
    if (setup.kernel_only.empty()) return {};
    return std::unexpected(Problem{Problem::Kind::unsupported, mark,
                                   fmt::format("{}; not supported", setup.kernel_only)});
  }
  if (set_by_echo(setup, text) || make_file(setup, words)) return {};
  // Pacing by a queue of the kernel's, a queue that holds nothing, a parameter of one of its
  // modules: what follows in the script depends on them.
  const bool is_queue =
      ends_with_program(program, "tc") &&
      (text.find(" fq") != std::string::npos || text.find("limit 0") != std::string::npos);
  if (is_queue || text.find("/sys/module/") != std::string::npos) {
    return std::unexpected(Problem{
        Problem::Kind::unsupported, mark,
        fmt::format("`{}` sets something that only a Linux kernel has; not supported", text)});
  }
  if (program.ends_with("defaults.sh")) {
    apply_linux_defaults(setup);
    return {};
  }
  if (ends_with_program(program, "ip") && words.size() > 2 && words[1] == "tcp_metrics") {
    setup.forgets_servers = words[2] == "flush";
    return {};
  }
  const bool changes_paths = ends_with_program(program, "ip") && words.size() > 2 &&
                             words[2] != "show" && words[2] != "get";
  if (changes_paths || ends_with_program(program, "iptables")) {
    return std::unexpected(Problem{Problem::Kind::unsupported, mark,
                                   fmt::format("`{}` changes the machine; not supported", text)});
  }
  setup.notes.push_back(fmt::format("`{}` was skipped: no command is run", text));
  return {};
}

}  // namespace

std::expected<void, Problem> apply_option(Setup& setup, const ScriptOption& option) {
  const auto found = setters().find(option.name);
  if (found != setters().end()) return found->second(setup, option);
  setup.notes.push_back(
      fmt::format("the option --{} is not known and has no effect here", option.name));
  return {};
}

void complete(Setup& setup) {
  const bool is_v4 = setup.family == Family::ipv4;
  if (!setup.has_local || setup.local.is_v4() != is_v4) {
    setup.local = is_v4 ? IpAddress::v4(192, 168, 0, 1) : *IpAddress::parse("fd3d:a0b:17d6::1");
  }
  if (!setup.has_remote || setup.remote.is_v4() != is_v4) {
    setup.remote = is_v4 ? IpAddress::v4(192, 0, 2, 1) : *IpAddress::parse("fd3d:fa7b:d17d::1");
  }
}

std::expected<void, Problem> apply_command(Setup& setup, std::string_view command, Mark mark) {
  std::string joined;
  for (std::size_t at = 0; at < command.size(); ++at) {
    const bool goes_on = command[at] == '\\' && at + 1 < command.size() && command[at + 1] == '\n';
    if (goes_on) {
      joined += ' ';
      ++at;
    } else {
      joined += command[at];
    }
  }
  // Where its output goes does not matter.
  for (const std::string_view arrow : {"2>&1", "&> /dev/null", "> /dev/null", "2> /dev/null"}) {
    for (std::size_t at = joined.find(arrow); at != std::string::npos; at = joined.find(arrow))
      joined.erase(at, arrow.size());
  }
  for (std::string text : split(joined, "\n;&|")) {
    text.erase(0, std::min(text.find_first_not_of(" \t\r"), text.size()));
    if (text.empty() || text.front() == '#') continue;
    if (const auto applied = apply_one(setup, text, mark); !applied) return applied;
  }
  return {};
}

}  // namespace lanyard::lab::drill
