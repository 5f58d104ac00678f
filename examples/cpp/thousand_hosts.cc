// SPDX-License-Identifier: Apache-2.0
// A thousand hosts with traffic, put together and run by a C++ program: 500 clients behind five
// switches each fetch a page from a server of their own behind five others, across two routers,
// while the line between the routers is cut for a second. Virtual time; prints what became of it.
#include <fmt/format.h>

#include "lab/builder.hh"
#include "lab/parallel.hh"

namespace {

constexpr int pairs = 500;
constexpr int on_a_switch = 100;

lanyard::lab::Builder thousand_hosts() {
  lanyard::lab::Builder lab("thousand-hosts");
  lab.seed(7).router("west").router("east");
  lab.link("west", "east", {{"delay", "10ms"}, {"rate", "1Gbit"}, {"queue", "4MB"}});
  for (int i = 0; i < pairs; ++i) {
    const std::string client = fmt::format("client{}", i), server = fmt::format("server{}", i);
    const std::string near = fmt::format("near{}", i / on_a_switch);
    const std::string far = fmt::format("far{}", i / on_a_switch);
    if (i % on_a_switch == 0) {
      lab.switching(near).switching(far);
      lab.link(near, "west").link(far, "east");
    }
    lab.run(server, "http serve");
    lab.run(client, fmt::format("http get http://{}/", server),
            {{"at", fmt::format("{}ms", 4 * i)}, {"expect", "exit 0"}});
    lab.link(client, near, {{"delay", "1ms"}}).link(server, far, {{"delay", "1ms"}});
  }
  lab.at("1s", "cut west -- east").at("2s", "heal west -- east");
  return lab;
}

}  // namespace

int main() {
  const auto file = thousand_hosts().build();
  if (!file) {
    for (const auto& each : file.error()) fmt::print(stderr, "{}\n", lanyard::lab::to_text(each));
    return 2;
  }
  const auto plan = lanyard::lab::make_plan(file->model);
  if (!plan) {
    fmt::print(stderr, "{}\n", plan.error().front().what);
    return 2;
  }
  const auto outcome = lanyard::lab::run_world({.model = &file->model, .plan = &*plan});
  std::size_t good = 0;
  for (const auto& verdict : outcome.verdicts) good += verdict.is_good ? 1 : 0;
  fmt::print("{} of {} expectations met, {} frames, over after {} ms\n", good,
             outcome.verdicts.size(), outcome.frames,
             (outcome.ended - lanyard::Instant::start()).count_ns() / 1'000'000);
  return outcome.is_good ? 0 : 1;
}
