// SPDX-License-Identifier: Apache-2.0
#include "lab/search/graph.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace lanyard::lab::search {
namespace {

// The numbers that this host's stack gave to the connections between these two ends, newest last.
std::set<std::int64_t> connections_of(const why::Index& index, const why::FlowSide& own,
                                      const why::FlowSide& other) {
  std::set<std::int64_t> numbers;
  const std::string ends = to_text(own.endpoint) + " " + to_text(other.endpoint);
  for (const RunEvent& each : index.run.events)
    if (each.event.kind == EventKind::tcp_state && own.node && each.event.node == *own.node &&
        each.event.text == ends)
      numbers.insert(each.event.values[0]);
  return numbers;
}

void add_events(const why::Index& index, const why::Flow& flow, std::uint8_t side, Graph& graph) {
  const why::FlowSide& own = flow.sides[side];
  const auto numbers = connections_of(index, own, flow.sides[1 - side]);
  for (const RunEvent& each : index.run.events) {
    const Event& event = each.event;
    if (!own.node || event.node != *own.node || !numbers.contains(event.values[0])) continue;
    if (event.at < graph.from || event.at > graph.to) continue;
    if (event.kind == EventKind::tcp_window) graph.cwnd.push_back({event.at, event.values[1]});
    if (event.kind == EventKind::tcp_rtt) graph.rtt_ns.push_back({event.at, event.values[1]});
  }
}

// A change of what is under way: a segment leaves, or an acknowledgment comes in.
struct Step {
  std::size_t record = 0;
  Instant at;
  std::size_t segment = 0;
  bool is_sent = true;
};

std::vector<Step> steps_of(const why::Index& index, const why::Flow& flow, std::uint8_t side) {
  std::vector<Step> steps;
  for (std::size_t i = 0; i < flow.segments.size(); ++i) {
    const why::Segment& segment = flow.segments[i];
    const std::size_t sent = index.packets.journeys()[segment.journey].sightings.front();
    if (segment.side == side)
      steps.push_back({sent, segment.sent_at, i, true});
    else if (segment.arrived_at != Instant::never())
      steps.push_back({segment.arrival, segment.arrived_at, i, false});
  }
  std::sort(steps.begin(), steps.end(),
            [](const Step& a, const Step& b) { return a.record < b.record; });
  return steps;
}

void add_wire(const why::Index& index, const why::Flow& flow, std::uint8_t side, Graph& graph) {
  const bool wants_rtt = graph.rtt_ns.empty();
  std::int64_t sent = 0;
  std::int64_t acked = 0;
  std::map<std::int64_t, Instant> timed;  // end of a segment -> when it was sent, if only once
  for (const Step& step : steps_of(index, flow, side)) {
    const why::Segment& segment = flow.segments[step.segment];
    if (step.is_sent) {
      if (segment.repeats) graph.lost.push_back({step.at, segment.begin});
      if (segment.repeats)
        timed.clear();
      else if (segment.begin < segment.end)
        timed[segment.end] = step.at;
      sent = std::max(sent, segment.end);
    } else {
      acked = std::max(acked, segment.acked);
      graph.window.push_back({step.at, segment.window});
      const auto first = timed.upper_bound(acked);
      if (first != timed.begin() && wants_rtt) {
        const Duration round_trip = step.at - std::prev(first)->second;
        graph.rtt_ns.push_back({step.at, round_trip.count_ns()});
      }
      timed.erase(timed.begin(), first);
    }
    graph.in_flight.push_back({step.at, std::max<std::int64_t>(sent - acked, 0)});
  }
}

constexpr int width = 900, plot_height = 180, left = 90, top = 40, gap = 40;

struct Plot {
  std::string_view name, unit;
  std::int64_t divisor = 1;  // of values, for the axis
  struct Line {
    std::string_view name, colour;
    const std::vector<Point>* points = nullptr;
    bool has_steps = true;
  };
  std::vector<Line> lines;
};

std::int64_t highest_of(const Plot& plot) {
  std::int64_t most = 1;
  for (const Plot::Line& line : plot.lines)
    for (const Point& point : *line.points) most = std::max(most, point.value);
  return most;
}

// Tenths of a pixel, so that no floating point decides.
std::string tenths(std::int64_t value) {
  return fmt::format("{}.{}", value / 10, value % 10);
}

std::string plot_svg(const Plot& plot, const Graph& graph, int y0) {
  const std::int64_t most = highest_of(plot);
  const std::int64_t whole = std::max<std::int64_t>((graph.to - graph.from).count_ns(), 1);
  std::string svg = fmt::format(
      "<rect x='{}' y='{}' width='{}' height='{}' fill='none' stroke='#bbb'/>\n"
      "<text x='{}' y='{}'>{}</text>\n<text x='{}' y='{}' text-anchor='end'>{} {}</text>\n"
      "<text x='{}' y='{}' text-anchor='end'>0</text>\n",
      left, y0, width, plot_height, left, y0 - 6, plot.name, left - 6, y0 + 12, most / plot.divisor,
      plot.unit, left - 6, y0 + plot_height);
  int label_x = left + 260;
  for (const Plot::Line& line : plot.lines) {
    if (line.points->empty()) continue;
    std::string path;
    std::int64_t last_y = 0;
    for (const Point& point : *line.points) {
      const std::int64_t since = (point.at - graph.from).count_ns();
      const std::int64_t x = left * 10 + since / std::max<std::int64_t>(whole / (width * 10), 1);
      const std::int64_t y = (y0 + plot_height) * 10 - point.value * (plot_height * 10) / most;
      const std::int64_t x_in = std::min<std::int64_t>(x, (left + width) * 10);
      if (path.empty())
        path = "M" + tenths(x_in) + " " + tenths(y);
      else if (line.has_steps)
        path += " L" + tenths(x_in) + " " + tenths(last_y) + " L" + tenths(x_in) + " " + tenths(y);
      else
        path += " L" + tenths(x_in) + " " + tenths(y);
      last_y = y;
    }
    svg += fmt::format("<path d='{}' fill='none' stroke='{}'/>\n", path, line.colour);
    svg += fmt::format("<text x='{}' y='{}' fill='{}'>{}</text>\n", label_x, y0 - 6, line.colour,
                       line.name);
    label_x += 160;
  }
  return svg;
}

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '<' || c == '&') {
      safe += c == '<' ? "&lt;" : "&amp;";
    } else {
      safe += c;
    }
  }
  return safe;
}

}  // namespace

