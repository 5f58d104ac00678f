// SPDX-License-Identifier: Apache-2.0
#include "cli/options.hh"

#include <gtest/gtest.h>

#include <algorithm>

#include "cli/completion.hh"
#include "cli/verbs.hh"

namespace lanyard::cli {
namespace {

const std::vector<std::string> verbs{
    "run",    "up",     "down",    "exec",   "shell",         "ping",       "ps",     "logs",
    "links",  "routes", "sockets", "arp",    "cut",           "heal",       "set",    "act",
    "replay", "why",    "grep",    "follow", "conversations", "graph",      "export", "hunt",
    "import", "show",   "dissect", "drill",  "version",       "completion", "help"};

TEST(Options, EveryVerbIsThere) {
  std::vector<std::string> names;
  for (const VerbSurface& verb : command_surface()) names.push_back(verb.name);
  EXPECT_EQ(names, verbs);
}

TEST(Options, EveryVerbAndOptionExplainsItself) {
  for (const VerbSurface& verb : command_surface()) {
    EXPECT_FALSE(verb.summary.empty()) << verb.name;
    for (const OptionSurface& option : verb.options) {
      EXPECT_FALSE(option.description.empty()) << verb.name << " " << option.names.front();
    }
  }
}

TEST(Options, EveryVerbThatListsOffersJson) {
  for (const VerbSurface& verb : command_surface()) {
    static const std::vector<std::string> listing{
        "run",    "ps",  "links", "routes", "sockets",       "arp",   "show", "dissect",
        "replay", "why", "grep",  "follow", "conversations", "graph", "hunt", "drill"};
    if (std::find(listing.begin(), listing.end(), verb.name) == listing.end()) continue;
    const bool offers = std::any_of(verb.options.begin(), verb.options.end(), [](const auto& o) {
      return std::find(o.names.begin(), o.names.end(), "--json") != o.names.end();
    });
    EXPECT_TRUE(offers) << verb.name;
  }
}

TEST(Options, HelpHasExamplesForEveryVerb) {
  for (const std::string& verb : verbs) {
    testing::internal::CaptureStdout();
    EXPECT_EQ(run_command_line({"help", verb}), exit_ok);
    const std::string help = testing::internal::GetCapturedStdout();
    EXPECT_NE(help.find("Examples:\n  "), std::string::npos) << verb;
    EXPECT_NE(help.find("lanyard " + verb), std::string::npos) << verb;
  }
}

TEST(Options, HelpAloneListsTheVerbsAsACommandLineWithoutAnyDoes) {
  std::vector<std::string> said;
  for (const std::vector<std::string>& words : {std::vector<std::string>{"help"}, {"--help"}, {}}) {
    testing::internal::CaptureStdout();
    EXPECT_EQ(run_command_line(words), exit_ok);
    said.push_back(testing::internal::GetCapturedStdout());
    EXPECT_EQ(said.back(), said.front());
  }
  for (const std::string& verb : verbs)
    EXPECT_NE(said.front().find("\n  " + verb + " "), std::string::npos) << verb;
}

struct Wrong {
  std::vector<std::string> arguments;
  std::string says;
};

TEST(Options, AWrongCommandLineIsStatus2AndSaysWhatIsWrong) {
  const std::vector<Wrong> wrongs{
      {{"frob"}, "there is no verb 'frob'"},
      {{"run"}, "LAB is required"},
      {{"run", "a.yaml", "--sed", "1"}, "there is no option `--sed`; did you mean `--seed`?"},
      {{"run", "a.yaml", "--frob=1"}, "there is no option `--frob`\n"},
      {{"run", "a.yaml", "b.yaml", "c"}, "`b.yaml` was not expected"},
      {{"--frob"}, "there is no option `--frob`\n"},
      {{"run", "a.yaml", "--seed", "many"}, "--seed"},
      {{"run", "a.yaml", "--repeat", "0"}, "--repeat"},
      {{"replay"}, "RUN is required"},
      {{"hunt"}, "LAB is required"},
      {{"run", "a.yaml", "--seed", "-1"}, "--seed"},
      {{"show", "a", "--limit", "-1"}, "--limit"},
      {{"grep", "a", "b", "--limit", "-1"}, "--limit"},
      {{"show", "a", "--proto", "frob"}, "unknown protocol 'frob'"},
      {{"help", "frob"}, "there is no verb 'frob'"},
      {{"completion", "tcsh"}, "tcsh"},
      {{"ping", "alice"}, "TO is required"},
      {{"ping", "-4", "-6", "a", "b"}, "-6"},
      {{"show", "a", "--packet", "1", "--journey", "2"}, "--journey"}};
  for (const Wrong& wrong : wrongs) {
    testing::internal::CaptureStderr();
    EXPECT_EQ(run_command_line(wrong.arguments), exit_usage);
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_NE(said.find(wrong.says), std::string::npos) << said;
    EXPECT_TRUE(said.starts_with("lanyard: ")) << said;
  }
}

TEST(Completion, EveryShellIsToldEveryVerbAndItsOptions) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = completion_script(shell);
    for (const VerbSurface& verb : command_surface()) {
      EXPECT_NE(script.find(verb.name), std::string::npos) << shell << " " << verb.name;
      for (const OptionSurface& option : verb.options) {
        std::string name = option.names.front();
        if (std::string_view(shell) == "fish") name = name.substr(name.find_first_not_of('-'));
        EXPECT_NE(script.find(name), std::string::npos) << shell << " " << name;
      }
    }
  }
  EXPECT_EQ(completion_script("tcsh"), "");
}

}  // namespace
}  // namespace lanyard::cli
