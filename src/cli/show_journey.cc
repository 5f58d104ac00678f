// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "cli/facts.hh"
#include "cli/flights.hh"
#include "cli/lab_page.hh"
#include "cli/show_parts.hh"
#include "cli/tree.hh"
#include "lab/lab_file.hh"
#include "lab/units.hh"
#include "wire/dissect.hh"

namespace lanyard::cli {
namespace {

// One port that saw the packet.
struct Hop {
  std::size_t index = 0;  // in RunFile::packets
  std::string node, port;
  lab::NodeKind kind = lab::NodeKind::host;
  bool is_sent = true;
  Instant at{};
  std::optional<std::size_t> before;  // the hop it came from
  std::string where;                  // "on alice -- office", "in r1"
  std::string why;                    // what the time on a link was spent on
  std::vector<Change> changes;
  std::string comment;
};

Flight flight_with(const lab::RunFile& run, std::size_t index) {
  const std::uint64_t packet = run.packets[index].packet;
  Flight flight{packet, {}};
  if (packet == 0) {
    flight.sightings.push_back(index);
    return flight;
  }
  for (std::size_t i = 0; i < run.packets.size(); ++i) {
    if (run.packets[i].packet == packet) flight.sightings.push_back(i);
  }
  return flight;
}

// A frame is received from the port at the link's other end, and sent by a node that received it.
std::optional<std::size_t> hop_before(const lab::RunFile& run, const std::vector<Hop>& hops,
                                      const lab::RunPacket& packet) {
  const lab::RunPort& port = run.ports[packet.port];
  for (std::size_t i = hops.size(); i-- > 0;) {
    const lab::RunPacket& other = run.packets[hops[i].index];
    const bool is_it = packet.is_sent ? !other.is_sent && run.ports[other.port].node == port.node
                                      : other.is_sent && other.port == port.peer;
    if (is_it) return i;
  }
  return std::nullopt;
}

// "20 ms delay, 14.400 us sending 90 bytes at 50 Mbit/s, 3.000 us waiting", if the lab file tells.
std::string time_on_link(const std::optional<lab::Model>& model, const lab::RunFile& run,
                         const lab::RunPacket& packet, Duration spent) {
  const std::uint32_t link = run.ports[packet.port].link;
  if (!model.has_value() || link >= model->links.size()) return {};
  for (const lab::Action& action : model->timeline) {
    // Its quality at that time is then not the file's.
    if (action.link == link && action.kind == lab::Action::Kind::set) return {};
  }
  const lab::LinkSpec& spec = model->links[link];
  const bool from_a = spec.b.node == run.ports[packet.port].node;
  const lab::LinkQuality& quality = from_a ? spec.a_to_b : spec.b_to_a;
  if (quality.rate_bits_per_second == 0) return {};
  const auto bits = static_cast<std::int64_t>(packet.size * 8);
  const auto sending = Duration::nanoseconds(
      bits * 1'000'000'000 / static_cast<std::int64_t>(quality.rate_bits_per_second));
  const Duration waiting = spent - quality.delay - sending;
  if (waiting < Duration::microseconds(-1)) return {};
  std::string text =
      fmt::format("{} delay, {} sending {} at {}", span_text(quality.delay), span_text(sending),
                  bytes_text(packet.size), lab::rate_text(quality.rate_bits_per_second));
  if (waiting > Duration::microseconds(1)) text += fmt::format(", {} waiting", span_text(waiting));
  return text;
}

std::vector<Hop> hops_of(const lab::RunFile& run, const Flight& flight) {
  std::optional<lab::Model> model;
  if (auto file = lab::parse_lab(run.lab_text, run.lab_file)) model = std::move(file->model);
  std::vector<Hop> hops;
  for (const std::size_t index : flight.sightings) {
    const lab::RunPacket& packet = run.packets[index];
    const lab::RunPort& port = run.ports[packet.port];
    Hop hop{.index = index,
            .node = run.nodes[port.node].name,
            .port = run.port_name(packet.port),
            .kind = run.nodes[port.node].kind,
            .is_sent = packet.is_sent,
            .at = packet.at,
            .before = hop_before(run, hops, packet),
            .where = {},
            .why = {},
            .changes = {},
            .comment = packet.comment};
    if (hop.before.has_value()) {
      const lab::RunPacket& last = run.packets[hops[*hop.before].index];
      hop.changes =
          changes_between(wire::dissect(run.frame(last)), wire::dissect(run.frame(packet)));
      hop.where = packet.is_sent                 ? "in " + hop.node
                  : port.link < run.links.size() ? "on " + run.links[port.link]
                                                 : "on the link";
      if (!packet.is_sent) hop.why = time_on_link(model, run, packet, packet.at - last.at);
    }
    hops.push_back(std::move(hop));
  }
  return hops;
}

std::string hop_line(const Hop& hop, std::size_t number, const std::vector<Hop>& hops,
                     const Paper& paper) {
  const std::string who = fmt::format("{} {} it", hop.port, hop.is_sent ? "sends" : "receives");
  std::string line = fmt::format("{:>3}  {}  {}", number, seconds(hop.at),
                                 paint(paper, Ink::bold, fmt::format("{:<28}", who)));
  if (!hop.before.has_value()) {
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
  }
  line += fmt::format("{} {}", span_text(hop.at - hops[*hop.before].at), hop.where);
  if (!hop.why.empty()) line += fmt::format(" ({})", hop.why);
  if (hop.changes.empty() && hop.is_sent) line += ", unchanged";
  return line;
}

std::string changes_text(const Hop& hop, const Paper& paper) {
  constexpr std::size_t indent = 16;
  const std::string_view arrow = paper.has_utf8 ? "→" : "->";
  std::string text;
  for (const Change& change : hop.changes) {
    const std::string what = fmt::format("{} {}", change.layer, change.name);
    const std::string how = change.before.empty() ? fmt::format("added: {}", change.after)
                            : change.after.empty()
                                ? fmt::format("taken away: {}", change.before)
                                : fmt::format("{} {} {}", change.before, arrow, change.after);
    text += std::string(indent, ' ') +
            paint(paper, Ink::yellow, fmt::format("{:<28}{}", what, how)) + "\n";
  }
  return text;
}

// How the far host takes the packet apart again.
std::string unwrapping_text(const lab::RunFile& run, const Hop& last) {
  const auto layers = wire::dissect(run.frame(run.packets[last.index]));
  std::string text;
  for (const wire::Field& layer : layers) {
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", layer.name, duty_of(layer.name));
  }
  return fmt::format("     {} unwraps it: {}\n", last.node, text);
}

std::string heading(const lab::RunFile& run, const Flight& flight, const Paper& paper) {
  const std::size_t first = flight.sightings.front();
  const Bytes frame = run.frame(run.packets[first]);
  const Facts facts = facts_of(frame);
  const Owners owners(run);
  const auto target = facts.target.has_value() ? owners.owner(*facts.target) : std::nullopt;
  const Ending ending = ending_of(run, flight, target);
  const Duration took = run.packets[flight.sightings.back()].at - run.packets[first].at;
  std::string text = fmt::format("The journey of packet {}: {} to {}", first + 1,
                                 run.nodes[ending.from].name, run.nodes[ending.to].name);
  text = paint(paper, Ink::bold, text);
  text += fmt::format("\n{}, {}, ", wire::summary(frame), bytes_text(frame.size()));
  text += ending.is_lost ? paint(paper, Ink::red, "lost: " + printable(ending.reason))
                         : fmt::format("{} on its way", span_text(took));
  return text + "\n\n";
}

}  // namespace

std::string journey_page(const lab::RunFile& run, std::size_t index, const Paper& paper) {
  const Flight flight = flight_with(run, index);
  const std::vector<Hop> hops = hops_of(run, flight);
  std::string page = heading(run, flight, paper);
  for (std::size_t i = 0; i < hops.size(); ++i) {
    const Hop& hop = hops[i];
    page += hop_line(hop, i + 1, hops, paper) + "\n" + changes_text(hop, paper);
    if (!hop.before.has_value()) {
      page += layers_text(wire::dissect(run.frame(run.packets[hop.index])), 16, paper);
    }
    if (!hop.comment.empty()) {
      page += fmt::format("{:>16}{}\n", "", paint(paper, Ink::red, printable(hop.comment)));
    }
  }
  const Hop& last = hops.back();
  if (!last.is_sent && last.comment.empty() && last.kind != lab::NodeKind::switching) {
    page += unwrapping_text(run, last);
  }
  return page;
}

nlohmann::json journey_json(const lab::RunFile& run, std::size_t index) {
  using nlohmann::json;
  const std::vector<Hop> hops = hops_of(run, flight_with(run, index));
  json rows = json::array();
  for (const Hop& hop : hops) {
    json changes = json::array();
    for (const Change& change : hop.changes) {
      changes.push_back({{"layer", change.layer},
                         {"field", change.name},
                         {"before", change.before},
                         {"after", change.after}});
    }
    json row{{"number", hop.index + 1},
             {"node", hop.node},
             {"port", hop.port},
             {"event", hop.is_sent ? "sent" : "received"},
             {"time_ns", hop.at.count_ns()},
             {"changes", changes}};
    if (hop.before.has_value()) {
      row["since_ns"] = (hop.at - hops[*hop.before].at).count_ns();
      row["where"] = hop.where;
    }
    if (!hop.comment.empty()) row["comment"] = printable(hop.comment);
    rows.push_back(std::move(row));
  }
  return {{"packet", run.packets[index].packet}, {"hops", rows}};
}

std::optional<std::size_t> telling_frame(const lab::RunFile& run) {
  std::optional<std::size_t> best;
  std::size_t best_score = 0;
  for (const Flight& flight : flights_of(run)) {
    const std::size_t first = flight.sightings.front();
    const Facts facts = facts_of(run.frame(run.packets[first]));
    if (facts.is("arp") || facts.is("ndp") || facts.destination.is_multicast()) continue;
    // An application's own words say more than a bare segment; more hops say more than fewer.
    const std::size_t words = facts.is("http")        ? 3
                              : facts.is("dns")       ? 1
                              : facts.payload.empty() ? 0
                                                      : 2;
    const std::size_t score = flight.sightings.size() * 4 + words;
    if (best.has_value() && score <= best_score) continue;
    best = first;
    best_score = score;
  }
  return best;
}

}  // namespace lanyard::cli
