// SPDX-License-Identifier: Apache-2.0
#include "scenario.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/check.hh"
#include "lab/hunt/lab_text.hh"
#include "lab/lab_file.hh"

namespace lanyard::simulation {
namespace {

using lab::hunt::Fault;

class Drawing {
 public:
  explicit Drawing(std::uint64_t seed)
      : dice_(Seed(seed).branch("simulation").branch("scenario").stream()) {}

  std::string text() {
    draw_nodes();
    const std::uint64_t count = 1 + dice_.below(5);
    for (std::uint64_t i = 0; i < count; ++i) draw_conversation(i);
    if (dice_.below(8) == 0) draw_lost_host(count);
    std::string out = "lab: simulation\nhosts:\n";
    for (std::size_t i = 0; i < hosts_; ++i)
      out += fmt::format("  h{}: {{ run: [{}] }}\n", i, fmt::join(runs_[i], ", "));
    if (switches_ > 0) out += fmt::format("switches: [{}]\n", names("s", switches_));
    if (routers_ > 0) out += fmt::format("routers: [{}]\n", names("r", routers_));
    out += "links:\n";
    for (const auto& link : links_) out += link;
    return out + timeline_;
  }

 private:
  static std::string names(std::string_view prefix, std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i)
      out += fmt::format("{}{}{}", i == 0 ? "" : ", ", prefix, i);
    return out;
  }

  void link(const std::string& a, const std::string& b) {
    constexpr std::array delays{"0s", "100us", "1ms", "4ms", "15ms", "60ms"};
    constexpr std::array rates{"1Gbit", "100Mbit", "20Mbit", "5Mbit", "2Mbit"};
    constexpr std::array queues{"256KiB", "64KB", "20KB", "9KB"};
    std::string keys = fmt::format("delay: {}", delays.at(dice_.below(delays.size())));
    if (dice_.below(2) == 0)
      keys += fmt::format(", rate: {}, queue: {}", rates.at(dice_.below(rates.size())),
                          queues.at(dice_.below(queues.size())));
    links_.push_back(fmt::format("  - {} -- {}: {{ {} }}\n", a, b, keys));
  }

  // The hosts that hang on one router (or on none): by a switch, or each by its own link.
  void draw_lan(const std::string& router, std::size_t count) {
    if (count == 0) return;
    const bool has_switch = (router.empty() && count != 2) || dice_.below(3) != 0;
    if (!has_switch && router.empty()) {
      link(fmt::format("h{}", hosts_), fmt::format("h{}", hosts_ + 1));
      hosts_ += 2;
      return;
    }
    std::string middle = router;
    if (has_switch) {
      middle = fmt::format("s{}", switches_++);
      if (!router.empty()) link(middle, router);
    }
    for (std::size_t i = 0; i < count; ++i) link(fmt::format("h{}", hosts_++), middle);
  }

  void draw_nodes() {
    const std::size_t wanted = 2 + dice_.below(dice_.below(4) == 0 ? 11 : 3);
    routers_ = std::min<std::size_t>(dice_.below(5), wanted);
    if (routers_ == 0) draw_lan("", wanted);
    for (std::size_t i = 0; i < routers_; ++i) {
      const std::size_t left = wanted - hosts_;
      const std::size_t last = routers_ - 1 - i;
      const std::size_t count = last == 0 ? left : 1 + dice_.below(left - last);
      draw_lan(fmt::format("r{}", i), count);
      if (i > 0) link(fmt::format("r{}", dice_.below(i)), fmt::format("r{}", i));
    }
    // A second way between routers.
    if (routers_ > 2 && dice_.below(2) == 0) {
      const std::string extra = fmt::format("r0 -- r{}", routers_ - 1);
      const bool is_there = std::ranges::any_of(
          links_, [&](const std::string& each) { return each.find(extra) != std::string::npos; });
      if (!is_there) link("r0", fmt::format("r{}", routers_ - 1));
    }
    runs_.resize(hosts_);
  }

  void run(std::size_t host, const std::string& command, std::int64_t at_ms,
           std::string_view expected, const std::string& name) {
    runs_[host].push_back(fmt::format("{{ do: {}, at: {}ms, expect: {}, name: {} }}", command,
                                      at_ms, expected, name));
  }
  void serve(std::size_t host, const std::string& command) {
    if (std::ranges::find(runs_[host], command) == runs_[host].end())
      runs_[host].push_back(command);
  }

