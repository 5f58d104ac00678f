// SPDX-License-Identifier: Apache-2.0
#include "lab/why/why.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace lanyard::lab::why {
namespace {

constexpr Port dns_port = 53;
constexpr std::size_t listed_max = 8;

using Explained = std::expected<Answer, std::string>;

std::string_view request_line(std::string_view text) {
  constexpr std::array<std::string_view, 8> methods{"GET ",    "HEAD ",    "POST ",  "PUT ",
                                                    "DELETE ", "OPTIONS ", "PATCH ", "CONNECT "};
  const bool begins = std::any_of(methods.begin(), methods.end(),
                                  [&](std::string_view each) { return text.starts_with(each); });
  const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  return begins && line.find(" HTTP/1.") != std::string_view::npos ? line : std::string_view{};
}

std::int64_t data_end(const Flow& flow, std::uint8_t side) {
  std::int64_t end = 1;
  for (const Segment& each : flow.segments)
    if (each.side == side && !each.payload.empty())
      end = std::max(end, each.payload_begin + static_cast<std::int64_t>(each.payload.size()));
  return end;
}

// Where a conversation began for the program that opened it: its connect call, or the look-up of
// the name before.
Instant beginning_of(const Index& index, std::size_t flow) {
  const auto connect = index.calls.connecting(flow);
  if (!connect) return index.flows.all()[flow].began();
  const std::vector<CallRow>& calls = index.calls.all();
  const CallRow* first = &calls[*connect];
  const std::uint32_t socket = first->socket;
  std::optional<std::uint32_t> asking;
  for (auto each = first->before; each; each = calls[*each].before) {
    const CallRow& row = calls[*each];
    if (row.peer && row.peer->port == dns_port) asking = row.socket;
    if (row.socket != socket && row.socket != asking) break;
    first = &row;
  }
  return first->at;
}

template <typename T>
std::string listed(const std::vector<T>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < listed_max; ++i)
    text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > listed_max) text += fmt::format(" and {} more", names.size() - listed_max);
  return text.empty() ? "none" : text;
}

struct Whole {
  Instant from, to;
  Step step;
};

Answer walked(const Index& index, const Whole& whole) {
  Answer answer;
  answer.from = whole.from;
  answer.to = whole.to;
  answer.parts = Walk(index, whole.from, whole.to).run(whole.step);
  return answer;
}

Instant end_of(const RunFile& run) {
  Instant end = run.ended_at;
  if (!run.events.empty()) end = std::max(end, run.events.back().event.at);
  if (!run.packets.empty()) end = std::max(end, run.packets.back().at);
  return end;
}

Answer explain_program(const Index& index, const RunProgram& program) {
  const RunFile& run = index.run;
  Instant from = Instant::start();
  Instant to = end_of(run);
  std::string outcome = "still running at the end";
  for (const RunEvent& each : run.events) {
    const Event& event = each.event;
    if (event.values[0] != program.program) continue;
    if (event.kind == EventKind::program_started) from = event.at;
    if (event.kind != EventKind::program_exited) continue;
    to = event.at;
    outcome = event.values[2] != 0 ? fmt::format("killed by signal {}", event.values[2])
                                   : fmt::format("exited {}", event.values[1]);
  }
  auto last = index.calls.last_of({program.node, program.program, 1});
  if (!last) last = index.calls.last_of({program.node, 0, 0});
  while (last && index.calls.all()[*last].at > to) last = index.calls.all()[*last].before;
  Walk walk(index, from, to);
  const Instant since = last ? std::max(from, index.calls.all()[*last].at) : from;
  walk.add(since, {.cause = Cause::program, .where = program.name});
  Answer answer;
  answer.from = from;
  answer.to = to;
  answer.parts = walk.run(last ? Step{Step::Kind::call, *last} : Step{});
  answer.subject = fmt::format("program {} ({})", program.name, program.command);
  answer.outcome = std::move(outcome);
  return answer;
}

Answer explain_flow(const Index& index, std::size_t number) {
  const Flow& flow = index.flows.all()[number];
  const Segment* last = nullptr;
  for (const Segment& each : flow.segments) {
    if (each.begin == each.end || each.arrived_at == Instant::never()) continue;
    if (last == nullptr || each.arrival > last->arrival) last = &each;
  }
  Whole whole{beginning_of(index, number), {}, {}};
  if (last != nullptr) {
    whole.to = last->arrived_at;
    whole.step = {Step::Kind::arrival, last->arrival};
  } else {
    whole.to = flow.segments.back().sent_at;
    whole.step = {Step::Kind::sending, flow.segments.back().journey};
  }
  Answer answer = walked(index, whole);
  answer.subject = "conversation " + flow_name(index.run, flow);
  if (last == nullptr) answer.outcome = "nothing arrived";
  return answer;
}

