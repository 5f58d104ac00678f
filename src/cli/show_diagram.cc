// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/show_parts.hh"

namespace lanyard::cli {

std::size_t lifelines_that_fit(const Paper& paper) {
  constexpr std::size_t beside_lifelines = 60;  // number, time, details
  constexpr std::size_t gap = 4;
  return std::max<std::size_t>((paper.columns - std::min(paper.columns, beside_lifelines)) / gap,
                               4);
}

std::string diagram_page(const Tale& tale, const StoryOptions& options, std::uint64_t limit,
                         const Paper& paper) {
  const std::vector<Line> lines = lines_of(tale, options);
  Picture picture = picture_of(tale, lines, options);
  const std::size_t all = picture.rows.size();
  if (limit != 0 && all > limit) picture.rows.resize(limit);
  std::string page = draw(picture, paper);
  if (all == 0) page += "(no packets)\n";
  if (picture.rows.size() < all) {
    page +=
        paint(paper, Ink::dim,
              fmt::format("... {} more lines (`lanyard show RUN` has all, --limit N the first N)\n",
                          grouped(all - picture.rows.size())));
  }
  if (tale.packets_left_out != 0) {
    page += paint(paper, Ink::dim,
                  fmt::format("... {} packets of {} other nodes; --node shows them\n",
                              grouped(tale.packets_left_out), tale.nodes_left_out));
  }
  return page;
}

nlohmann::json diagram_json(const Tale& tale, const StoryOptions& options, std::uint64_t limit) {
  using nlohmann::json;
  json packets = json::array();
  for (const Line& line : lines_of(tale, options)) {
    if (limit != 0 && packets.size() >= limit) break;
    const Passage& passage = *line.passage;
    json packet{{"number", passage.number},
                {"time_ns", passage.at.count_ns()},
                {"from", tale.lifelines[passage.from]},
                {"to", tale.lifelines[passage.to]},
                {"protocols", line.facts.protocols},
                {"title", line.title},
                {"detail", line.detail},
                {"bytes", passage.frame.size()}};
    if (line.facts.tcp.has_value()) packet["conversation"] = line.conversation;
    if (line.is_retransmission) packet["retransmission"] = true;
    if (!passage.reason.empty()) packet["lost"] = passage.reason;
    packets.push_back(std::move(packet));
  }
  json remarks = json::array();
  for (const Remark& remark : tale.remarks) {
    remarks.push_back({{"time_ns", remark.at.count_ns()}, {"text", remark.text}});
  }
  return {{"nodes", tale.lifelines}, {"packets", packets}, {"remarks", remarks}};
}

}  // namespace lanyard::cli
