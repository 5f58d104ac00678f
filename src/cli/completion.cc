// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.hh"

#include <fmt/format.h>

#include "cli/options.hh"
#include "cli/verbs.hh"

namespace lanyard::cli {
namespace {

std::string join(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

std::string escaped(std::string_view text, std::string_view specials) {
  std::string out;
  for (const char c : text) {
    if (specials.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::vector<std::string> verb_names(const std::vector<VerbSurface>& verbs) {
  std::vector<std::string> names;
  for (const VerbSurface& verb : verbs) names.push_back(verb.name);
  return names;
}

// What completes the first word after the verb.
std::string words_after(const VerbSurface& verb, const std::vector<VerbSurface>& all) {
  if (verb.name == "help") return join(verb_names(all));
  if (verb.name == "completion") return "bash zsh fish";
  return {};
}

bool takes_file(const VerbSurface& verb) {
  for (const std::string& name : verb.positionals) {
    if (name == "LAB" || name == "RUN" || name == "FRAME") return true;
  }
  return false;
}

std::string bash_script(const std::vector<VerbSurface>& verbs) {
  std::string cases;
  for (const VerbSurface& verb : verbs) {
    std::vector<std::string> words;
    for (const OptionSurface& option : verb.options) {
      words.insert(words.end(), option.names.begin(), option.names.end());
    }
    const std::string more = words_after(verb, verbs);
    if (!more.empty()) words.push_back(more);
    cases += fmt::format("    {}) words=\"{}\"; files={} ;;\n", verb.name, join(words),
                         takes_file(verb) ? 1 : 0);
  }
  return fmt::format(R"(# bash completion for lanyard
_lanyard() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}" words="" files=0
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{} --help --version" -- "$current"))
    return
  fi
  case "$previous" in
    -o|--output) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  case "${{COMP_WORDS[1]}}" in
{}  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [ "$files" = 1 ] && [ "${{current#-}}" = "$current" ]; then
    COMPREPLY+=($(compgen -f -- "$current"))
  fi
}}
complete -o filenames -F _lanyard lanyard
)",
                     join(verb_names(verbs)), cases);
}

std::string zsh_script(const std::vector<VerbSurface>& verbs) {
  std::string list;
  std::string cases;
  for (const VerbSurface& verb : verbs) {
    list += fmt::format("    '{}:{}'\n", verb.name, escaped(verb.summary, ":"));
    cases += fmt::format("    {}) _arguments", verb.name);
    for (const OptionSurface& option : verb.options) {
      for (const std::string& name : option.names) {
        cases += fmt::format(" \\\n      '{}[{}]{}'", name, escaped(option.description, "[]:"),
                             option.takes_value ? ":value:" : "");
      }
    }
    const std::string more = words_after(verb, verbs);
    if (!more.empty()) cases += fmt::format(" \\\n      '1:word:({})'", more);
    if (takes_file(verb)) cases += " \\\n      '*:file:_files'";
    cases += " ;;\n";
  }
  return fmt::format(R"(#compdef lanyard
_lanyard() {{
  local -a verbs
  verbs=(
{}  )
  if (( CURRENT == 2 )); then
    _describe 'verb' verbs
    return
  fi
  local verb=$words[2]
  shift words
  (( CURRENT-- ))
  case $verb in
{}  esac
}}
_lanyard "$@"
)",
                     list, cases);
}

std::string fish_script(const std::vector<VerbSurface>& verbs) {
  std::string out = "# fish completion for lanyard\ncomplete -c lanyard -f\n";
  for (const VerbSurface& verb : verbs) {
    out += fmt::format("complete -c lanyard -n __fish_use_subcommand -a {} -d '{}'\n", verb.name,
                       escaped(verb.summary, "'"));
    const std::string seen = fmt::format("'__fish_seen_subcommand_from {}'", verb.name);
    for (const OptionSurface& option : verb.options) {
      std::string names;
      for (const std::string& name : option.names) {
        names += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      out += fmt::format("complete -c lanyard -n {}{}{} -d '{}'\n", seen, names,
                         option.takes_value ? " -r" : "", escaped(option.description, "'"));
    }
    const std::string more = words_after(verb, verbs);
    if (!more.empty()) out += fmt::format("complete -c lanyard -n {} -a '{}'\n", seen, more);
    if (takes_file(verb)) out += fmt::format("complete -c lanyard -n {} -F\n", seen);
  }
  return out;
}

}  // namespace

std::string completion_script(std::string_view shell) {
  const std::vector<VerbSurface> verbs = command_surface();
  if (shell == "bash") return bash_script(verbs);
  if (shell == "zsh") return zsh_script(verbs);
  if (shell == "fish") return fish_script(verbs);
  return {};
}

int completion(const CompletionOptions& options) {
  fmt::print("{}", completion_script(options.shell));
  return exit_ok;
}

}  // namespace lanyard::cli
