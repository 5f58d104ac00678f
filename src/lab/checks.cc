// SPDX-License-Identifier: Apache-2.0
#include "lab/checks.hh"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <optional>

#include "lab/nearest.hh"

namespace lanyard::lab {
namespace {

std::string signal_name(int signal) {
  switch (signal) {
    case SIGABRT:
      return "SIGABRT";
    case SIGBUS:
      return "SIGBUS";
    case SIGFPE:
      return "SIGFPE";
    case SIGHUP:
      return "SIGHUP";
    case SIGILL:
      return "SIGILL";
    case SIGINT:
      return "SIGINT";
    case SIGKILL:
      return "SIGKILL";
    case SIGPIPE:
      return "SIGPIPE";
    case SIGSEGV:
      return "SIGSEGV";
    case SIGSYS:
      return "SIGSYS";
    case SIGTERM:
      return "SIGTERM";
    case SIGTRAP:
      return "SIGTRAP";
    default:
      return fmt::format("signal {}", signal);
  }
}

std::string_view sign_of(Comparison comparison) {
  switch (comparison) {
    case Comparison::less:
      return "<";
    case Comparison::less_or_equal:
      return "<=";
    case Comparison::equal:
      return "==";
    case Comparison::not_equal:
      return "!=";
    case Comparison::greater_or_equal:
      return ">=";
    case Comparison::greater:
      return ">";
  }
  return "?";
}

// The first program called `subject`, or the first of the host called so.
const ProgramRow* program_of(const Facts& facts, std::string_view subject) {
  for (const ProgramRow& row : facts.programs)
    if (!row.is_service && row.name == subject) return &row;
  for (const ProgramRow& row : facts.programs)
    if (!row.is_service && lower(facts.model->nodes[row.node].name) == lower(subject)) return &row;
  return nullptr;
}

bool has_ended(const ProgramRow& row) {
  return row.state == ProgramState::exited || row.state == ProgramState::killed;
}

Verdict judge_exits(const Facts& facts, const CheckSpec& spec) {
  Verdict verdict{.text = spec.text, .mark = spec.mark, .at = facts.now};
  const ProgramRow* row = program_of(facts, spec.check.subject);
  if (row == nullptr) {
    verdict.happened = fmt::format("{} ran no program", spec.check.subject);
    return verdict;
  }
  verdict.is_good = row->state == ProgramState::exited && row->status == spec.check.number;
  verdict.happened = fmt::format("{} {}", row->name, how_it_ended(*row));
  if (has_ended(*row)) verdict.at = row->ended;
  return verdict;
}

Verdict judge_ends(const Facts& facts, const CheckSpec& spec) {
  Verdict verdict = judge_exits(facts, spec);
  const ProgramRow* row = program_of(facts, spec.check.subject);
  verdict.is_good =
      row != nullptr && has_ended(*row) && row->ended.since_start() < spec.check.limit;
  return verdict;
}

Verdict judge_prints(const Facts& facts, const CheckSpec& spec) {
  Verdict verdict{.text = spec.text, .mark = spec.mark, .at = facts.now};
  const ProgramRow* row = program_of(facts, spec.check.subject);
  const bool wants_nothing = spec.check.kind == CheckKind::prints_nothing;
  std::string printed;
  for (const ProgramOutput& output : facts.output) {
    if (row == nullptr || output.program != row->id) continue;
    printed += output.text;
    const bool is_it = wants_nothing || printed.find(spec.check.text) != std::string::npos;
    if (!is_it) continue;
    verdict.at = output.at;
    verdict.is_good = !wants_nothing;
    verdict.happened = wants_nothing
                           ? fmt::format("{} printed \"{}\"", row->name, output.text.substr(0, 60))
                           : fmt::format("{} printed it", row->name);
    return verdict;
  }
  verdict.is_good = wants_nothing && row != nullptr;
  if (row == nullptr || row->state == ProgramState::not_started)
    verdict.happened = fmt::format("{} did not run", spec.check.subject);
  else if (printed.empty())
    verdict.happened = fmt::format("{} printed nothing", row->name);
  else
    verdict.happened = fmt::format("{} printed {} bytes without it, and {}", row->name,
                                   printed.size(), how_it_ended(*row));
  return verdict;
}

std::optional<TrafficKind> kind_of(std::string_view counter) {
  if (counter == "packets arp") return TrafficKind::arp;
  if (counter == "packets ndp") return TrafficKind::ndp;
  if (counter == "packets icmp") return TrafficKind::icmp;
  if (counter == "packets tcp") return TrafficKind::tcp;
  if (counter == "packets udp") return TrafficKind::udp;
  if (counter == "packets dns") return TrafficKind::dns;
  if (counter == "tcp resets") return TrafficKind::tcp_reset;
  return {};
}

std::uint64_t from_traffic(const Traffic& traffic, std::string_view counter) {
  if (counter == "packets") return traffic.packets;
  if (counter == "bytes") return traffic.bytes;
  const auto kind = kind_of(counter);
  return kind ? traffic.of(*kind) : 0;
}

// "drops" or "drops queue full".
std::uint64_t from_drops(const DropBook& drops, std::string_view counter) {
  std::uint64_t sum = 0;
  for (std::size_t i = 1; i < drop_reasons; ++i)
    if (counter == "drops" || counter.substr(6) == to_text(static_cast<DropReason>(i)))
      sum += drops[i];
  return sum;
}

std::uint64_t from_node(const NodeFacts& node, std::string_view counter) {
  if (counter.starts_with("drops")) return from_drops(node.drops, counter);
  if (counter == "tcp retransmits") return node.tcp_retransmits;
  if (counter == "tcp connections") return node.tcp_connections;
  return from_traffic(node.sent, counter);
}

struct LinkSubject {
  std::size_t link = 0;
  bool a_to_b = true, b_to_a = true;
};

std::uint64_t from_link(const Facts& facts, const LinkSubject& subject, std::string_view counter) {
  const LinkRow& row = facts.links[subject.link];
  const auto& traffic = facts.link_traffic[subject.link];
  const bool is_drops = counter.starts_with("drops");
  std::uint64_t sum = 0;
  if (subject.a_to_b)
    sum += is_drops ? from_drops(row.a_counters.drops, counter) : from_traffic(traffic[0], counter);
  if (subject.b_to_a)
    sum += is_drops ? from_drops(row.b_counters.drops, counter) : from_traffic(traffic[1], counter);
  return sum;
}

// The link, or the direction of one, that a subject such as "r1 -- dc" or "r1 -> dc" names.
std::optional<LinkSubject> link_of(const Facts& facts, std::string_view subject) {
  const std::size_t middle = subject.find(" -");
  if (middle == std::string_view::npos || subject.size() < middle + 4) return {};
  for (std::size_t i = 0; i < facts.model->links.size(); ++i) {
    const LinkSpec& link = facts.model->links[i];
    const std::string a = lower(facts.model->nodes[link.a.node].name);
    const std::string b = lower(facts.model->nodes[link.b.node].name);
    const std::string first = lower(subject.substr(0, middle)),
                      second = lower(subject.substr(middle + 4));
    const bool is_one_way = subject.substr(middle + 1, 2) == "->";
    if (first == a && second == b) return LinkSubject{i, true, !is_one_way};
    if (first == b && second == a) return LinkSubject{i, !is_one_way, true};
  }
  return {};
}

std::uint64_t value_of(const Facts& facts, const Check& check) {
  if (const auto link = link_of(facts, check.subject))
    return from_link(facts, *link, check.counter);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < facts.nodes.size(); ++i)
    if (check.subject.empty() || lower(facts.model->nodes[i].name) == lower(check.subject))
      sum += from_node(facts.nodes[i], check.counter);
  if (check.subject.empty() && check.counter.starts_with("drops"))
    for (std::size_t i = 0; i < facts.links.size(); ++i)
      sum += from_link(facts, {.link = i}, check.counter);
  return sum;
}

Verdict judge_check(const Facts& facts, const CheckSpec& spec) {
  switch (spec.check.kind) {
    case CheckKind::exits:
      return judge_exits(facts, spec);
    case CheckKind::ends_before:
      return judge_ends(facts, spec);
    case CheckKind::prints:
    case CheckKind::prints_nothing:
      return judge_prints(facts, spec);
    case CheckKind::counter:
      return judge_counter(facts, spec);
  }
  return {};
}

// What a program of the lab file promised, said or unsaid. Nothing to say of one that may run as
// long as the lab.
void judge_program(const ProgramSpec& spec, const ProgramRow& row, Instant now,
                   std::vector<Verdict>& verdicts) {
  Verdict verdict{
      .mark = spec.mark, .happened = fmt::format("{} {}", row.name, how_it_ended(row)), .at = now};
  if (has_ended(row)) verdict.at = row.ended;
  if (spec.expected_status) {
    verdict.text = fmt::format("{} is to exit {}", row.name, *spec.expected_status);
    verdict.is_good = row.state == ProgramState::exited && row.status == *spec.expected_status;
    verdicts.push_back(std::move(verdict));
    return;
  }
  const bool is_bad =
      row.state == ProgramState::not_started ||
      (!spec.any_status && ((row.state == ProgramState::killed && !row.was_told_to_end) ||
                            (row.state == ProgramState::exited && row.status != 0)));
  if (!is_bad) return;
  verdict.text = row.state == ProgramState::not_started
                     ? fmt::format("{} is to run", row.name)
                     : fmt::format("{} is not to fail", row.name);
  verdicts.push_back(std::move(verdict));
}

}  // namespace

