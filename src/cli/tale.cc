// SPDX-License-Identifier: Apache-2.0
#include "cli/tale.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cli/facts.hh"
#include "cli/flights.hh"

namespace lanyard::cli {
namespace {

constexpr std::size_t none = static_cast<std::size_t>(-1);

// A flight with its ending, before anyone knows who stands where.
struct Seen {
  const Flight* flight = nullptr;
  Ending ending;
};

bool is_wanted(const lab::RunFile& run, const Flight& flight, const TaleFilter& filter) {
  if (filter.nodes.empty()) return true;
  return std::any_of(flight.sightings.begin(), flight.sightings.end(), [&](std::size_t index) {
    const std::string& name = run.nodes[run.ports[run.packets[index].port].node].name;
    return std::find(filter.nodes.begin(), filter.nodes.end(), name) != filter.nodes.end();
  });
}

// What a stack threw away after the frame had arrived, by packet.
std::map<std::uint64_t, std::pair<std::uint32_t, std::string>> dropped_above(
    const lab::RunFile& run) {
  std::map<std::uint64_t, std::pair<std::uint32_t, std::string>> dropped;
  for (const lab::RunEvent& row : run.events) {
    if (row.event.kind != EventKind::packet_dropped) continue;
    const auto packet = static_cast<std::uint64_t>(row.event.values[2]);
    const auto reason = static_cast<std::size_t>(row.event.values[3]);
    if (packet == 0 || reason >= drop_reasons) continue;
    dropped[packet] = {row.event.node,
                       std::string(to_text(static_cast<DropReason>(row.event.values[3])))};
  }
  return dropped;
}

std::vector<Seen> see(const lab::RunFile& run, const std::vector<Flight>& flights,
                      const TaleFilter& filter) {
  const Owners owners(run);
  const auto dropped = dropped_above(run);
  std::vector<Seen> all;
  for (const Flight& flight : flights) {
    if (!is_wanted(run, flight, filter)) continue;
    const Facts facts = facts_of(run.frame(run.packets[flight.sightings.front()]));
    const auto target = facts.target.has_value() ? owners.owner(*facts.target) : std::nullopt;
    Seen seen{&flight, ending_of(run, flight, target)};
    const auto found = dropped.find(flight.packet);
    if (found != dropped.end() && target.has_value() && !seen.ending.is_lost &&
        found->second.first == seen.ending.to) {
      seen.ending.is_lost = true;
      seen.ending.is_lost_on_link = false;
      seen.ending.lost_at = found->second.first;
      seen.ending.reason = found->second.second;
    }
    all.push_back(seen);
  }
  return all;
}

// Who is drawn: hosts and routers that sent or received something, the busiest if there are many.
std::vector<std::uint32_t> choose_lifelines(const lab::RunFile& run, const std::vector<Seen>& all,
                                            std::size_t most) {
  std::vector<std::uint64_t> traffic(run.nodes.size(), 0);
  for (const Seen& seen : all) {
    ++traffic[seen.ending.from];
    ++traffic[seen.ending.to];
  }
  std::vector<std::uint32_t> order = lifeline_order(run);
  // A router that only forwards is drawn too: packets are seen to cross it.
  const auto is_idle = [&](std::uint32_t node) {
    return traffic[node] == 0 && run.nodes[node].kind != lab::NodeKind::router;
  };
  if (!all.empty()) std::erase_if(order, is_idle);
  if (order.size() <= most) return order;
  std::vector<std::uint32_t> busiest = order;
  std::stable_sort(busiest.begin(), busiest.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return traffic[a] > traffic[b]; });
  busiest.resize(most);
  std::erase_if(order, [&](std::uint32_t node) {
    return std::find(busiest.begin(), busiest.end(), node) == busiest.end();
  });
  return order;
}

// The lifeline nearest to where a flight was lost: the node itself, or the last drawn one before
// it.
std::size_t last_place(const lab::RunFile& run, const Seen& seen,
                       const std::vector<std::size_t>& place) {
  if (place[seen.ending.lost_at] != none) return place[seen.ending.lost_at];
  std::size_t last = place[seen.ending.from];
  for (const std::size_t index : seen.flight->sightings) {
    const std::uint32_t node = run.ports[run.packets[index].port].node;
    if (node == seen.ending.lost_at) break;
    if (place[node] != none) last = place[node];
  }
  return last;
}

Passage passage_of(const lab::RunFile& run, const Seen& seen,
                   const std::vector<std::size_t>& place) {
  const std::size_t first = seen.flight->sightings.front();
  Passage passage{.number = first + 1,
                  .at = run.packets[first].at,
                  .frame = run.frame(run.packets[first]),
                  .from = place[seen.ending.from],
                  .to = place[seen.ending.to]};
  if (!seen.ending.is_lost) return passage;
  passage.reason = seen.ending.reason;
  const std::size_t at = last_place(run, seen, place);
  const bool is_at_node = !seen.ending.is_lost_on_link && place[seen.ending.lost_at] != none;
  if (is_at_node || passage.to == at) {
    passage.lost_at_half = at * 2;
  } else {
    passage.lost_at_half = passage.to > at ? at * 2 + 1 : at * 2 - 1;
  }
  return passage;
}

std::string_view name_of_program(const lab::RunFile& run, std::int64_t program) {
  for (const lab::RunProgram& row : run.programs) {
    if (row.program == static_cast<std::uint64_t>(program)) return row.name;
  }
  return "a program";
}

std::optional<Remark> remark_of(const lab::RunFile& run, const Event& event) {
  const std::int64_t first = event.values[0];
  if (event.kind == EventKind::link_changed && first >= 0 &&
      static_cast<std::size_t>(first) < run.links.size()) {
    const bool is_up = event.values[1] != 0;
    return Remark{event.at,
                  fmt::format("{} is {}", run.links[static_cast<std::size_t>(first)],
                              is_up ? "healed" : "cut"),
                  is_up ? Ink::green : Ink::red};
  }
  if (event.kind == EventKind::program_started) {
    return Remark{event.at,
                  fmt::format("{} starts: {}", name_of_program(run, first), printable(event.text))};
  }
  if (event.kind == EventKind::note) return Remark{event.at, printable(event.text), Ink::red};
  if (event.kind != EventKind::program_exited) return std::nullopt;
  const bool is_killed = event.values[2] != 0;
  return Remark{
      event.at,
      fmt::format("{} {} {}", name_of_program(run, first), is_killed ? "ends by signal" : "exits",
                  is_killed ? event.values[2] : event.values[1]),
      Ink::dim, true};
}

}  // namespace

Tale tale_of(const lab::RunFile& run, const TaleFilter& filter) {
  const std::vector<Flight> flights = flights_of(run);
  const std::vector<Seen> all = see(run, flights, filter);
  const auto order = choose_lifelines(run, all, filter.lifelines_max);
  Tale tale;
  std::vector<std::size_t> place(run.nodes.size(), none);
  for (const std::uint32_t node : order) {
    place[node] = tale.lifelines.size();
    tale.lifelines.push_back(run.nodes[node].name);
  }
  const auto hosts = lifeline_order(run);
  for (const Seen& seen : all) {
    if (place[seen.ending.from] == none || place[seen.ending.to] == none) {
      ++tale.packets_left_out;
    } else {
      tale.passages.push_back(passage_of(run, seen, place));
    }
  }
  if (tale.packets_left_out != 0) tale.nodes_left_out = hosts.size() - order.size();
  std::stable_sort(tale.passages.begin(), tale.passages.end(),
                   [](const Passage& a, const Passage& b) { return a.at < b.at; });
  for (const lab::RunEvent& row : run.events) {
    if (auto remark = remark_of(run, row.event)) tale.remarks.push_back(*remark);
  }
  return tale;
}

}  // namespace lanyard::cli
