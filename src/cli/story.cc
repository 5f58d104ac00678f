// SPDX-License-Identifier: Apache-2.0
#include "cli/story.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cli/conversations.hh"

namespace lanyard::cli {
namespace {

// A run of plain packets longer than this is folded; its first two and its last are shown.
constexpr std::size_t plain_run_max = 6;
constexpr std::size_t shown_first = 2;
constexpr std::size_t shown_last = 1;

bool is_wanted(const Facts& facts, const StoryOptions& options) {
  return options.protocols.empty() ||
         std::any_of(options.protocols.begin(), options.protocols.end(),
                     [&](const std::string& name) { return facts.is(name); });
}

// "seq 1 ack 1, 1,460 bytes": what a segment's numbers say.
std::string numbers_of(const TcpFacts& segment, const SegmentNote& note) {
  const bool counts = segment.payload_bytes != 0 || segment.flags.syn() || segment.flags.fin() ||
                      segment.flags.rst();
  std::string text;
  if (counts) text = fmt::format("seq {}", note.sequence);
  if (segment.flags.ack()) {
    text += fmt::format("{}ack {}", text.empty() ? "" : " ", note.acknowledgment);
  }
  if (segment.payload_bytes != 0) text += ", " + bytes_text(segment.payload_bytes);
  if (segment.window == 0 && !segment.flags.rst()) text += ", window 0";
  return text;
}

void tell_segment(Line& line, Conversations& conversations) {
  const TcpFacts& segment = *line.facts.tcp;
  const SegmentNote note = conversations.take(line.facts);
  line.conversation = note.conversation;
  line.is_retransmission = note.is_retransmission;
  if (line.detail.empty()) line.detail = numbers_of(segment, note);
  if (segment.flags.syn()) {
    line.detail = fmt::format("{} -> {}, {}", line.facts.source_port, line.facts.destination_port,
                              line.detail);
  }
  if (note.is_retransmission) {
    line.detail = "retransmission: " + line.detail;
    line.ink = Ink::red;
  } else if (note.is_keep_alive) {
    line.title = "KEEP-ALIVE";
  } else if (note.duplicate_acks != 0) {
    line.detail += fmt::format(", duplicate {}", note.duplicate_acks);
    line.ink = Ink::yellow;
  }
  const bool is_special = segment.flags.syn() || segment.flags.fin() || segment.flags.rst() ||
                          note.is_retransmission || note.is_keep_alive || line.facts.is("http");
  line.is_plain = !is_special;
}

Line line_of(const Passage& passage, Conversations& conversations) {
  Line line;
  line.passage = &passage;
  line.facts = facts_of(passage.frame);
  line.title = line.facts.title;
  line.detail = line.facts.detail;
  line.ink = line.facts.ink;
  if (line.facts.tcp.has_value()) {
    tell_segment(line, conversations);
  } else if (line.facts.is("udp") || line.facts.is("icmp")) {
    line.conversation = conversations.number_of_pair(line.facts);
    line.is_plain = !line.facts.is("dns") && !line.facts.is("dhcp") && line.ink != Ink::red;
  }
  if (!passage.reason.empty()) {
    line.is_plain = false;
    line.ink = Ink::red;
    const bool says_lost = passage.reason.starts_with("lost");
    line.detail =
        fmt::format("{}{}: {}", says_lost ? "" : "dropped, ", passage.reason, line.detail);
  }
  return line;
}

// Which lines one folded line stands for.
struct Fold {
  std::size_t packets = 0, packets_with_data = 0;
  std::uint64_t bytes = 0;
  std::size_t first = 0;    // the line it stands at
  std::size_t busiest = 0;  // a line in the direction of most data
  bool is_tcp = false;
};

void add_to(Fold& fold, const std::vector<Line>& lines, std::size_t index) {
  const Line& line = lines[index];
  if (fold.packets++ == 0) fold.first = fold.busiest = index;
  if (line.facts.payload.size() > lines[fold.busiest].facts.payload.size()) fold.busiest = index;
  fold.is_tcp = line.facts.tcp.has_value();
  fold.bytes += line.facts.payload.size();
  if (!line.facts.payload.empty()) ++fold.packets_with_data;
}

std::string fold_text(const Fold& fold) {
  if (!fold.is_tcp && fold.bytes == 0)
    return fmt::format("... {} packets ...", grouped(fold.packets));
  const std::size_t acks = fold.packets - fold.packets_with_data;
  std::string text = fmt::format("... {} {}, {}", grouped(fold.packets_with_data),
                                 fold.is_tcp ? "segments" : "datagrams", bytes_text(fold.bytes));
  if (acks != 0) text += fmt::format(", {} acks", grouped(acks));
  return text + " ...";
}

// For each line: shown (0), swallowed (1), or the place of a fold (2, with its index).
struct Folding {
  enum class Part : std::uint8_t { shown, swallowed, fold };
  std::vector<Part> parts;
  std::vector<std::size_t> fold_at;
  std::vector<Fold> folds;
};

void close_run(std::vector<std::size_t>& members, const std::vector<Line>& lines,
               Folding& folding) {
  if (members.size() > plain_run_max) {
    Fold fold;
    for (std::size_t i = shown_first; i + shown_last < members.size(); ++i) {
      folding.parts[members[i]] = Folding::Part::swallowed;
      add_to(fold, lines, members[i]);
    }
    folding.parts[fold.first] = Folding::Part::fold;
    folding.fold_at[fold.first] = folding.folds.size();
    folding.folds.push_back(fold);
  }
  members.clear();
}

Folding fold_runs(const std::vector<Line>& lines, bool unfold) {
  Folding folding{std::vector<Folding::Part>(lines.size(), Folding::Part::shown),
                  std::vector<std::size_t>(lines.size(), 0),
                  {}};
  if (unfold) return folding;
  std::map<std::uint32_t, std::vector<std::size_t>> open;  // by conversation
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].conversation == 0) continue;
    std::vector<std::size_t>& members = open[lines[i].conversation];
    if (lines[i].is_plain) {
      members.push_back(i);
    } else {
      close_run(members, lines, folding);
    }
  }
  for (auto& [conversation, members] : open) close_run(members, lines, folding);
  return folding;
}

