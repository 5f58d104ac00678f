// SPDX-License-Identifier: Apache-2.0
#include "cli/lab_page.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "lab/dhcp_host.hh"
#include "lab/link_change.hh"
#include "lab/units.hh"

namespace lanyard::cli {
namespace {

constexpr std::size_t nodes_shown_max = 24;

// Whether this port's IPv4 address is the lab's plan only: a DHCP client asks for it.
bool is_leased_on(const lab::Model& model, const lab::Plan& plan, std::uint32_t node,
                  std::uint32_t port) {
  return plan.nodes[node].ports.front() == port &&
         std::ranges::any_of(model.nodes[node].programs, lab::is_dhcp_client);
}

std::string addresses_text(const lab::PlannedPort& port, bool is_leased) {
  std::string text;
  for (const IpPrefix& address : port.addresses) {
    text += (text.empty() ? "" : ", ") + to_text(address);
    if (is_leased && address.address.is_v4()) text += " (asked for by DHCP)";
  }
  return text;
}

std::string name_servers_text(const lab::PlannedNode& node) {
  std::string text;
  for (const Endpoint& server : node.names.name_servers) {
    text += (text.empty() ? "" : ", ") + to_text(server.address);
  }
  return text;
}

std::string node_page(const lab::Model& model, const lab::Plan& plan, std::uint32_t number,
                      const Paper& paper) {
  const lab::NodeSpec& node = model.nodes[number];
  const lab::PlannedNode& planned = plan.nodes[number];
  std::string page =
      fmt::format("{}  {}\n", paint(paper, Ink::bold, node.name), kind_text(node.kind));
  for (const std::uint32_t index : planned.ports) {
    const lab::PlannedPort& port = plan.ports[index];
    page += fmt::format("  {:<6} {}", port.name, model.link_name(port.link));
    if (!port.mac.is_zero()) page += fmt::format(", {}", to_text(port.mac));
    const bool is_leased = is_leased_on(model, plan, number, index);
    if (!port.addresses.empty()) page += fmt::format(", {}", addresses_text(port, is_leased));
    page += "\n";
  }
  for (const stack::Route& route : planned.routes) {
    const bool is_leased = !planned.ports.empty() && route.destination.length == 0 &&
                           route.destination.address.is_v4() &&
                           is_leased_on(model, plan, number, planned.ports.front());
    page += fmt::format("  route  {}{}\n", route_text(route), is_leased ? " (by DHCP)" : "");
  }
  const std::string servers = name_servers_text(planned);
  if (!servers.empty()) page += fmt::format("  names  from {}\n", servers);
  return page;
}

}  // namespace

std::string_view kind_text(lab::NodeKind kind) {
  switch (kind) {
    case lab::NodeKind::host:
      return "host";
    case lab::NodeKind::kernel_host:
      return "host with the kernel's stack";
    case lab::NodeKind::switching:
      return "switch";
    case lab::NodeKind::router:
      return "router";
  }
  return "";
}

std::string route_text(const stack::Route& route) {
  const std::string to =
      route.destination.length == 0
          ? (route.destination.address.is_v4() ? "default" : "default (IPv6)")
          : to_text(IpPrefix{route.destination.network(), route.destination.length});
  if (route.gateway.is_unspecified()) return to + " on link";
  return fmt::format("{} via {}", to, to_text(route.gateway));
}

std::string nodes_page(const lab::Model& model, const lab::Plan& plan, const Paper& paper) {
  std::string page;
  const std::size_t shown = std::min(model.nodes.size(), nodes_shown_max);
  for (std::uint32_t i = 0; i < shown; ++i) page += node_page(model, plan, i, paper);
  if (shown < model.nodes.size()) {
    page += fmt::format("... and {} more nodes\n", model.nodes.size() - shown);
  }
  return page;
}

nlohmann::json nodes_json(const lab::Model& model, const lab::Plan& plan) {
  using nlohmann::json;
  json nodes = json::array();
  for (std::uint32_t i = 0; i < model.nodes.size(); ++i) {
    json ports = json::array();
    for (const std::uint32_t index : plan.nodes[i].ports) {
      const lab::PlannedPort& port = plan.ports[index];
      json addresses = json::array();
      for (const IpPrefix& address : port.addresses) addresses.push_back(to_text(address));
      ports.push_back({{"name", port.name},
                       {"link", model.link_name(port.link)},
                       {"mac", to_text(port.mac)},
                       {"mtu", port.mtu},
                       {"dhcp", is_leased_on(model, plan, i, index)},
                       {"addresses", addresses}});
    }
    json routes = json::array();
    for (const stack::Route& route : plan.nodes[i].routes) routes.push_back(route_text(route));
    nodes.push_back({{"name", model.nodes[i].name},
                     {"kind", kind_text(model.nodes[i].kind)},
                     {"ports", ports},
                     {"routes", routes}});
  }
  return nodes;
}

std::string quality_text(const lab::LinkQuality& quality) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (quality.delay > Duration::zero()) add(to_text(quality.delay));
  if (quality.rate_bits_per_second != 0) {
    add(lab::rate_text(quality.rate_bits_per_second));
    add(fmt::format("queue {}", bytes_text(quality.queue_bytes)));
  }
  if (quality.loss_parts_per_billion != 0) {
    add(lab::share_text(quality.loss_parts_per_billion) + " loss");
  }
  // What has no words of its own here stands as the lab file says it.
  lab::LinkChange others = lab::change_to(quality);
  others.delay.reset();
  others.rate_bits_per_second.reset();
  others.queue_bytes.reset();
  others.loss_parts_per_billion.reset();
  if (!others.is_empty()) add(lab::text_of(others));
  return text.empty() ? "as fast as it comes" : text;
}

std::string state_text(const lab::ProgramRow& program) {
  switch (program.state) {
    case lab::ProgramState::waiting:
      return "waiting to start";
    case lab::ProgramState::running:
      return program.is_paused ? "paused" : "running";
    case lab::ProgramState::exited:
      return fmt::format("exited {}", program.status);
    case lab::ProgramState::killed: {
      const char* name = strsignal(program.signal);
      return fmt::format("killed by signal {} ({})", program.signal, name == nullptr ? "?" : name);
    }
    case lab::ProgramState::not_started:
      return fmt::format("could not start: {}", printable(program.problem));
    case lab::ProgramState::stopped:
      return "stopped at the end of the lab";
  }
  return "";
}

}  // namespace lanyard::cli