Answer explain_request(const Index& index, const Request& request, std::size_t number) {
  const Flow& flow = index.flows.all()[request.flow];
  Whole whole{beginning_of(index, request.flow), {}, {}};
  if (!request.is_first) {
    const auto write = index.calls.writing(request.flow, 0, request.begin);
    if (write) whole.from = index.calls.all()[*write].at;
    for (const Segment& each : flow.segments)
      if (!write && each.side == 0 && each.begin == request.begin && !each.repeats)
        whole.from = each.sent_at;
  }
  std::string outcome;
  auto end = Delivery(flow, 1).of(request.answer_end);
  if (!end || request.answer_begin == request.answer_end) {
    outcome = "no whole answer came";
    end.reset();
    for (std::size_t i = 0; i < flow.segments.size(); ++i)
      if (flow.segments[i].arrived_at != Instant::never()) end = i;
  }
  if (end) {
    whole.to = std::max(whole.from, flow.segments[*end].arrived_at);
    whole.step = {Step::Kind::arrival, flow.segments[*end].arrival};
  } else {
    whole.to = whole.from;
  }
  Answer answer = walked(index, whole);
  answer.subject =
      fmt::format("request {}, {} on {}", number, request.line, flow_name(index.run, flow));
  answer.outcome = std::move(outcome);
  return answer;
}

Answer explain_packet(const Index& index, std::size_t record) {
  const RunPacket& packet = index.run.packets[record];
  Walk walk(index, Instant::start(), packet.at);
  walk.set_stops_at_cause();
  Answer answer;
  answer.parts = walk.run({Step::Kind::arrival, record});
  answer.from = walk.reached();
  answer.to = packet.at;
  answer.subject =
      fmt::format("packet {}, {} by {}", record + 1, packet.is_sent ? "sent" : "received",
                  index.run.port_name(packet.port));
  answer.outcome = packet.comment;
  return answer;
}

std::optional<std::size_t> number_in(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  while (text.starts_with(' ') || text.starts_with('#')) text.remove_prefix(1);
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_named(const RunFile& run, const FlowSide& side, std::string_view text) {
  return text == endpoint_name(run, side) || text == to_text(side.endpoint);
}

Explained explain_named_flow(const Index& index, std::string_view what) {
  for (std::size_t i = 0; i < index.flows.all().size(); ++i) {
    const Flow& flow = index.flows.all()[i];
    for (std::size_t dash = what.find('-'); dash != what.npos; dash = what.find('-', dash + 1)) {
      const std::string_view a = what.substr(0, dash);
      const std::string_view b = what.substr(dash + 1);
      const bool is_it =
          (is_named(index.run, flow.sides[0], a) && is_named(index.run, flow.sides[1], b)) ||
          (is_named(index.run, flow.sides[1], a) && is_named(index.run, flow.sides[0], b));
      if (is_it) return explain_flow(index, i);
    }
  }
  std::vector<std::string> names;
  for (const Flow& flow : index.flows.all()) names.push_back(flow_name(index.run, flow));
  return std::unexpected(
      fmt::format("there is no conversation `{}`; there are: {}", what, listed(names)));
}

}  // namespace

std::vector<Request> requests_of(const Index& index) {
  std::vector<std::pair<Instant, Request>> found;
  for (std::size_t i = 0; i < index.flows.all().size(); ++i) {
    const Flow& flow = index.flows.all()[i];
    const std::size_t before = found.size();
    for (const Segment& each : flow.segments) {
      const std::string_view line =
          each.side == 0 && !each.repeats ? request_line(lanyard::text_of(each.payload)) : "";
      if (line.empty()) continue;
      const std::int64_t answered = std::max<std::int64_t>(each.acked, 1);
      if (found.size() > before) found.back().second.answer_end = answered;
      found.emplace_back(each.sent_at, Request{.flow = i,
                                               .begin = each.payload_begin,
                                               .answer_begin = answered,
                                               .answer_end = data_end(flow, 1),
                                               .line = std::string(line),
                                               .is_first = found.size() == before});
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Request> requests;
  for (auto& [at, request] : found) requests.push_back(std::move(request));
  return requests;
}

std::vector<Subject> subjects_of(const Index& index) {
  std::vector<Subject> subjects;
  for (const RunProgram& each : index.run.programs) subjects.push_back({each.name, each.command});
  const std::vector<Request> requests = requests_of(index);
  for (std::size_t i = 0; i < requests.size(); ++i)
    subjects.push_back({fmt::format("http {}", i + 1), requests[i].line});
  for (const Flow& flow : index.flows.all())
    subjects.push_back(
        {flow_name(index.run, flow), fmt::format("TCP, {} segments", flow.segments.size())});
  return subjects;
}

Explained explain(const Index& index, std::string_view what) {
  const RunFile& run = index.run;
  for (const RunProgram& each : run.programs)
    if (each.name == what) return explain_program(index, each);
  auto number = number_in(what, "packet ");
  if (!number) number = number_in(what, "");
  if (number) {
    if (*number >= 1 && *number <= run.packets.size()) return explain_packet(index, *number - 1);
    return std::unexpected(
        fmt::format("there is no packet {}; the file has 1 to {}", *number, run.packets.size()));
  }
  auto request = number_in(what, "http ");
  if (!request) request = number_in(what, "request ");
  if (request) {
    const std::vector<Request> requests = requests_of(index);
    if (*request >= 1 && *request <= requests.size())
      return explain_request(index, requests[*request - 1], *request);
    return std::unexpected(
        fmt::format("there is no request {}; the run has {}", *request, requests.size()));
  }
  if (what.find(':') != std::string_view::npos) return explain_named_flow(index, what);
  std::vector<std::string> names;
  for (const RunProgram& each : run.programs) names.push_back(each.name);
  return std::unexpected(
      fmt::format("there is no program `{}`; there are: {}", what, listed(names)));
}

}  // namespace lanyard::lab::why
