// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "application/dns_server.hh"
#include "lab/dhcp_host.hh"
#include "lab/replay/input_log.hh"
#include "lab/world_state.hh"

namespace lanyard::lab {
World::State::State(const Model& of, const Plan& planned, WorldOptions given)
    : model(of),
      plan(planned),
      options(std::move(given)),
      seed(of.seed),
      is_virtual(!options.in_real_time && time_of(of) == TimeMode::virtual_),
      is_seen(options.recorder != nullptr || options.observer != nullptr) {
  if (model.until != Duration::infinite()) limit = Instant::start() + model.until;
  hear_events();
  if (is_virtual || options.recorder == nullptr) return;
  inputs = std::make_unique<InputLog>(*options.recorder, now);
  inputs->add(InputKind::began, {.numbers = {options.keeps_running ? 1 : 0}});
}

World::State::~State() {
  // What unwinds now is nobody's event any more.
  trace.set_sink(nullptr);
  phase = WorldPhase::over;
}

void World::State::build() {
  is_built = true;
  if (options.recorder != nullptr) options.recorder->begin(model, plan);
  machines.resize(model.nodes.size());
  faults.begin();
  watch =
      std::make_unique<Watch>(model, [this](const std::string& end) { return prefixes_of(end); });
  if (!watch->is_on()) watch.reset();
  for (const PlannedPort& port : plan.ports) mtu_of_port.push_back(port.mtu);
  build_links();
  for (std::uint32_t node = 0; node < machines.size(); ++node) build_machine(node);
  add_name_servers();
  add_programs();
  timeline.schedule_all();
  schedule_checks();
  look_for_end();
}

// Counters that are looked at before the end.
void World::State::schedule_checks() {
  settled.resize(model.checks.size());
  for (std::uint32_t i = 0; i < settled.size(); ++i) {
    const Check& check = model.checks[i].check;
    const bool is_watched =
        check.counter == "progress" || check.counter.find(": ") != std::string::npos;
    if (check.kind == CheckKind::counter && !is_watched && check.limit != Duration::zero())
      schedule.add(Instant::start() + check.limit, 0, DueKind::check, i);
  }
}

void World::State::build_machine(std::uint32_t node) {
  Machine& machine = machines[node];
  switch (model.nodes[node].kind) {
    case NodeKind::host:
    case NodeKind::router:
      // Until somebody looks at it, it does nothing: no timer runs, no frame is sent.
      machine.began = machine.clock.read(now);
      machine.make = [this, node] { build_stack(node); };  // fits a std::function without memory
      machine.stack.make_with(machine.make);
      machine.sockets.make_with(machine.make);
      machine.tasks.make_with(machine.make);
      break;
    case NodeKind::switching:
      machine.bridge = std::make_unique<link::Bridge>();
      for (std::size_t i = 0; i < plan.nodes[node].ports.size(); ++i) machine.bridge->add_port();
      break;
    case NodeKind::kernel_host:
      build_kernel_host(node);
      break;
  }
  machine.launch_host = std::make_unique<LaunchHost>();
  machine.launch_host->name = model.nodes[node].name;
  machine.launch_host->names = &plan.nodes[node].names;
  machine.launch_host->touched = [this, node] { touch(node); };
}

void World::State::build_stack(std::uint32_t node) {
  Machine& machine = machines[node];
  const PlannedNode& planned = plan.nodes[node];
  stack::Config config;
  config.name = model.nodes[node].name;
  config.internet.forwarding = model.nodes[node].kind == NodeKind::router;
  // A machine that starts again draws other numbers than before.
  Seed dice = seed.branch("node " + config.name);
  if (machine.boots > 0) dice = dice.branch(fmt::format("boot {}", machine.boots));
  machine.stack = std::make_unique<stack::Stack>(config, dice, node, &trace);
  for (const std::uint32_t index : planned.ports) {
    const PlannedPort& port = plan.ports[index];
    stack::InterfaceConfig interface;
    interface.name = port.name;
    interface.mac = port.mac;
    interface.mtu = mtu_of_port[index];
    // Added and cut, if at all, by the link (world_frames.cc); in virtual time cut here and now.
    interface.takes_checksums = true;
    if (!is_virtual) interface.super_segment_bytes_max = super_segment_bytes;
    interface.solicits_routers = false;  // the plan has said it all, and an idle lab is to be still
    const std::uint32_t number = machine.stack->add_interface(interface);
    for (const IpPrefix& address : port.addresses)
      machine.stack->add_address(machine.began, number, address);
  }
  for (const stack::Route& route : planned.routes) machine.stack->add_route(route);
  machine.sockets = std::make_unique<socket::Sockets>(*machine.stack);
  machine.tasks = std::make_unique<Tasks>();
  if (options.recorder != nullptr || options.observer != nullptr) {
    machine.calls =
        std::make_unique<CallLog>(CallLog::Host{node, machine.boots, *machine.sockets,
                                                *machine.tasks, machine.owners, inputs.get()},
                                  now, trace);
    machine.sockets->set_waker(socket::Handle::none, machine.calls.get());
  }
  touch(node);
}

void World::State::build_kernel_host(std::uint32_t node) {
  Machine& machine = machines[node];
  KernelHost host;
  host.name = model.nodes[node].name;
  host.routes = plan.nodes[node].routes;
  host.names = &plan.nodes[node].names;
  for (const std::uint32_t index : plan.nodes[node].ports) {
    const PlannedPort& port = plan.ports[index];
    host.ports.push_back(
        {port.name, port.mac, port.mtu, port.addresses, [this, index](Packet frame) {
           if (inputs != nullptr) inputs->frame(index, frame);
           injected.push_back({index, std::move(frame)});
         }});
  }
  if (options.launcher == nullptr) {
    machine.problem = fmt::format("{}: hosts with the kernel's stack need a launcher", host.name);
    return;
  }
  auto made = options.launcher->make_kernel_host(host);
  if (made)
    machine.kernel_ports = std::move(*made);
  else
    machine.problem = made.error();
  if (inputs != nullptr) inputs->add(InputKind::hosted, {.whom = node, .text = machine.problem});
}

void World::State::build_links() {
  direction_of_port.resize(plan.ports.size());
  position_of_port.resize(plan.ports.size());
  for (const PlannedNode& node : plan.nodes)
    for (std::uint32_t i = 0; i < node.ports.size(); ++i) position_of_port[node.ports[i]] = i;
  for (std::uint32_t i = 0; i < model.links.size(); ++i) {
    const LinkSpec& link = model.links[i];
    const Seed dice = seed.branch("link " + model.link_name(i));
    const std::string& a = model.nodes[link.a.node].name;
    const std::string& b = model.nodes[link.b.node].name;
    directions.push_back(
        std::make_unique<Direction>(link.a_to_b, dice.branch(a + " -> " + b), *this));
    directions.push_back(
        std::make_unique<Direction>(link.b_to_a, dice.branch(b + " -> " + a), *this));
  }
  arrivals.resize(directions.size());
  for (const Action& action : model.timeline) {
    if (action.kind != Action::Kind::set) continue;
    if (action.a_to_b) directions[2 * action.link]->prepare(action.change);
    if (action.b_to_a) directions[2 * action.link + 1]->prepare(action.change);
  }
  for (std::uint32_t i = 0; i < plan.ports.size(); ++i) {
    const PlannedPort& port = plan.ports[i];
    const std::uint32_t out = 2 * port.link + (port.is_a ? 0 : 1);
    direction_of_port[i] = out;
    directions[out]->index = out;
    directions[out]->from_port = i;
    directions[out]->bytes_max = model.links[port.link].mtu + ethernet_header_and_tag;
    directions[out ^ 1U]->to_port = i;
    directions[out ^ 1U]->to_node = port.node;
  }
}

// One zone for all of them: it is read only.
void World::State::add_name_servers() {
  const auto server = std::make_shared<socket::Program>(application::dns_server(faults.zone()));
  for (std::uint32_t node = 0; node < machines.size(); ++node) {
    if (!plan.nodes[node].serves_names || machines[node].stack == nullptr) continue;
    ProgramRow row;
    row.name = "dns";
    row.command = model.nodes[node].kind == NodeKind::router ? "dns serve" : "dns serve 127.0.0.53";
    row.is_built_in = true;
    row.is_service = true;
    const ProgramId id = add_program(node, std::move(row), {}, nullptr);
    const std::uint32_t index = static_cast<std::uint32_t>(id) - 1;
    programs[index].body = [server](socket::Process& process,
                                    std::span<const std::string> arguments) {
      return (*server)(process, arguments);
    };
    start_program(index);
  }
}

void World::State::add_programs() {
  bool is_any_awaited = false;
  for (std::uint32_t node = 0; node < machines.size(); ++node)
    for (const ProgramSpec& spec : model.nodes[node].programs) {
      ProgramRow row;
      row.name = spec.name;
      row.command = spec.command;
      row.is_built_in = machines[node].stack != nullptr && is_built_in(model, spec.command);
      // A lab does not wait for the end of an address.
      const bool is_endless = is_dhcp_client(spec);
      row.is_awaited = !is_endless && (spec.expected_status.has_value() || spec.any_status);
      for (const CheckSpec& check : model.checks)
        if (check.check.subject == spec.name &&
            (check.check.kind == CheckKind::exits || check.check.kind == CheckKind::ends_before))
          row.is_awaited = true;
      is_any_awaited = is_any_awaited || row.is_awaited;
      Launch launch;
      launch.command = {spec.command};
      launch.environment = spec.environment;
      launch.directory = spec.directory;
      const ProgramId id = add_program(node, std::move(row), std::move(launch), nullptr);
      programs.back().due = spec.when.empty() ? Instant::start() + spec.at : Instant::never();
      if (!spec.when.empty()) continue;
      schedule.add(Instant::start() + spec.at, node + 1, DueKind::start,
                   static_cast<std::uint32_t>(id) - 1);
    }
  prepare_hosts();
  if (is_any_awaited) return;
  for (ProgramRow& row : rows)
    row.is_awaited = !row.is_service && !row.name.ends_with(dhcp_client_suffix);
}

// Those on which the launcher is to start something at once are made side by side.
void World::State::prepare_hosts() {
  if (options.launcher == nullptr) return;
  std::vector<const LaunchHost*> hosts;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Machine& machine = machines[rows[i].node];
    const bool is_due = programs[i].due == Instant::start() || programs[i].due == Instant::never();
    if (rows[i].is_built_in || !is_due) continue;
    if (machine.stack == nullptr || machine.launch_host->sockets != nullptr) continue;
    machine.launch_host->sockets = machine.sockets.get();
    hosts.push_back(machine.launch_host.get());
  }
  options.launcher->prepare(hosts);
}

}  // namespace lanyard::lab
