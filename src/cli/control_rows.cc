// SPDX-License-Identifier: Apache-2.0
#include "cli/control_rows.hh"

#include <fmt/format.h>
#include <netinet/in.h>

#include <nlohmann/json.hpp>

#include "cli/lab_page.hh"

namespace lanyard::cli {
namespace {

using nlohmann::json;
using MaybeNode = std::optional<std::uint32_t>;

json program_rows(const lab::World& world, MaybeNode node) {
  json rows = json::array();
  for (const lab::ProgramRow& program : world.programs()) {
    if (node.has_value() && program.node != *node) continue;
    json row{{"node", world.model().nodes[program.node].name},
             {"program", program.name},
             {"id", static_cast<std::uint32_t>(program.id)},
             {"state", state_text(program)},
             {"kind", program.is_service    ? "service"
                      : program.is_built_in ? "built in"
                                            : "unmodified"},
             {"command", program.command},
             {"is_live", program.is_live}};
    if (program.state != lab::ProgramState::waiting) {
      row["started_ns"] = program.started.count_ns();
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

json direction_json(const lab::LinkQuality& quality, const lab::DirectionCounters& counters) {
  std::uint64_t drops = 0;
  json reasons = json::object();
  for (std::size_t i = 0; i < drop_reasons; ++i) {
    if (counters.drops[i] == 0) continue;
    drops += counters.drops[i];
    reasons[std::string(to_text(static_cast<DropReason>(i)))] = counters.drops[i];
  }
  return {{"quality", quality_text(quality)},
          {"frames", counters.frames},
          {"bytes", counters.bytes},
          {"drops", drops},
          {"drop_reasons", reasons}};
}

json link_rows(const lab::World& world, MaybeNode node) {
  json rows = json::array();
  const auto links = world.links();
  for (std::size_t i = 0; i < links.size(); ++i) {
    const lab::LinkSpec& spec = world.model().links[i];
    if (node.has_value() && spec.a.node != *node && spec.b.node != *node) continue;
    rows.push_back({{"link", links[i].name},
                    {"up", links[i].is_up},
                    {"forth", direction_json(links[i].a_to_b, links[i].a_counters)},
                    {"back", direction_json(links[i].b_to_a, links[i].b_counters)}});
  }
  return rows;
}

std::string interface_name(stack::Stack& stack, std::uint32_t index) {
  for (const stack::InterfaceRow& row : stack.interfaces()) {
    if (row.index == index) return row.name;
  }
  return fmt::format("{}", index);
}

json route_rows(stack::Stack& stack, const std::string& node) {
  json rows = json::array();
  for (const stack::Route& route : stack.routes()) {
    const IpPrefix to{route.destination.network(), route.destination.length};
    rows.push_back({{"node", node},
                    {"to", to_text(to)},
                    {"via", route.gateway.is_unspecified() ? "" : to_text(route.gateway)},
                    {"interface", interface_name(stack, route.interface)},
                    {"metric", route.metric}});
  }
  return rows;
}

std::string_view type_text(const socket::SocketRow& row) {
  const bool is_v4 = row.local.address.is_v4();
  switch (row.type) {
    case socket::Type::stream:
      return is_v4 ? "tcp" : "tcp6";
    case socket::Type::datagram:
      if (row.protocol != IPPROTO_UDP) return is_v4 ? "icmp" : "icmp6";
      return is_v4 ? "udp" : "udp6";
    case socket::Type::raw:
      return is_v4 ? "raw" : "raw6";
  }
  return "";
}

json socket_rows(const socket::Sockets& sockets, const std::string& node) {
  json rows = json::array();
  for (const socket::SocketRow& row : sockets.rows()) {
    rows.push_back({{"node", node},
                    {"type", type_text(row)},
                    {"state", row.state},
                    {"receive_queue", row.receive_queue},
                    {"send_queue", row.send_queue},
                    {"local", to_text(row.local)},
                    {"peer", to_text(row.peer)}});
  }
  return rows;
}

json neighbour_rows(stack::Stack& stack, const std::string& node) {
  json rows = json::array();
  for (const stack::NeighbourRow& row : stack.neighbours()) {
    rows.push_back({{"node", node},
                    {"address", to_text(row.address)},
                    {"mac", row.mac.is_zero() ? "" : to_text(row.mac)},
                    {"interface", interface_name(stack, row.interface)},
                    {"state", row.state}});
  }
  return rows;
}

json node_rows(lab::World& world, Do what, MaybeNode wanted) {
  json rows = json::array();
  for (std::uint32_t node = 0; node < world.model().nodes.size(); ++node) {
    if (wanted.has_value() && node != *wanted) continue;
    stack::Stack* stack = world.stack(node);
    if (stack == nullptr) continue;
    const std::string& name = world.model().nodes[node].name;
    json more = what == Do::routes    ? route_rows(*stack, name)
                : what == Do::sockets ? socket_rows(*world.sockets(node), name)
                                      : neighbour_rows(*stack, name);
    for (json& row : more) rows.push_back(std::move(row));
  }
  return rows;
}

// A cell: the text of a value, whatever its type.
std::string cell(const json& row, const char* key) {
  const auto found = row.find(key);
  if (found == row.end()) return "";
  if (found->is_string()) return printable(found->get<std::string>());
  if (found->is_boolean()) return found->get<bool>() ? "up" : "cut";
  if (found->is_number_unsigned()) return grouped(found->get<std::uint64_t>());
  return found->dump();
}

Table plain_table(const json& rows,
                  const std::vector<std::pair<const char*, const char*>>& columns) {
  std::vector<std::string> heading;
  for (const auto& [title, key] : columns) heading.emplace_back(title);
  Table table(heading);
  for (const json& row : rows) {
    std::vector<std::string> cells;
    for (const auto& [title, key] : columns) cells.push_back(cell(row, key));
    table.add(std::move(cells));
  }
  return table;
}

Table link_table(const json& rows) {
  Table table({"LINK", "STATE", "WAY", "QUALITY", "FRAMES", "BYTES", "DROPS"});
  for (const json& row : rows) {
    for (const char* way : {"forth", "back"}) {
      const auto found = row.find(way);
      if (found == row.end() || !found->is_object()) continue;
      const bool is_first = std::string_view(way) == "forth";
      table.add({is_first ? cell(row, "link") : "", is_first ? cell(row, "up") : "",
                 is_first ? "->" : "<-", cell(*found, "quality"), cell(*found, "frames"),
                 cell(*found, "bytes"), cell(*found, "drops")});
    }
  }
  return table;
}

}  // namespace

json rows_of(lab::World& world, Do what, MaybeNode node) {
  if (what == Do::ps) return program_rows(world, node);
  if (what == Do::links) return link_rows(world, node);
  return node_rows(world, what, node);
}

std::string why_no_rows(const lab::World& world, Do what, std::uint32_t node) {
  const lab::NodeSpec& spec = world.model().nodes[node];
  const bool is_of_stack = what == Do::routes || what == Do::sockets || what == Do::arp;
  if (spec.kind == lab::NodeKind::switching && (is_of_stack || what == Do::ps))
    return fmt::format("{} is a switch: it has no {}", spec.name,
                       what == Do::routes    ? "routes"
                       : what == Do::sockets ? "sockets"
                       : what == Do::arp     ? "neighbours"
                                             : "programs");
  if (spec.kind == lab::NodeKind::kernel_host && is_of_stack)
    return fmt::format("{0} has the kernel's stack: `lanyard exec {0} -- {1}`", spec.name,
                       what == Do::routes    ? "ip route"
                       : what == Do::sockets ? "ss -tuna"
                                             : "ip neigh");
  return is_of_stack ? world.why_down(node) : "";
}

std::string rows_table(Do what, const json& rows, const Paper& paper) {
  if (what == Do::links) return link_table(rows).text(paper);
  if (what == Do::ps) {
    return plain_table(rows, {{"NODE", "node"},
                              {"PROGRAM", "program"},
                              {"STATE", "state"},
                              {"KIND", "kind"},
                              {"COMMAND", "command"}})
        .text(paper);
  }
  if (what == Do::routes) {
    return plain_table(rows, {{"NODE", "node"},
                              {"TO", "to"},
                              {"VIA", "via"},
                              {"INTERFACE", "interface"},
                              {"METRIC", "metric"}})
        .text(paper);
  }
  if (what == Do::sockets) {
    return plain_table(rows, {{"NODE", "node"},
                              {"TYPE", "type"},
                              {"STATE", "state"},
                              {"RECV-Q", "receive_queue"},
                              {"SEND-Q", "send_queue"},
                              {"LOCAL", "local"},
                              {"PEER", "peer"}})
        .text(paper);
  }
  return plain_table(rows, {{"NODE", "node"},
                            {"ADDRESS", "address"},
                            {"MAC", "mac"},
                            {"INTERFACE", "interface"},
                            {"STATE", "state"}})
      .text(paper);
}

}  // namespace lanyard::cli
