// SPDX-License-Identifier: Apache-2.0
// The hunt finds bugs of the kind people ship, each within a stated number of runs, and what it
// prints is a schedule in which nothing can be left out.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "lab/hunt/hunt.hh"
#include "lab/lab_file.hh"
#include "planted.hh"

namespace lanyard::lab::hunt {
namespace {

struct Case {
  std::string_view name;
  std::string_view lab;
  std::uint64_t runs_max;       // within which it must be found
  std::size_t faults_max;       // of the small schedule
  std::string_view kinds = {};  // that are looked at; empty: all
  bool needs_luck = false;      // the right frames must be hit: another seed is part of the find
};

std::ostream& operator<<(std::ostream& out, const Case& each) {
  return out << each.name;
}

class Planted : public testing::TestWithParam<Case> {};

constexpr std::string_view pair_links = R"(routers: [r1]
links:
  - alice -- r1: { delay: 5ms }
  - r1 -- bob: { delay: 10ms }
)";

std::string lab_of(const Case& each) {
  std::string text(each.lab);
  if (text.find("links:") == std::string::npos) text += pair_links;
  return text;
}

Model model_of(const std::string& text) {
  auto lab = parse_lab(text, "planted.yaml");
  if (!lab) {
    ADD_FAILURE() << to_text(lab.error().front()) << "\n" << text;
    return {};
  }
  lab->model.programs = planted::programs();
  return std::move(lab->model);
}

TEST_P(Planted, IsFoundWithinItsRunsAndMadeSmall) {
  const Model model = model_of(lab_of(GetParam()));
  HuntOptions options;
  options.runs_max = GetParam().runs_max;
  if (!GetParam().kinds.empty()) options.kinds = {fault_kind(GetParam().kinds)};
  const HuntResult result = Hunt(model, options).run();
  ASSERT_TRUE(result.found) << "not found in " << result.runs << " runs";
  const Found& found = *result.found;
  RecordProperty("found_in_run", std::to_string(found.run));
  fmt::print("{}: run {}, {} of {} faults, {} runs to make it small\n{}\n", GetParam().name,
             found.run, found.attempt.faults.size(), found.faults_found, found.shrink_attempts,
             found.text);
  EXPECT_GT(found.run, 0U) << "it fails without a fault";
  EXPECT_LE(found.attempt.faults.size(), GetParam().faults_max) << found.text;
  EXPECT_TRUE(found.is_verified);
  EXPECT_TRUE(found.is_smallest);
  EXPECT_TRUE(found.attempt.seed == model.seed || GetParam().needs_luck);
}

const Case cases[] = {
    {"ClientWithoutRetry",
     "hosts:\n  bob: { run: echo serve }\n"
     "  alice: { run: { do: ask-once 10.0.2.2, at: 500ms, expect: exit 0 } }\n",
     500, 1},
    {"ServerThatLosesAHalfClosedRequest",
     "hosts:\n  bob: { run: half-close-server }\n"
     "  alice: { run: { do: half-close-client 10.0.2.2, at: 500ms, expect: exit 0 } }\n",
     2000, 1},
    {"ElectionThatSplitsOnAOneWayPartition",
     "hosts:\n  a: { run: { do: elect 10.0.1.1 10.0.1.2 10.0.1.3, expect: exit 0 } }\n"
     "  b: { run: { do: elect 10.0.1.2 10.0.1.1 10.0.1.3, expect: exit 0 } }\n"
     "  c: { run: { do: elect 10.0.1.3 10.0.1.1 10.0.1.2, expect: exit 0 } }\n"
     "switches: [s]\nlinks: [a -- s, b -- s, c -- s]\n",
     2000, 1},
    {"RequestWithoutDuplicateSuppression",
     "hosts:\n  bob: { run: counter-server }\n"
     "  alice: { run: { do: counter-client 10.0.2.2, at: 500ms, expect: exit 0 } }\n",
     500, 1},
    {"ProtocolThatAssumesOrder",
     "hosts:\n  bob: { run: order-server }\n"
     "  alice: { run: { do: order-client 10.0.2.2, at: 500ms, expect: exit 0 } }\n",
     2000, 1, "delay"},
    {"CacheWithStaleNames",
     "hosts:\n  bob: { run: [\"registry 10.0.3.2 10.0.4.2\"] }\n  old: { run: moving-service here "
     "}\n"
     "  new: { run: moving-service there }\n"
     "  alice: { run: { do: caching-client 10.0.2.2, at: 500ms, expect: exit 0 } }\n"
     "routers: [r1]\nlinks: [alice -- r1, r1 -- bob, r1 -- old, r1 -- new]\n",
     2000, 1},
    {"HeartbeatWithATightTimeOut",
     "hosts:\n  bob: { run: { do: monitor, expect: exit 0 } }\n"
     "  alice: { run: heart 10.0.2.2 }\n",
     500, 1},
    {"ResumeThatDropsTheLastChunk",
     "hosts:\n  bob: { run: chunk-server }\n"
     "  alice: { run: { do: chunk-client 10.0.2.2, at: 500ms, expect: exit 0 } }\n",
     2000, 1, "", true},
    {"ReaderThatTakesAReadForAMessage",
     "hosts:\n  bob: { run: { do: short-read-server, expect: exit 0 } }\n"
     "  alice: { run: { do: short-read-client 10.0.2.2, at: 500ms } }\n",
     2000, 1},
};

INSTANTIATE_TEST_SUITE_P(Bugs, Planted, testing::ValuesIn(cases),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace lanyard::lab::hunt
