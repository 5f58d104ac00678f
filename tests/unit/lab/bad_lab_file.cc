// SPDX-License-Identifier: Apache-2.0
// Every wrong file is refused with file, line, column, what is wrong and what would be right.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/random.hh"
#include "lab/lab_file.hh"

namespace lanyard::lab {
namespace {

// All diagnostics of a file, one a line.
std::string problems_of(std::string_view text) {
  const auto lab = parse_lab(text, "f");
  if (lab) return "accepted";
  std::string all;
  for (const Diagnostic& each : lab.error()) {
    if (each.is_warning) continue;
    if (!all.empty()) all += '\n';
    all += to_text(each);
  }
  return all;
}

struct Case {
  std::string_view name, text, problem;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"MisspeltTopKey", "lab: x\nhost: [a]\nhosts: [a]\n",
       "f:2:1: unknown key `host` in the lab: did you mean `hosts`?"},
      {"MisspeltLinkKey", "hosts: [a, b]\nlinks:\n  - a -- b: { dealy: 20ms }\n",
       "f:3:15: unknown key `dealy` in a link: did you mean `delay`?"},
      {"KeyNobodyKnows", "hosts:\n  a: { colour: red }\n",
       "f:2:8: unknown key `colour` in a host: known are run, kind, address, mac, mtu, gateway and "
       "dns"},
      {"UnknownNode", "hosts: [alice, bob]\nlinks:\n  - alcie -- bob\n",
       "f:3:5: unknown node `alcie`: did you mean `alice`?"},
      {"UnknownSecondNode", "hosts: [alice, bob]\nlinks:\n  - alice -- rob\n",
       "f:3:14: unknown node `rob`: did you mean `bob`?"},
      {"CountedHostWithoutStar", "hosts: [web*3, b]\nlinks: [web -- b]\n",
       "f:2:9: unknown node `web`: did you mean `web*`, all of them?"},
      {"DuplicateHost", "hosts:\n  a: {}\n  a: {}\n",
       "f:3:3: the name `a` is taken: it is first used at 2:3; choose another"},
      {"NamesDifferNotByCase", "hosts: [bob, Bob]\n",
       "f:1:14: the name `Bob` is taken: it is first used at 1:9; choose another"},
      {"HostAndSwitchShareAName", "hosts: [a]\nswitches: [a]\n",
       "f:2:12: the name `a` is taken: it is first used at 1:9; choose another"},
      {"DuplicateKey", "lab: a\nlab: b\nhosts: [x]\n",
       "f:2:1: `lab` is here twice: the first is at 1:1; keep one"},
      {"DuplicateMoment",
       "hosts: [a, b]\nlinks: [a -- b]\nat:\n  1s: cut a -- b\n  1s: heal a -- b\n",
       "f:5:3: `1s` is here twice: the first is at 4:3; write both as a list: `1s: [cut a -- b, "
       "heal c -- d]`"},
      {"DirectoryOfAProgramBuiltIn", "hosts:\n  a: { run: { do: http serve, dir: /tmp } }\n",
       "f:2:31: `dir` means nothing to `http`, which is built into Lanyard: leave it out, or name "
       "a "
       "program of the machine by its path"},
      {"EnvironmentOfARoutersProgramBuiltIn",
       "routers:\n  r: { run: [{ do: echo serve, env: { A: b } }] }\n",
       "f:2:32: `env` means nothing to `echo`, which is built into Lanyard: leave it out, or name "
       "a "
       "program of the machine by its path"},
      {"SecondAddressClash",
       "hosts:\n  a: { address: [10.0.1.4/24, 10.0.1.5/24] }\n  b: {}\nlinks:\n  - a -- b: { "
       "addresses: { b: 10.0.1.5/24 } }\n",
       "f:5:31: 10.0.1.5 is used twice: a has it already; give another, or leave it out and one is "
       "chosen"},
      {"AddressClash",
       "hosts:\n  a: { address: 10.0.1.5/24 }\n  b: { address: 10.0.1.5/24 }\nlinks: [a -- b]\n",
       "f:3:17: 10.0.1.5 is used twice: a has it already; give another, or leave it out and one is "
       "chosen"},
      {"OverlappingNetworks",
       "hosts:\n  a: { address: 10.1.0.5/16 }\n  b: { address: 10.1.2.5/24 }\nrouters: [r]\nlinks: "
       "[a -- r, b -- r]\n",
       "f:3:17: the network of 10.1.2.5/24 overlaps 10.1.0.0/16, which is elsewhere in the lab: "
       "networks joined by routers "
       "need prefixes of their own"},
      {"AddressOutsideItsNetwork",
       "hosts:\n  a: { address: 10.0.1.5/24 }\n  b: { address: 10.0.2.5/24 }\nlinks: [a -- b]\n",
       "f:3:17: 10.0.2.5/24 is outside its network 10.0.1.0/24: b shares switches with the hosts "
       "of "
       "10.0.1.0/24"},
      {"NetworkAddressOfAHost", "hosts:\n  a: { address: 10.0.1.0/24 }\n  b:\nlinks: [a -- b]\n",
       "f:2:17: 10.0.1.0/24 cannot be the address of a: it is the address of the network itself: "
       "give another, or leave it "
       "out and one is chosen"},
      {"BroadcastAddressOfAHost",
       "hosts:\n  a: { address: 10.0.1.255/24 }\n  b:\nlinks: [a -- b]\n",
       "f:2:17: 10.0.1.255/24 cannot be the address of a: it is the broadcast address of its "
       "network: give another, or leave "
       "it out and one is chosen"},
      {"LoopbackAddressOfAHost", "hosts:\n  a: { address: 127.0.0.1/8 }\n  b:\nlinks: [a -- b]\n",
       "f:2:17: 127.0.0.1/8 cannot be the address of a: it is a loopback address: give another, or "
       "leave it out and one is "
       "chosen"},
      {"AddressWithoutLength", "hosts:\n  a: { address: 10.0.1.5 }\n",
       "f:2:17: bad address `10.0.1.5`: write an address and its prefix length, as in 10.0.1.5/24 "
       "or fd00::5/64"},
      {"MacTwice",
       "hosts:\n  a: { mac: '02:00:00:00:00:09' }\n  b: { mac: '02:00:00:00:00:09' }\nlinks: [a -- "
       "b]\n",
       "f:3:3: the MAC address 02:00:00:00:00:09 is used twice: a has it already; leave it out and "
       "one is chosen"},
      {"GroupMac", "hosts:\n  a: { mac: '01:00:00:00:00:09' }\n",
       "f:2:13: `01:00:00:00:00:09` is no address of one machine: the lowest bit of the first byte "
       "must be 0, as in "
       "02:00:00:00:00:01"},
      {"GatewayElsewhere", "hosts:\n  a: { gateway: 192.168.0.1 }\n  b:\nlinks: [a -- b]\n",
       "f:2:3: the gateway 192.168.0.1 is in no network of a: name an address of a router next to "
       "it, or leave it out and "
       "one is chosen"},
      {"UnitMissing", "hosts: [a, b]\nlinks:\n  - a -- b: { delay: 20 }\n",
       "f:3:22: bad delay `20`: it has no unit: write a number and ns, us, ms, s, min, h or d, as "
       "in 20ms"},
      {"UnitUnknown", "hosts: [a, b]\nlinks:\n  - a -- b: { rate: 50Mb }\n",
       "f:3:21: bad rate `50Mb`: `Mb` is no unit: write a number and bit, kbit, Mbit or Gbit, as "
       "in 50Mbit"},
      {"Negative", "hosts: [a, b]\nlinks:\n  - a -- b: { delay: -1ms }\n",
       "f:3:22: bad delay `-1ms`: it is negative: write a number and ns, us, ms, s, min, h or d, "
       "as in 20ms"},
      {"RateOfNothing", "hosts: [a, b]\nlinks:\n  - a -- b: { rate: 0Mbit }\n",
       "f:3:21: bad rate `0Mbit`: nothing would ever arrive: leave `rate` out, or cut the link"},
      {"MoreThanAll", "hosts: [a, b]\nlinks:\n  - a -- b: { loss: 101% }\n",
       "f:3:21: bad loss `101%`: too large, or finer than a part in a thousand million: write a "
       "percentage from 0% to 100%, "
       "as in 1% or 0.25%"},
      {"MtuTooSmall", "hosts: [a, b]\nlinks:\n  - a -- b: { mtu: 500 }\n",
       "f:3:20: mtu 500 is too small: IPv6 needs at least 1280"},
      {"CutOfALinkThatIsNotThere",
       "hosts: [a, b]\nswitches: [s]\nlinks: [a -- s, s -- b]\nat:\n  5s: cut a -- b\n",
       "f:5:11: there is no link between a and b: a has `a -- s`"},
      {"CutOfAnUnknownNode", "hosts: [a, b]\nlinks: [a -- b]\nat:\n  5s: cut a -- bb\n",
       "f:4:16: unknown node `bb`: did you mean `b`?"},
      {"UnknownAction", "hosts: [a, b]\nlinks: [a -- b]\nat:\n  5s: cutt a -- b\n",
       "f:4:7: unknown action `cutt`: did you mean `cut`?"},
      {"ValuesOfALinkOfAnUnknownNode",
       "hosts: [a, b]\nlinks:\n  - a -- zed: { dealy: 1ms, loss: 1 }\n",
       "f:3:10: unknown node `zed`: known are a and b\n"
       "f:3:17: unknown key `dealy` in a link: did you mean `delay`?\n"
       "f:3:35: bad loss `1`: it has no unit: write a percentage from 0% to 100%, as in 1% or "
       "0.25%"},
      {"NothingIsNearOneLetter", "hosts: [a, b]\nlinks: [a -- b]\nat:\n  5s: crash x\n",
       "f:4:13: unknown node `x`: known are a and b"},
      {"ACrashOfNothing", "hosts: [a, b]\nlinks: [a -- b]\nat:\n  5s: crash\n",
       "f:4:7: `crash` is not whole: write `crash bob`"},
      {"APauseOfNothing", "hosts: [a, b]\nlinks: [a -- b]\nat:\n  5s: pause\n",
       "f:4:7: `pause` is not whole: write `pause bob`"},
      {"UnknownKeyBehindAnother",
       "hosts: [a, b]\nlinks: [a -- b]\nat:\n  5s: set a -- b delay 5ms, los 3%\n",
       "f:4:29: unknown key `los` in `set`: did you mean `loss`?"},
      {"ReasonOfADropMisspelt", "hosts: [a, b]\nlinks: [a -- b]\ncheck:\n  - drops queue ful > 0\n",
       "f:4:11: unknown reason of a drop, or host, `queue ful`: did you mean `queue full`?"},
      {"UnknownHostOfACheck", "hosts: [a, b]\nlinks: [a -- b]\ncheck:\n  - zed exits 0\n",
       "f:4:5: unknown host or program `zed`: known are a and b"},
      {"SelfLink", "hosts: [a]\nlinks: [a -- a]\n",
       "f:2:9: `a -- a` links a to itself: a host reaches itself by loopback; name another node"},
      {"TwoLinksOfOnePair", "hosts: [a, b]\nlinks:\n  - a -- b\n  - b -- a\n",
       "f:4:5: b and a are linked twice: the first link is at 3:5; for a second path put a switch "
       "in it"},
      {"NoLink", "hosts: [a, b]\nlinks: [a - b]\n",
       "f:2:9: `a - b` is no link: write two nodes and two dashes, as in `alice -- office`"},
      {"CircleOfSwitches", "switches: [p, q, r]\nlinks:\n  - p -- q\n  - q -- r\n  - r -- p\n",
       "f:5:5: r -- p closes a circle of switches: frames would go round for ever; take one link "
       "of the circle away, or use "
       "routers"},
      {"BadExpectation", "hosts:\n  a: { run: { do: ping b, expect: success } }\n",
       "f:2:35: bad expectation `success`: write `exit 0`, another status, or `any`"},
      {"RunWithoutCommand", "hosts:\n  a: { run: { at: 1s } }\n",
       "f:2:13: `run` has no command: write `do: ping bob`"},
      {"UnknownKind", "hosts:\n  a: { kind: windows }\n",
       "f:2:14: unknown kind `windows`: write lanyard (our stack) or linux (the kernel's)"},
      {"NoCheck", "hosts:\n  a: { run: ping b }\ncheck:\n  - alice is happy\n",
       "f:4:5: `alice is happy` is no check: write `HOST exits 0`, `HOST prints \"text\"`, `HOST "
       "ends before 3s` or `COUNTER "
       "> 0`, where COUNTER is packets, bytes, drops, tcp retransmits, ..."},
      {"CheckOfAnUnknownHost", "hosts:\n  alice: { run: ping b }\ncheck:\n  - alise exits 0\n",
       "f:4:5: unknown host or program `alise`: did you mean `alice`?"},
      {"CheckOfAHostWithoutProgram", "hosts: [a]\ncheck:\n  - a exits 0\n",
       "f:3:5: `a` runs no program: give it `run:`, or name another host"},
      {"CheckOfAnUnknownCounter", "hosts: [a]\ncheck:\n  - tcp retransmit > 0\n",
       "f:3:5: unknown counter `tcp retransmit`: did you mean `tcp retransmits`?"},
      {"BadName", "hosts: [a_b]\n",
       "f:1:9: bad name `a_b`: names are letters, digits and hyphens between them, at most 63"},
      {"BadCount", "hosts: [a*0]\n",
       "f:1:11: bad count in `a*0`: write a number from 1 to 100000 after the star, as in `a*100`"},
      {"TooMany", "hosts: [a*99999, b*2]\n",
       "f:1:18: more than 100000 nodes: make the lab smaller"},
      {"VirtualTimeForARealProgram", "time: virtual\nhosts:\n  a: { run: curl http://b/ }\n",
       "f:3:13: `curl http://b/` is not built into Lanyard and has only real time: leave `time: "
       "virtual` out"},
      {"Empty", "", "f:1:1: the file is empty: begin with `lab: my-lab` and `hosts:`"},
      {"AList", "- a\n",
       "f:1:1: the file is not a mapping of keys to values: write `lab: my-lab`, `hosts:` and so "
       "on, one below "
       "the other"},
      {"NoHosts", "lab: x\n",
       "f:1:1: the lab has no hosts: add `hosts:` with a name for each, as in `hosts: [alice, "
       "bob]`"},
      {"TwoDocuments", "hosts: [a]\n---\nhosts: [b]\n",
       "f:3:1: a second YAML document: one file describes one lab"},
  };
  return all;
}

