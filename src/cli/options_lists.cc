// SPDX-License-Identifier: Apache-2.0
// ps logs links routes sockets arp.
#include <array>

#include "cli/options_parts.hh"

namespace lanyard::cli {
namespace {

void declare_list(CLI::App& app, Filled& f) {
  app.add_option("NODE", f.list.node, "Only this node");
  add_lab_name(app, f.list.lab_name);
  app.add_flag("--json", f.list.json, "The rows as JSON");
}

void declare_ps(CLI::App& app, Filled& f) {
  declare_list(app, f);
  app.add_flag("-a,--all", f.list.all, "With all that `exec` and `ping` ever ran");
}

void declare_logs(CLI::App& app, Filled& f) {
  app.add_option("HOST", f.logs.node, "Only this host's programs");
  app.add_flag("-f,--follow", f.logs.follows, "Goes on until the lab is down");
  add_lab_name(app, f.logs.lab_name);
  app.add_flag("--json", f.logs.json, "A JSON object for each line");
}

constexpr auto verbs = std::to_array<VerbEntry>({
    {"ps", "The programs of a lab that is up",
     "  lanyard ps\n"
     "  lanyard ps alice --json\n"
     "  lanyard ps --all      # with all that `exec` and `ping` ever ran",
     declare_ps, [](Filled& f) { return ps(f.list); }},
    {"logs", "What the programs of a lab that is up have said, and what they were refused",
     "  lanyard logs\n"
     "  lanyard logs bob -f",
     declare_logs, [](Filled& f) { return logs(f.logs); }},
    {"links", "The links of a lab that is up: delay, rate, loss, queue, traffic",
     "  lanyard links\n"
     "  lanyard links r1",
     declare_list, [](Filled& f) { return links(f.list); }},
    {"routes", "The routes of every node", "  lanyard routes r1", declare_list,
     [](Filled& f) { return routes(f.list); }},
    {"sockets", "The sockets of every host, as ss(8) shows them",
     "  lanyard sockets\n"
     "  lanyard sockets bob --json",
     declare_list, [](Filled& f) { return sockets(f.list); }},
    {"arp", "The neighbour tables: which address is which MAC (ARP and NDP)", "  lanyard arp alice",
     declare_list, [](Filled& f) { return arp(f.list); }},
});

}  // namespace

std::span<const VerbEntry> list_verbs() {
  return verbs;
}

}  // namespace lanyard::cli
