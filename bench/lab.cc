// SPDX-License-Identifier: Apache-2.0
// The lab in virtual time: packet-hops a second of a busy one, how fast a big one stands and what
// it takes in memory, how fast virtual time goes by, and many at once. bench/ns3_peer.cc does the
// same.
#include <unistd.h>

#include <filesystem>
#include <numeric>
#include <string>

#include "bench/measure.hh"
#include "lab/lab_file.hh"
#include "lab/parallel.hh"
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

// 100 hosts behind 10 switches and 4 routers; 50 TCP flows at 10 Mbit/s, each across routers. Or
// other numbers of flows, with two hosts to each.
std::string busy_lab(std::uint64_t bytes_per_flow, int rate_mbit = 10, int flows = 50) {
  std::string text = "lab: busy\nhosts:\n";
  for (int i = 0; i < flows; ++i) {
    text +=
        fmt::format("  out{}: {{ run: {{ do: bulk send in{} {}, at: {}ms, expect: exit 0 }} }}\n",
                    i, i, bytes_per_flow, 10 + i);
    text += fmt::format("  in{}: {{ run: bulk serve }}\n", i);
  }
  text += "switches: [s0, s1, s2, s3, s4, s5, s6, s7, s8, s9]\nrouters: [r0, r1, r2, r3]\nlinks:\n";
  for (int i = 0; i < flows; ++i) {
    text += fmt::format("  - out{} -- s{}: {{ rate: {}Mbit, delay: 1ms }}\n", i, i % 10, rate_mbit);
    text += fmt::format("  - in{} -- s{}: {{ rate: {}Mbit, delay: 1ms }}\n", i, (i + 3) % 10,
                        rate_mbit);
  }
  for (int i = 0; i < 10; ++i) text += fmt::format("  - s{} -- r{}: {{ delay: 1ms }}\n", i, i % 4);
  text +=
      "  - r0 -- r1: { delay: 5ms }\n  - r1 -- r2: { delay: 5ms }\n  - r2 -- r3: { delay: 5ms }\n";
  return text;
}

struct Ran {
  std::uint64_t hops = 0;
  double wall_seconds = 0, virtual_seconds = 0;
};

// Runs a lab, which must end well.
Ran run_lab(const std::string& text, lab::Recorder* recorder = nullptr) {
  const lab::Model model = model_of(text);
  const lab::Plan plan = plan_of(model);
  lab::WorldOptions options;
  options.recorder = recorder;
  lab::World world(model, plan, std::move(options));
  const double start = seconds_now();
  world.run();
  const double seconds = seconds_now() - start;
  for (const lab::Verdict& verdict : world.verdicts()) {
    if (!verdict.is_good) give_up(fmt::format("{}: {}", verdict.text, verdict.happened));
  }
  return {hops(world), seconds,
          static_cast<double>((world.now() - Instant::start()).count_ns()) / 1e9};
}

