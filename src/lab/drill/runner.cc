// SPDX-License-Identifier: Apache-2.0
#include "lab/drill/runner.hh"

#include "lab/drill/player.hh"

namespace lanyard::lab::drill {

namespace {

Outcome::Kind kind_of(Problem::Kind kind) {
  switch (kind) {
    case Problem::Kind::wrong_script:
      return Outcome::Kind::wrong_script;
    case Problem::Kind::unsupported:
      return Outcome::Kind::unsupported;
    case Problem::Kind::failed:
      return Outcome::Kind::failed;
  }
  return Outcome::Kind::failed;
}

void blame(Outcome& outcome, const Problem& problem) {
  outcome.kind = kind_of(problem.kind);
  outcome.mark = problem.mark;
  outcome.what = problem.what;
}

std::expected<Setup, Problem> set_up(const RunRequest& request, const Script& script) {
  Setup setup;
  apply_kernel_defaults(setup.config);
  for (const ScriptOption& option : request.options) {
    if (const auto applied = apply_option(setup, option); !applied) {
      return std::unexpected(applied.error());
    }
  }
  // The public suites run their scripts over IPv6 with room for the longer header.
  if (setup.family == Family::ipv6 && !setup.has_mtu) setup.mtu = 1520;
  for (const ScriptOption& option : script.options) {
    if (const auto applied = apply_option(setup, option); !applied) {
      return std::unexpected(applied.error());
    }
  }
  complete(setup);
  for (const Event& event : script.commands) {
    const auto& command = std::get<CommandEvent>(event.what);
    if (const auto applied = apply_command(setup, command.text, event.mark); !applied) {
      return std::unexpected(applied.error());
    }
  }
  return setup;
}

// The words that the runners of the public suites define for each family.
Defines with_usual(const RunRequest& request) {
  bool is_v6 = false;
  for (const ScriptOption& option : request.options)
    if (option.name == "ip_version") is_v6 = option.value == "ipv6";
  Defines defines = request.defines;
  const std::pair<const char*, const char*> usual[] = {
      {"TFO_COOKIE", is_v6 ? "c1d1e9742a47a9bc" : "3021b9d889017eeb"},
      {"TFO_COOKIE_ZERO", is_v6 ? "82af1a8f9a205c34" : "b7c12350a90dc8f5"},
      {"CMSG_LEVEL_IP", is_v6 ? "SOL_IPV6" : "SOL_IP"},
      {"CMSG_TYPE_RECVERR", is_v6 ? "IPV6_RECVERR" : "IP_RECVERR"}};
  for (const auto& [name, value] : usual) defines.try_emplace(name, value);
  return defines;
}

void play(Outcome& outcome, const Setup& setup, const Script& script) {
  Player player(setup, script);
  try {
    player.play();
  } catch (const Fault& fault) {
    blame(outcome, fault.problem);
    if (player.current() != nullptr) outcome.source = player.current()->source;
    outcome.packets = player.packets();
  }
  outcome.took = player.elapsed();
  outcome.warnings = player.warnings();
  outcome.notes = player.notes();
  outcome.output = player.output();
  outcome.events = player.played();
}

}  // namespace

std::string_view to_text(Outcome::Kind kind) {
  switch (kind) {
    case Outcome::Kind::passed:
      return "passed";
    case Outcome::Kind::failed:
      return "failed";
    case Outcome::Kind::unsupported:
      return "unsupported";
    case Outcome::Kind::wrong_script:
      return "wrong script";
  }
  return "";
}

Outcome run_script(const RunRequest& request) {
  Outcome outcome;
  outcome.file = request.file;
  const auto script = parse_script(request.text, request.file, with_usual(request));
  if (!script) {
    blame(outcome, script.error());
    return outcome;
  }
  const auto setup = set_up(request, *script);
  if (!setup) {
    blame(outcome, setup.error());
    return outcome;
  }
  if (setup->is_dry_run) {
    outcome.notes = setup->notes;
    return outcome;
  }
  play(outcome, *setup, *script);
  return outcome;
}

}  // namespace lanyard::lab::drill
