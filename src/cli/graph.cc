// SPDX-License-Identifier: Apache-2.0
// `lanyard graph` and `lanyard export`: a run in other forms.
#include "lab/search/graph.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/look.hh"
#include "cli/output_file.hh"
#include "cli/run_verbs.hh"
#include "cli/text.hh"
#include "cli/verbs.hh"
#include "lab/search/export.hh"

namespace lanyard::cli {
namespace {

using lab::search::Graph;
using lab::search::Point;
using nlohmann::json;

constexpr std::size_t plot_rows = 6;

// The highest value of each column of time; a column without one keeps the last.
std::vector<std::int64_t> columns_of(const Graph& graph, const std::vector<Point>& points,
                                     std::size_t columns) {
  std::vector<std::int64_t> highest(columns, -1);
  const std::int64_t whole = (graph.to - graph.from).count_ns();
  for (const Point& point : points) {
    const std::int64_t since = (point.at - graph.from).count_ns();
    const auto column =
        static_cast<std::size_t>(since / (whole / static_cast<std::int64_t>(columns) + 1));
    std::int64_t& here = highest[std::min(column, columns - 1)];
    here = std::max(here, point.value);
  }
  std::int64_t last = 0;
  for (std::int64_t& each : highest) last = each = each < 0 ? last : each;
  return highest;
}

// Bars of eighths; without UTF-8 of whole rows.
std::string plot_text(const std::vector<std::int64_t>& values, const Paper& paper, Ink ink) {
  static constexpr std::array<std::string_view, 9> eighths{" ", "▁", "▂", "▃", "▄",
                                                           "▅", "▆", "▇", "█"};
  const std::int64_t most = std::max<std::int64_t>(*std::ranges::max_element(values), 1);
  const auto full = static_cast<std::int64_t>(plot_rows * 8);
  std::string text;
  for (std::size_t row = plot_rows; row-- > 0;) {
    std::string line;
    for (const std::int64_t value : values) {
      // Rounded up, so that what is not nothing shows.
      const std::int64_t height = value / (most / full + 1);
      const std::int64_t here = std::clamp<std::int64_t>(
          height + (value > 0 ? 1 : 0) - static_cast<std::int64_t>(row * 8), 0, 8);
      line += paper.has_utf8 ? eighths[static_cast<std::size_t>(here)]
                             : std::string_view(here > 0 ? "#" : " ");
    }
    text += "  " + paint(paper, ink, line) + "\n";
  }
  return text;
}

std::string page_of(const Graph& graph, const Paper& paper) {
  struct Plot {
    std::string_view name;
    const std::vector<Point>& points;
    Ink ink;
    bool is_time;
  };
  const std::size_t columns = std::min<std::size_t>(paper.columns, 120) - 4;
  std::string text;
  for (const Plot& plot : {Plot{"bytes in flight", graph.in_flight, Ink::blue, false},
                           Plot{"congestion window", graph.cwnd, Ink::red, false},
                           Plot{"receiver window", graph.window, Ink::green, false},
                           Plot{"round trip", graph.rtt_ns, Ink::magenta, true}}) {
    if (plot.points.empty()) continue;
    std::int64_t most = 0;
    for (const Point& point : plot.points) most = std::max(most, point.value);
    const std::string highest =
        plot.is_time ? span_text(Duration::nanoseconds(most))
                     : bytes_text(static_cast<std::uint64_t>(std::max<std::int64_t>(most, 0)));
    text += fmt::format("  {}, at most {}\n", paint(paper, Ink::bold, plot.name), highest);
    text += plot_text(columns_of(graph, plot.points, columns), paper, plot.ink);
  }
  const std::string begin = seconds(graph.from) + " s";
  const std::string end = seconds(graph.to) + " s";
  const std::size_t taken = begin.size() + end.size();
  text += fmt::format("  {}{}{}\n", begin, std::string(columns > taken ? columns - taken : 1, ' '),
                      end);
  return text + fmt::format("  {} segments were sent again\n", graph.lost.size());
}

json points_json(const std::vector<Point>& points) {
  json rows = json::array();
  for (const Point& point : points) rows.push_back({point.at.count_ns(), point.value});
  return rows;
}

// Which side's sending is asked for: the one named first, or the one that sent more.
std::uint8_t side_of(const LookedAt& at, const lab::why::Flow& flow, std::string_view name) {
  for (const std::uint8_t side : {std::uint8_t{0}, std::uint8_t{1}}) {
    const std::string own = lab::why::endpoint_name(at.run, flow.sides[side]);
    if (name == own || name == to_text(flow.sides[side].endpoint)) return side;
    if (flow.sides[side].node && at.run.nodes[*flow.sides[side].node].name == name) return side;
  }
  return flow.sides[0].highest >= flow.sides[1].highest ? 0 : 1;
}

bool write_file(const std::string& path, std::string_view text) {
  std::ofstream stream(path, std::ios::binary);
  stream << text;
  stream.close();
  if (stream.good()) return true;
  fmt::print(stderr, "lanyard: {} cannot be written\n", printable(path));
  return false;
}

}  // namespace

int graph(const GraphOptions& options) {
  if (!may_write(options.output, options.run)) return exit_usage;
  const auto at = look_at(options.run);
  if (at == nullptr) return exit_usage;
  const auto number = flow_named(*at, options.flow);
  if (!number) return exit_usage;
  const lab::why::Flow& flow = at->index.flows.all()[*number];
  const std::uint8_t side = side_of(*at, flow, options.sender);
  const Graph drawn = lab::search::graph_of(at->index, *number, side);
  const std::string title =
      fmt::format("{} to {}", lab::why::endpoint_name(at->run, flow.sides[side]),
                  lab::why::endpoint_name(at->run, flow.sides[1 - side]));
  if (!options.output.empty()) {
    if (!write_file(options.output, lab::search::svg_of(drawn, title))) return exit_failed;
    fmt::print("{} is drawn in {}\n", title, options.output);
    return exit_ok;
  }
  if (options.json) {
    const json page{{"flow", lab::why::flow_name(at->run, flow)},
                    {"sender", lab::why::endpoint_name(at->run, flow.sides[side])},
                    {"bytes_in_flight", points_json(drawn.in_flight)},
                    {"congestion_window", points_json(drawn.cwnd)},
                    {"receiver_window", points_json(drawn.window)},
                    {"rtt_ns", points_json(drawn.rtt_ns)},
                    {"sent_again", points_json(drawn.lost)}};
    fmt::print("{}\n", page.dump());
    return exit_ok;
  }
  const Paper paper = paper_of(STDOUT_FILENO);
  fmt::print("{}\n\n{}", paint(paper, Ink::bold, title), page_of(drawn, paper));
  return exit_ok;
}

int export_run(const ExportOptions& options) {
  const auto at = look_at(options.run);
  if (at == nullptr) return exit_usage;
  const auto done = lab::search::export_sqlite(at->index, options.file);
  if (!done.has_value()) {
    fmt::print(stderr, "lanyard: {}\n", printable(done.error()));
    return exit_usage;
  }
  fmt::print("{} frames, {} events and {} conversations are in {}\n",
             grouped(at->run.packets.size()), grouped(at->run.events.size()),
             grouped(at->index.flows.all().size()), options.file);
  return exit_ok;
}

}  // namespace lanyard::cli