Verdict judge_counter(const Facts& facts, const CheckSpec& spec) {
  const std::uint64_t value = value_of(facts, spec.check);
  Verdict verdict{.text = spec.text, .mark = spec.mark, .at = facts.now};
  verdict.is_good =
      compare(static_cast<std::int64_t>(value), spec.check.comparison, spec.check.number);
  const std::string where =
      spec.check.subject.empty() ? "" : fmt::format(" ({})", spec.check.subject);
  verdict.happened = fmt::format(
      "{}{} is {}{}{}", spec.check.counter, where, value,
      spec.check.limit == Duration::zero() ? "" : fmt::format(" by {}", to_text(spec.check.limit)),
      verdict.is_good
          ? ""
          : fmt::format(", not {} {}", sign_of(spec.check.comparison), spec.check.number));
  return verdict;
}

bool compare(std::int64_t a, Comparison comparison, std::int64_t b) {
  switch (comparison) {
    case Comparison::less:
      return a < b;
    case Comparison::less_or_equal:
      return a <= b;
    case Comparison::equal:
      return a == b;
    case Comparison::not_equal:
      return a != b;
    case Comparison::greater_or_equal:
      return a >= b;
    case Comparison::greater:
      return a > b;
  }
  return false;
}

namespace {

// What the status says if a shell gave it, as commands of a lab file are a shell's (POSIX.1-2017,
// XCU 2.8.2); nothing of other statuses.
std::string what_a_shell_means(const ProgramRow& program) {
  constexpr int not_runnable = 126, not_found = 127, signalled = 128, signal_last = 64;
  if (program.status == not_found) return fmt::format(" (`{}`: no such program)", program.command);
  if (program.status == not_runnable)
    return fmt::format(" (`{}`: cannot be executed)", program.command);
  if (program.status > signalled && program.status <= signalled + signal_last)
    return fmt::format(" (`{}`: killed by {})", program.command,
                       signal_name(program.status - signalled));
  return "";
}

}  // namespace

