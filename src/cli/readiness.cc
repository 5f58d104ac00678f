// SPDX-License-Identifier: Apache-2.0
#include "cli/readiness.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace lanyard::cli {
namespace {

constexpr Port dns_port = 53;

bool is_to_serve(const lab::ProgramSpec& program) {
  return program.at == Duration::zero() && !program.expected_status && !program.any_status;
}

std::string called(const lab::NodeSpec& node, const lab::ProgramSpec& program) {
  return fmt::format("{}'s `{}`", node.name, program.command);
}

}  // namespace

const lab::ProgramRow* Readiness::row_of(const lab::ProgramSpec& program) const {
  const auto rows = world_.programs();
  const auto found = std::ranges::find_if(rows, [&](const lab::ProgramRow& row) {
    return !row.is_service && row.name == program.name;
  });
  return found == rows.end() ? nullptr : &*found;
}

// The lab's own name server is no program of the file.
std::size_t Readiness::listening_sockets(std::uint32_t node) const {
  const bool serves_names = world_.plan().nodes[node].serves_names;
  const auto rows = world_.sockets(node)->rows();
  return static_cast<std::size_t>(std::ranges::count_if(rows, [&](const socket::SocketRow& row) {
    const bool waits = row.state == "LISTEN" || row.state == "UNCONN";
    return waits && row.local.port != 0 && !(serves_names && row.local.port == dns_port);
  }));
}

std::vector<std::string> Readiness::missing() const {
  std::vector<std::string> names;
  const lab::Model& model = world_.model();
  for (std::uint32_t node = 0; node < model.nodes.size(); ++node) {
    std::vector<std::string> running;
    for (const lab::ProgramSpec& program : model.nodes[node].programs) {
      if (!is_to_serve(program)) continue;
      const lab::ProgramRow* const row = row_of(program);
      if (row == nullptr || row->state == lab::ProgramState::waiting)
        names.push_back(called(model.nodes[node], program));
      else if (row->state == lab::ProgramState::running)
        running.push_back(fmt::format("`{}`", program.command));
    }
    if (running.empty() || world_.sockets(node) == nullptr) continue;
    const std::size_t listening = listening_sockets(node);
    if (listening >= running.size()) continue;
    // Which of them listens is not known here, and nobody is to be blamed who does.
    if (listening == 0)
      for (const std::string& command : running)
        names.push_back(fmt::format("{}'s {}", model.nodes[node].name, command));
    else
      names.push_back(fmt::format("{} of {}'s {} programs ({})", running.size() - listening,
                                  model.nodes[node].name, running.size(),
                                  fmt::join(running, ", ")));
  }
  return names;
}

std::vector<std::string> Readiness::failed() const {
  std::vector<std::string> names;
  for (const lab::NodeSpec& node : world_.model().nodes)
    for (const lab::ProgramSpec& program : node.programs) {
      const lab::ProgramRow* const row = is_to_serve(program) ? row_of(program) : nullptr;
      if (row == nullptr) continue;
      const std::string name = called(node, program);
      if (row->state == lab::ProgramState::not_started)
        names.push_back(row->problem);
      else if (row->state == lab::ProgramState::killed)
        names.push_back(fmt::format("{} was ended by signal {}", name, row->signal));
      else if (row->state == lab::ProgramState::exited && row->status != 0)
        names.push_back(fmt::format("{} ended with {}", name, row->status));
    }
  return names;
}

}  // namespace lanyard::cli
