// SPDX-License-Identifier: Apache-2.0
// The lab in virtual time: packet-hops a second of a busy one, and how fast a big one stands.
#include <unistd.h>

#include <filesystem>
#include <string>

#include "bench/measure.hh"
#include "lab/lab_file.hh"
#include "lab/plan.hh"
#include "lab/recorder.hh"
#include "lab/world.hh"

namespace lanyard::bench {
namespace {

lab::Model model_of(const std::string& text) {
  auto file = lab::parse_lab(text, "bench.yaml");
  if (!file) give_up(lab::to_text(file.error().front()));
  return std::move(file->model);
}

lab::Plan plan_of(const lab::Model& model) {
  auto plan = lab::make_plan(model);
  if (!plan) give_up(plan.error().front().what);
  return std::move(*plan);
}

std::uint64_t hops(const lab::World& world) {
  std::uint64_t frames = 0;
  for (const lab::LinkRow& link : world.links()) {
    frames += link.a_counters.frames + link.b_counters.frames;
  }
  return frames;
}

// 100 hosts behind 10 switches and 4 routers; 50 TCP flows at 10 Mbit/s, each across routers.
std::string busy_lab(std::uint64_t bytes_per_flow) {
  std::string text = "lab: busy\nhosts:\n";
  for (int i = 0; i < 50; ++i) {
    text +=
        fmt::format("  out{}: {{ run: {{ do: bulk send in{} {}, at: {}ms, expect: exit 0 }} }}\n",
                    i, i, bytes_per_flow, 10 + i);
    text += fmt::format("  in{}: {{ run: bulk serve }}\n", i);
  }
  text += "switches: [s0, s1, s2, s3, s4, s5, s6, s7, s8, s9]\nrouters: [r0, r1, r2, r3]\nlinks:\n";
  for (int i = 0; i < 50; ++i) {
    text += fmt::format("  - out{} -- s{}: {{ rate: 10Mbit, delay: 1ms }}\n", i, i % 10);
    text += fmt::format("  - in{} -- s{}: {{ rate: 10Mbit, delay: 1ms }}\n", i, (i + 3) % 10);
  }
  for (int i = 0; i < 10; ++i) text += fmt::format("  - s{} -- r{}: {{ delay: 1ms }}\n", i, i % 4);
  text +=
      "  - r0 -- r1: { delay: 5ms }\n  - r1 -- r2: { delay: 5ms }\n  - r2 -- r3: { delay: 5ms }\n";
  return text;
}

double busy(Amount amount, lab::Recorder* recorder) {
  lab::Model model = model_of(busy_lab(amount.of(5'000'000, 200'000)));
  lab::Plan plan = plan_of(model);
  lab::WorldOptions options;
  options.recorder = recorder;
  lab::World world(model, plan, std::move(options));
  double start = seconds_now();
  world.run();
  double seconds = seconds_now() - start;
  for (const lab::Verdict& verdict : world.verdicts()) {
    if (!verdict.is_good) give_up(fmt::format("{}: {}", verdict.text, verdict.happened));
  }
  return static_cast<double>(hops(world)) / seconds;
}

double hops_plain(Amount amount) {
  return busy(amount, nullptr);
}

double hops_recorded(Amount amount) {
  auto path =
      std::filesystem::temp_directory_path() / fmt::format("lanyard-bench-{}.pcapng", getpid());
  auto recorder = lab::Recorder::open({.path = path.string()});
  if (!recorder) give_up(recorder.error());
  double result = busy(amount, recorder->get());
  std::filesystem::remove(path);
  return result;
}

// Milliseconds from the text of a lab file of `hosts` hosts to the first frame on a link.
double start(int hosts_wanted) {
  constexpr int kPerSwitch = 100;
  int switches = hosts_wanted / kPerSwitch;
  std::string text = "lab: big\nhosts:\n  first: { run: ping -c 1 last }\n  last: {}\n";
  std::string links = "links:\n  - first -- s0\n";
  std::string names;
  links += fmt::format("  - last -- s{}\n", switches - 1);
  for (int i = 0; i < switches; ++i) {
    text += fmt::format("  g{}x*{}: {{}}\n", i, kPerSwitch);
    links += fmt::format("  - g{}x* -- s{}\n  - s{} -- r{}\n", i, i, i, i / 10);
    names += fmt::format("{}s{}", i == 0 ? "" : ", ", i);
  }
  text += fmt::format("switches: [{}]\nrouters: [r0", names);
  int routers = (switches + 9) / 10;
  for (int i = 1; i < routers; ++i) {
    text += fmt::format(", r{}", i);
    links += fmt::format("  - r{} -- r{}\n", i - 1, i);
  }
  text += "]\n" + links;
  double begin = seconds_now();
  lab::Model model = model_of(text);
  lab::Plan plan = plan_of(model);
  lab::World world(model, plan, {});
  while (hops(world) == 0 && !world.is_over()) world.run_until(world.next_deadline());
  double milliseconds = (seconds_now() - begin) * 1000;
  if (hops(world) == 0) give_up("no frame was sent");
  return milliseconds;
}

}  // namespace
}  // namespace lanyard::bench

int main(int count, char** arguments) {
  using namespace lanyard::bench;
  return run(
      {{"hops", hops_plain},
       {"hops_recorded", hops_recorded},
       {"start_1000", [](Amount) { return start(1'000); }},
       {"start_10000", [](Amount amount) { return start(amount.is_smoke ? 1'000 : 10'000); }}},
      count, arguments);
}