class BadLabFile : public testing::TestWithParam<Case> {};

TEST_P(BadLabFile, IsRefusedWithPlaceAndFix) {
  EXPECT_EQ(problems_of(GetParam().text), GetParam().problem);
}

INSTANTIATE_TEST_SUITE_P(Cases, BadLabFile, testing::ValuesIn(cases()),
                         [](const auto& param) { return std::string(param.param.name); });

TEST(BadLabFiles, AllProblemsAreFoundInOnePass) {
  EXPECT_EQ(problems_of("sede: 7\nhosts: [alice, bob]\nlinks:\n  - alice -- bob: { delay: 20 }\n  "
                        "- alcie -- bob\n"
                        "at:\n  5x: cut alice -- bob\ncheck:\n  - alice exist 0\n"),
            "f:1:1: unknown key `sede` in the lab: did you mean `seed`?\n"
            "f:4:28: bad delay `20`: it has no unit: write a number and ns, us, ms, s, min, h or "
            "d, as in 20ms\n"
            "f:5:5: unknown node `alcie`: did you mean `alice`?\n"
            "f:7:3: bad time `5x`: `x` is no unit: write a number and ns, us, ms, s, min, h or d, "
            "as in 20ms\n"
            "f:9:5: `alice exist 0` is no check: write `HOST exits 0`, `HOST prints \"text\"`, "
            "`HOST ends before 3s` or "
            "`COUNTER > 0`, where COUNTER is packets, bytes, drops, tcp retransmits, ...");
}