Graph graph_of(const why::Index& index, std::size_t number, std::uint8_t side) {
  const why::Flow& flow = index.flows.all()[number];
  Graph graph;
  graph.from = graph.to = flow.began();
  for (const why::Segment& each : flow.segments) {
    graph.to = std::max(graph.to, each.sent_at);
    if (each.arrived_at != Instant::never()) graph.to = std::max(graph.to, each.arrived_at);
  }
  add_events(index, flow, side, graph);
  add_wire(index, flow, side, graph);
  return graph;
}

std::string svg_of(const Graph& graph, std::string_view title) {
  const std::array<Plot, 3> plots{
      Plot{"under way and allowed",
           "KB",
           1000,
           {{"bytes in flight", "#1f77b4", &graph.in_flight, true},
            {"congestion window", "#d62728", &graph.cwnd, true}}},
      Plot{"offered by the receiver",
           "KB",
           1000,
           {{"receiver window", "#2ca02c", &graph.window, true}}},
      Plot{"round trip", "us", 1000, {{"sample", "#9467bd", &graph.rtt_ns, false}}}};
  const int height = top + 3 * (plot_height + gap) + 20;
  std::string svg = fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {0} {1}' width='{0}' height='{1}' "
      "font-family='sans-serif' font-size='12'>\n<rect width='{0}' height='{1}' fill='white'/>\n"
      "<text x='{2}' y='18' font-size='14'>{3}</text>\n",
      left + width + 30, height, left, escaped(title));
  int y0 = top + 10;
  for (const Plot& plot : plots) {
    svg += plot_svg(plot, graph, y0);
    y0 += plot_height + gap;
  }
  const std::int64_t whole = std::max<std::int64_t>((graph.to - graph.from).count_ns(), 1);
  for (const Point& lost : graph.lost) {
    const std::int64_t x =
        left + (lost.at - graph.from).count_ns() / std::max<std::int64_t>(whole / width, 1);
    svg += fmt::format(
        "<line x1='{0}' x2='{0}' y1='{1}' y2='{2}' stroke='#d62728' "
        "stroke-dasharray='2 3'><title>sent again</title></line>\n",
        std::min<std::int64_t>(x, left + width), top + 10, top + 10 + plot_height);
  }
  svg += fmt::format(
      "<text x='{}' y='{}'>{}</text>\n<text x='{}' y='{}' text-anchor='end'>{}"
      "</text>\n</svg>\n",
      left, y0 - gap + 16, to_text(graph.from), left + width, y0 - gap + 16, to_text(graph.to));
  return svg;
}

}  // namespace lanyard::lab::search