  // A client while things break, and the same once nothing is broken.
  void draw_conversation(std::uint64_t number) {
    const std::size_t server = dice_.below(hosts_);
    std::size_t client = dice_.below(hosts_);
    if (client == server && dice_.below(8) != 0) client = (server + 1) % hosts_;
    const std::string family = dice_.below(2) == 0 ? "-4" : "-6";
    const std::string to = fmt::format("h{}", server);
    std::string command;
    switch (dice_.below(10)) {
      case 0:
        serve(server, "echo serve");
        command = fmt::format("echo send {} hello {}", to, family);
        break;
      case 1:
        serve(server, "echo serve");
        command = fmt::format("echo send {} hello --udp {}", to, family);
        break;
      case 2:
        serve(server, "bulk serve");
        command = fmt::format("bulk send {} {} {}", to, draw_bytes(), family);
        break;
      case 3:
        serve(server, "http serve");
        command = fmt::format("http get http://{}/ --repeat {} {}", to, 1 + dice_.below(4), family);
        break;
      case 4:
        command = fmt::format("ping {} -c {} -s {} {}", to, 1 + dice_.below(4), dice_.below(3000),
                              family);
        break;
      case 5:
        command = fmt::format("lookup {} -t {}", to, family == "-4" ? "A" : "AAAA");
        break;
      case 6:
        serve(server, "chat serve");
        command = fmt::format("chat call {} {} {}", to, number, family);
        break;
      default:
        serve(server, "talk serve");
        command = fmt::format("talk call {} {} {}", to, number, family);
        break;
    }
    const auto early = static_cast<std::int64_t>(dice_.below(healed_ms));
    run(client, command, dice_.below(2) == 0 ? early / 8 : early, "any",
        fmt::format("early{}", number));
    if (command.starts_with("ping") || command.starts_with("lookup") || dice_.below(4) == 0)
      run(client, command, second_wave_ms + static_cast<std::int64_t>(dice_.below(1000)), "exit 0",
          fmt::format("late{}", number));
  }

  // One that is talked to, and gone for good in the middle of it: who waits for it must find out.
  void draw_lost_host(std::uint64_t number) {
    if (switches_ + routers_ == 0) return;
    const std::size_t caller = dice_.below(hosts_);
    const auto called = static_cast<std::int64_t>(dice_.below(2'000));
    const std::string lost = fmt::format("h{}", hosts_++);
    link(lost, switches_ > 0 ? fmt::format("s{}", dice_.below(switches_))
                             : fmt::format("r{}", dice_.below(routers_)));
    runs_.push_back({"talk serve"});
    run(caller, fmt::format("talk call {} {} {}", lost, number, dice_.below(2) == 0 ? "-4" : "-6"),
        called, "any", fmt::format("early{}", number));
    timeline_ = fmt::format("at: {{ {}ms: crash {} }}\n",
                            called + 1 + static_cast<std::int64_t>(dice_.below(1'500)), lost);
  }

  std::uint64_t draw_bytes() {
    constexpr std::array<std::uint64_t, 5> ceilings{10, 2'000, 20'000, 60'000, 200'000};
    return 1 + dice_.below(ceilings.at(dice_.below(ceilings.size())));
  }

  RandomStream dice_;
  std::size_t hosts_ = 0, switches_ = 0, routers_ = 0;
  std::vector<std::vector<std::string>> runs_;
  std::vector<std::string> links_;
  std::string timeline_;  // what is never mended
};

lab::Model model_of(const std::string& text) {
  auto lab = lab::parse_lab(text, "simulation.yaml");
  if (!lab) {
    fmt::print(stderr, "{}\n{}\n", text, lab::to_text(lab.error().front()));
    std::abort();
  }
  return std::move(lab->model);
}

}  // namespace

Scenario draw_scenario(std::uint64_t seed) {
  Scenario scenario;
  scenario.text = Drawing(seed).text();
  scenario.model = model_of(scenario.text);
  lab::hunt::Drawing drawing{.kinds = {},
                             .horizon = Duration::milliseconds(healed_ms * 3 / 4),
                             .lasts_max = Duration::milliseconds(healed_ms / 2),
                             .moments = {},
                             .count_max = 10};
  for (const lab::hunt::FaultKind& kind : lab::hunt::fault_kinds()) drawing.kinds.push_back(&kind);
  RandomStream dice = Seed(seed).branch("simulation").branch("faults").stream();
  scenario.faults = draw_faults(scenario.model, drawing, dice);
  const Duration healed = Duration::milliseconds(healed_ms);
  for (Fault& fault : scenario.faults) fault.lasts = std::min(fault.lasts, healed - fault.at);
  return scenario;
}

std::string text_of(const Scenario& scenario, std::uint64_t seed,
                    const std::vector<Fault>& faults) {
  lab::hunt::LabText::Changes changes;
  changes.seed = seed;
  changes.lines = lines_of(scenario.model, faults);
  return lab::hunt::LabText(scenario.text).with(changes);
}

}  // namespace lanyard::simulation
