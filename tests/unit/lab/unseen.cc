// SPDX-License-Identifier: Apache-2.0
// Nobody's looking changes what happens. A machine spares itself work for a frame that nobody sees;
// the labs of the determinism test end as if each had been written down.
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "lab.hh"
#include "lab/recorder.hh"

namespace lanyard::lab::test {
namespace {

void tell(std::string& text, const DirectionCounters& counters) {
  text += fmt::format(" {} frames {} bytes", counters.frames, counters.bytes);
  for (std::size_t reason = 0; reason < std::tuple_size_v<DropCounters>; ++reason)
    if (counters.drops[reason] > 0)
      text += fmt::format(" {} x {}", counters.drops[reason],
                          lanyard::to_text(static_cast<DropReason>(reason)));
}

// When and how it ended, what each link carried, and what each program said, when.
std::string told(const World& world) {
  std::string text = fmt::format("{} ns\n", world.now().count_ns());
  for (const LinkRow& link : world.links()) {
    text += fmt::format("{}:", link.name);
    tell(text, link.a_counters);
    tell(text, link.b_counters);
    text += '\n';
  }
  for (const ProgramOutput& each : world.output())
    text += fmt::format("{} program {}: {}\n", each.at.count_ns(),
                        static_cast<std::uint32_t>(each.program), each.text);
  for (const Verdict& verdict : world.verdicts())
    text += fmt::format("{}: {}\n", verdict.text, verdict.happened);
  return text;
}

std::string run(const PlannedLab& lab, Recorder* recorder) {
  World world(lab.model, lab.plan, {.recorder = recorder});
  world.run();
  return told(world);
}

TEST(Unseen, ALabThatIsNotRecordedEndsTheSame) {
  const std::filesystem::path run_file =
      std::filesystem::temp_directory_path() / fmt::format("lanyard-unseen-{}.pcapng", getpid());
  int labs = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(LANYARD_SOURCE_DIR "/tests/determinism/labs")) {
    std::ifstream file(entry.path());
    PlannedLab lab(std::string(std::istreambuf_iterator<char>(file), {}), entry.path().string());
    ASSERT_TRUE(lab.is_good) << entry.path();
    auto recorder = Recorder::open({.path = run_file.string()});
    ASSERT_TRUE(recorder);
    EXPECT_EQ(run(lab, nullptr), run(lab, recorder->get())) << entry.path();
    ++labs;
  }
  std::filesystem::remove(run_file);
  EXPECT_GT(labs, 10);
}

}  // namespace
}  // namespace lanyard::lab::test