double busy(Amount amount, lab::Recorder* recorder) {
  const Ran ran = run_lab(busy_lab(amount.of(5'000'000, 200'000)), recorder);
  return static_cast<double>(ran.hops) / ran.wall_seconds;
}

double hops_plain(Amount amount) {
  return busy(amount, nullptr);
}

// With so many flows, for bench/growth.py.
template <int flows>
double hops_of(Amount amount) {
  const Ran ran = run_lab(busy_lab(amount.of(500'000, 50'000), 10, flows));
  return static_cast<double>(ran.hops) / ran.wall_seconds;
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

// So many hosts, a hundred to a switch, ten switches to a router, the routers in a row.
std::string big_lab(int hosts_wanted) {
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
  return text;
}

// Milliseconds from the text of a lab file of `hosts` hosts to the first frame on a link.
double start(int hosts_wanted) {
  const std::string text = big_lab(hosts_wanted);
  double begin = seconds_now();
  lab::Model model = model_of(text);
  lab::Plan plan = plan_of(model);
  lab::World world(model, plan, {});
  while (hops(world) == 0 && !world.is_over()) world.run_until(world.next_deadline());
  double milliseconds = (seconds_now() - begin) * 1000;
  if (hops(world) == 0) give_up("no frame was sent");
  return milliseconds;
}

// Resident bytes for each idle host: the world's, and its share of the model, the plan and the
// switches and routers it hangs on.
double host_bytes(Amount amount) {
  const auto hosts = static_cast<int>(amount.of(10'000, 1'000));
  const std::string text = big_lab(hosts);
  const auto stand = [&text](lab::Model& model, lab::Plan& plan) {
    model = model_of(text);
    plan = plan_of(model);
    auto world =
        std::make_unique<lab::World>(model, plan, lab::WorldOptions{.keeps_running = true});
    world->run_until(Instant::start() + Duration::seconds(10));
    return world;
  };
  const std::uint64_t before = resident_bytes();
  lab::Model model;
  lab::Plan plan;
  const auto world = stand(model, plan);
  return static_cast<double>(resident_bytes() - before) / hosts;
}

// Simulated Gbit for each second on the wall: one TCP flow over two routers.
double one_flow(Amount amount) {
  const std::uint64_t bytes = amount.of(250'000'000, 1'000'000);
  const Ran ran = run_lab(
      fmt::format("hosts:\n  a: {{ run: {{ do: bulk send b {}, at: 10ms, expect: exit 0 }} }}\n"
                  "  b: {{ run: bulk serve }}\nrouters: [r1, r2]\nlinks:\n"
                  "  - a -- r1: {{ rate: 10Gbit, delay: 333us, queue: 8MB }}\n"
                  "  - r1 -- r2: {{ rate: 10Gbit, delay: 333us, queue: 8MB }}\n"
                  "  - r2 -- b: {{ rate: 10Gbit, delay: 333us, queue: 8MB }}\n",
                  bytes));
  return static_cast<double>(bytes) * 8 / 1e9 / ran.wall_seconds;
}

// Virtual seconds for each second on the wall: 100 hosts, each sending or receiving 1 Mbit/s.
double time_busy(Amount amount) {
  const Ran ran = run_lab(busy_lab(amount.of(2'000'000, 50'000), 1));
  return ran.virtual_seconds / ran.wall_seconds;
}

// Seconds on the wall for a day of two idle hosts whose connection is kept alive once a minute.
double day_idle(Amount amount) {
  const lab::Model model = model_of("hosts: [a, b]\nlinks: [a -- b: { delay: 10ms }]\n");
  const lab::Plan plan = plan_of(model);
  lab::World world(model, plan, {.keeps_running = true});
  world.run_until(Instant::start());
  socket::Sockets& server = *world.sockets(1);
  socket::Sockets& client = *world.sockets(0);
  const auto listener = *server.open(Family::ipv4, socket::Type::stream);
  const Endpoint address{plan.ports[1].addresses[0].address, 80, 0};
  const auto handle = *client.open(Family::ipv4, socket::Type::stream);
  if (!server.bind(listener, address) || !server.listen(world.now(), listener, 1) ||
      !client.set_option(world.now(), handle, socket::Option::keep_alive, std::int64_t{1}) ||
      !client.set_option(world.now(), handle, socket::Option::keep_idle, std::int64_t{60}))
    give_up("a socket call failed");
  (void)client.connect(world.now(), handle, address);
  world.touch(0);
  const Duration day = Duration::seconds(static_cast<std::int64_t>(amount.of(86'400, 600)));
  const double begin = seconds_now();
  world.run_until(Instant::start() + day);
  const double seconds = seconds_now() - begin;
  if (hops(world) < static_cast<std::uint64_t>(day.count_ns() / 1'000'000'000 / 60 * 2))
    give_up("the connection is not kept alive");
  return seconds;
}

// How many times faster many seeds are done on all cores than on one.
double threads(Amount amount) {
  const lab::Model model = model_of(busy_lab(amount.of(100'000, 2'000)));
  const lab::Plan plan = plan_of(model);
  const unsigned cores = lab::threads_of_this_machine();
  std::vector<std::uint64_t> seeds(4UL * cores);
  std::iota(seeds.begin(), seeds.end(), 1);
  const auto seconds_on = [&](unsigned count) {
    const double begin = seconds_now();
    for (const lab::WorldOutcome& each : run_many(jobs_of(model, plan, seeds), count))
      if (!each.is_good) give_up(each.problem);
    return seconds_now() - begin;
  };
  const double alone = seconds_on(1);
  return alone / seconds_on(cores);
}

}  // namespace
}  // namespace lanyard::bench

int main(int count, char** arguments) {
  using namespace lanyard::bench;
  return run(
      {{"hops", hops_plain},
       {"hops_10", hops_of<10>},
       {"hops_50", hops_of<50>},
       {"hops_250", hops_of<250>},
       {"hops_1250", hops_of<1'250>},
       {"hops_recorded", hops_recorded},
       {"one_flow", one_flow},
       {"host_bytes", host_bytes},
       {"time_busy", time_busy},
       {"day_idle", day_idle},
       {"threads", threads},
       {"start_1000", [](Amount) { return start(1'000); }},
       {"start_10000", [](Amount amount) { return start(amount.is_smoke ? 1'000 : 10'000); }}},
      count, arguments);
}