Row row_of(const Line& line, bool names_conversations) {
  Row row{.number = line.passage->number,
          .at = line.passage->at,
          .from = line.passage->from,
          .to = line.passage->to,
          .lost_at_half = line.passage->lost_at_half,
          .title = line.title,
          .detail = line.detail,
          .ink = line.ink};
  if (names_conversations && line.facts.tcp.has_value()) {
    row.detail = fmt::format("({}) {}", line.conversation, row.detail);
  }
  return row;
}

Row fold_row(const Fold& fold, const std::vector<Line>& lines, bool names_conversations) {
  Row row = row_of(lines[fold.busiest], false);
  row.number = 0;
  row.at = lines[fold.first].passage->at;
  row.title.clear();
  row.detail = fold_text(fold);
  row.is_folded = true;
  if (names_conversations && fold.is_tcp) {
    row.detail = fmt::format("({}) {}", lines[fold.first].conversation, row.detail);
  }
  return row;
}

bool has_several_tcp(const std::vector<Line>& lines) {
  std::uint32_t first = 0;
  for (const Line& line : lines) {
    if (!line.facts.tcp.has_value()) continue;
    if (first != 0 && line.conversation != first) return true;
    first = line.conversation;
  }
  return false;
}

}  // namespace

std::vector<Line> lines_of(const Tale& tale, const StoryOptions& options) {
  Conversations conversations;
  std::vector<Line> lines;
  for (const Passage& passage : tale.passages) {
    Line line = line_of(passage, conversations);
    if (is_wanted(line.facts, options)) lines.push_back(std::move(line));
  }
  return lines;
}

Picture picture_of(const Tale& tale, const std::vector<Line>& lines, const StoryOptions& options) {
  const Folding folding = fold_runs(lines, options.unfold);
  const bool several = has_several_tcp(lines);
  Picture picture{tale.lifelines, {}};
  const auto add_remarks = [&](bool outcomes) {
    for (const Remark& remark : tale.remarks) {
      if (remark.is_outcome != outcomes || !options.protocols.empty()) continue;
      picture.rows.push_back(
          {.at = remark.at, .is_note = true, .detail = remark.text, .ink = remark.ink});
    }
  };
  add_remarks(false);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (folding.parts[i] == Folding::Part::shown) {
      picture.rows.push_back(row_of(lines[i], several));
    } else if (folding.parts[i] == Folding::Part::fold) {
      picture.rows.push_back(fold_row(folding.folds[folding.fold_at[i]], lines, several));
    }
  }
  add_remarks(true);
  std::stable_sort(picture.rows.begin(), picture.rows.end(),
                   [](const Row& a, const Row& b) { return a.at < b.at; });
  return picture;
}

}  // namespace lanyard::cli