std::string how_it_ended(const ProgramRow& program) {
  switch (program.state) {
    case ProgramState::waiting:
      return "was not started yet";
    case ProgramState::running:
    case ProgramState::stopped:
      return "was still running";
    case ProgramState::not_started:
      return "did not start: " + program.problem;
    case ProgramState::killed:
      return fmt::format("(`{}`) was killed by {}", program.command, signal_name(program.signal));
    case ProgramState::exited:
      return fmt::format("exited {}{}", program.status, what_a_shell_means(program));
  }
  return "";
}

std::vector<Verdict> judge(const Facts& facts) {
  std::vector<Verdict> verdicts;
  std::map<std::string_view, const ProgramRow*> rows;
  for (const ProgramRow& row : facts.programs)
    if (!row.is_service) rows.emplace(row.name, &row);
  for (const NodeSpec& node : facts.model->nodes)
    for (const ProgramSpec& spec : node.programs)
      if (const auto row = rows.find(spec.name); row != rows.end())
        judge_program(spec, *row->second, facts.now, verdicts);
  for (std::size_t i = 0; i < facts.model->checks.size(); ++i) {
    const CheckSpec& spec = facts.model->checks[i];
    auto watched = judge_watched(facts, spec, i);
    if (i < facts.settled.size() && facts.settled[i]) watched = facts.settled[i];
    verdicts.push_back(watched ? std::move(*watched) : judge_check(facts, spec));
  }
  return verdicts;
}

}  // namespace lanyard::lab