TEST(BadLabFiles, YamlMistakesHaveTheirPlace) {
  const auto lab = parse_lab("hosts:\n  a: { run: ping b\n", "f");
  ASSERT_FALSE(lab);
  EXPECT_EQ(lab.error().at(0).line, 3U);
  EXPECT_EQ(lab.error().at(0).what.substr(0, 9), "not YAML:");
}

TEST(BadLabFiles, AliasesCannotGrowWithoutEnd) {
  std::string text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c <= 'i'; ++c) {
    text += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 10; ++i)
      text += std::string(i == 0 ? "" : ", ") + "*" + static_cast<char>(c - 1);
    text += "]\n";
  }
  const auto lab = parse_lab(text, "f");
  ASSERT_FALSE(lab);
  EXPECT_EQ(lab.error().at(0).what, "more than 2000000 values");
}

TEST(BadLabFiles, DeepNestingIsRefused) {
  const auto lab = parse_lab("hosts: " + std::string(5000, '['), "f");
  ASSERT_FALSE(lab);
  EXPECT_EQ(lab.error().at(0).what, "nested more than 32 deep");
}

TEST(BadLabFiles, LargeFilesAreRefused) {
  const auto lab = parse_lab(std::string(lab_file_bytes_max + 1, '#'), "f");
  ASSERT_FALSE(lab);
  EXPECT_EQ(
      to_text(lab.error().at(0)),
      "f:1:1: the file has 4194305 bytes: at most 4194304 are read; use counts as in `alice*100`");
}

// Files with bytes changed, taken out and doubled: read, or refused with a place.
TEST(BadLabFiles, DamagedFilesAreReadOrRefused) {
  std::string text;
  for (const Case& each : cases())
    if (each.text.size() > text.size()) text = each.text;
  text +=
      "at:\n  5s: { set a -- b: { loss: 5% } }\ncheck:\n  - drops (a -- b) > 0\n  - a prints "
      "\"x\"\n";
  RandomStream dice = Seed(1).stream();
  for (int round = 0; round < 3000; ++round) {
    std::string damaged = text;
    for (std::uint64_t i = dice.below(4) + 1; i > 0; --i) {
      const std::size_t at = dice.below(damaged.size());
      switch (dice.below(3)) {
        case 0:
          damaged[at] = static_cast<char>(dice.below(256));
          break;
        case 1:
          damaged.erase(at, dice.below(8));
          break;
        default:
          damaged.insert(at, damaged.substr(dice.below(damaged.size()), dice.below(12)));
          break;
      }
      if (damaged.empty()) damaged = "x";
    }
    const auto lab = parse_lab(damaged, "f");
    if (!lab) {
      EXPECT_FALSE(lab.error().empty()) << damaged;
    }
  }
}

TEST(BadLabFiles, AFileThatIsNotThereIsSaid) {
  const auto lab = read_lab("/nonexistent/lab.yaml");
  ASSERT_FALSE(lab);
  EXPECT_EQ(
      to_text(lab.error().at(0)),
      "/nonexistent/lab.yaml:1:1: the file cannot be read: No such file or directory: give the "
      "path of a lab file");
  EXPECT_EQ(to_text(read_lab("/").error().at(0)),
            "/:1:1: the file cannot be read: Is a directory: give the path of a lab file");
}

}  // namespace
}  // namespace lanyard::lab
