// SPDX-License-Identifier: Apache-2.0
#include "lab/world_faults.hh"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "lab/action_text.hh"
#include "lab/nearest.hh"
#include "lab/world_state.hh"

namespace lanyard::lab {

void Faults::begin() {
  addresses_.resize(world_.model.nodes.size());
  for (const PlannedPort& port : world_.plan.ports)
    addresses_[port.node].insert(addresses_[port.node].end(), port.addresses.begin(),
                                 port.addresses.end());
  zone_ = std::make_shared<application::Zone>(world_.plan.zone);
}

void Faults::act(const Action& action) {
  const bool heals = action.kind == Action::Kind::heal || action.kind == Action::Kind::join ||
                     action.kind == Action::Kind::heal_all;
  if (heals && world_.watch != nullptr) world_.watch->on_healed(world_.now);
  switch (action.kind) {
    case Action::Kind::cut:
    case Action::Kind::heal:
      return set_up(action.link, action.kind == Action::Kind::heal, action.a_to_b, action.b_to_a);
    case Action::Kind::set:
      return change(action.link, action.change, action.a_to_b, action.b_to_a);
    case Action::Kind::heal_all:
      heal_all();
      break;
    case Action::Kind::partition:
    case Action::Kind::join:
      if (action.a_to_b) part(action.from, action.to, action.kind == Action::Kind::partition);
      if (action.b_to_a) part(action.to, action.from, action.kind == Action::Kind::partition);
      break;
    case Action::Kind::crash:
      crash(action.node);
      break;
    case Action::Kind::restart:
      restart(action.node);
      break;
    case Action::Kind::kill:
    case Action::Kind::pause:
    case Action::Kind::resume:
    case Action::Kind::start:
      on_programs(action);
      break;
    case Action::Kind::address:
      change_address(action);
      break;
    case Action::Kind::clock:
      // Unmodified programs have this machine's clock: whoever loads a lab in real time refuses it.
      if (!world_.is_virtual) return;
      world_.machines[action.node].clock.set_rate(world_.now, action.clock_parts);
      world_.touch(action.node);
      break;
    case Action::Kind::step:
      if (!world_.is_virtual) return;
      world_.machines[action.node].clock.step(world_.now, action.clock_step);
      world_.touch(action.node);
      break;
    case Action::Kind::name: {
      std::vector<IpAddress> all;
      for (const IpPrefix& each : action.addresses) all.push_back(each.address);
      zone_->set(action.program, all);
      break;
    }
  }
  world_.trace.emit(world_.now, action.node, EventKind::note, {}, text_of(action, world_.model));
}

void Faults::set_up(std::uint32_t link, bool is_up, bool a_to_b, bool b_to_a) {
  for (std::uint32_t way = 0; way < 2; ++way) {
    Direction& direction = *world_.directions[2 * link + way];
    if ((way == 0 && !a_to_b) || (way == 1 && !b_to_a) || direction.is_up() == is_up) continue;
    if (is_up)
      direction.heal();
    else
      direction.cut(world_.now);
  }
  if (is_up) {
    const std::uint32_t a = world_.model.links[link].a.node, b = world_.model.links[link].b.node;
    if (a_to_b) std::erase(partitions_, Partition{{a}, {b}});
    if (b_to_a) std::erase(partitions_, Partition{{b}, {a}});
  }
  world_.trace.emit(world_.now, world_.model.links[link].a.node, EventKind::link_changed,
                    {link, is_up ? 1 : 0}, world_.model.link_name(link));
}

void Faults::change(std::uint32_t link, const LinkChange& change, bool a_to_b, bool b_to_a) {
  if (a_to_b) world_.directions[2 * link]->change(world_.now, change);
  if (b_to_a) world_.directions[2 * link + 1]->change(world_.now, change);
  if (change.mtu)
    for (std::uint32_t way = 0; way < 2; ++way) change_mtu(2 * link + way, *change.mtu);
  const Action action{.kind = Action::Kind::set,
                      .link = link,
                      .change = change,
                      .a_to_b = a_to_b,
                      .b_to_a = b_to_a};
  world_.trace.emit(world_.now, world_.model.links[link].a.node, EventKind::note, {},
                    text_of(action, world_.model));
}

// As when somebody sets the MTU of a device: its machine knows at once.
void Faults::change_mtu(std::uint32_t direction, std::uint32_t mtu) {
  world_.directions[direction]->bytes_max = mtu + ethernet_header_and_tag;
  const std::uint32_t port = world_.directions[direction]->from_port;
  const std::uint32_t node = world_.plan.ports[port].node;
  const std::uint32_t own = world_.model.nodes[node].mtu;
  world_.mtu_of_port[port] = own == 0 ? mtu : std::min(own, mtu);
  if (world_.model.nodes[node].kind == NodeKind::kernel_host && world_.options.launcher != nullptr)
    world_.options.launcher->set_mtu(world_.model.nodes[node].name, world_.plan.ports[port].name,
                                     world_.mtu_of_port[port]);
  Machine& machine = world_.machines[node];
  if (!machine.stack.is_made()) return;
  machine.stack->set_mtu(interface_of(port), world_.mtu_of_port[port]);
  world_.touch(node);
}

std::uint32_t Faults::interface_of(std::uint32_t port) const {
  const std::vector<std::uint32_t>& ports = world_.plan.nodes[world_.plan.ports[port].node].ports;
  return static_cast<std::uint32_t>(std::ranges::find(ports, port) - ports.begin()) + 2;
}

void Faults::heal_all() {
  for (const auto& direction : world_.directions) direction->heal();
  partitions_.clear();
}

void Faults::part(std::vector<std::uint32_t> from, std::vector<std::uint32_t> to, bool is_parted) {
  std::ranges::sort(from);
  std::ranges::sort(to);
  Partition partition{std::move(from), std::move(to)};
  const auto found = std::ranges::find(partitions_, partition);
  if (is_parted && found == partitions_.end()) partitions_.push_back(std::move(partition));
  if (!is_parted && found != partitions_.end()) partitions_.erase(found);
}

bool Faults::is_parted(const Packet& frame, std::uint32_t node) const {
  const FrameFacts facts = facts_of_frame(frame.front(), frame.size());
  if (!facts.is_ip && !facts.is_arp) return false;
  const auto has = [&](std::uint32_t of, const IpAddress& address) {
    return std::ranges::find(addresses_[of], address, &IpPrefix::address) != addresses_[of].end();
  };
  const bool is_for_many =
      facts.is_arp || facts.destination.is_multicast() || facts.destination.is_limited_broadcast();
  if (!is_for_many && !has(node, facts.destination)) return false;
  return std::ranges::any_of(partitions_, [&](const Partition& each) {
    return std::ranges::binary_search(each.to, node) &&
           std::ranges::any_of(each.from, [&](std::uint32_t of) { return has(of, facts.source); });
  });
}

void Faults::on_programs(const Action& action) {
  bool is_by_name = false;
  for (const ProgramRow& row : world_.rows)
    is_by_name = is_by_name || (!row.is_service && row.name == action.program);
  for (std::uint32_t i = 0; i < world_.rows.size(); ++i) {
    ProgramRow& row = world_.rows[i];
    const bool is_it = is_by_name
                           ? row.name == action.program
                           : lower(world_.model.nodes[row.node].name) == lower(action.program);
    if (row.is_service || !is_it) continue;
    const bool is_running = row.state == ProgramState::running;
    // What a person ran, with a terminal of his own, is ended but not started again.
    if (row.is_live && action.kind == Action::Kind::start) continue;
    if (action.kind == Action::Kind::start) {
      if (is_running) {
        row.was_told_to_end = world_.programs[i].starts_when_ended = true;
        world_.signal(row.id, SIGKILL);
      } else if (row.state != ProgramState::waiting || world_.programs[i].due == Instant::never()) {
        start_again(i);
      }
    } else if (is_running && action.kind == Action::Kind::kill) {
      row.was_told_to_end = true;
      world_.signal(row.id, action.signal);
    } else if (is_running) {
      world_.signal(row.id, action.kind == Action::Kind::pause ? SIGSTOP : SIGCONT);
      world_.touch(row.node);
    }
  }
}

void Faults::start_again(std::uint32_t index) {
  if (world_.phase != WorldPhase::running && world_.phase != WorldPhase::quieting) return;
  world_.rows[index].state = ProgramState::waiting;
  world_.rows[index].was_told_to_end = false;
  world_.rows[index].status = world_.rows[index].signal = 0;
  world_.start_program(index);
}

// Everything it knew is gone, and it says goodbye to nobody.
void Faults::crash(std::uint32_t node) {
  Machine& machine = world_.machines[node];
  if (machine.is_down || world_.model.nodes[node].kind == NodeKind::kernel_host) return;
  machine.is_down = true;
  for (ProgramRow& row : world_.rows) {
    if (row.node != node || row.state != ProgramState::running) continue;
    row.was_told_to_end = true;
    world_.signal(row.id, SIGKILL);
  }
  machine.armed_for = Instant::never();
  if (!machine.stack.is_made()) {
    machine.stack.reset();
    machine.sockets.reset();
    machine.tasks.reset();
    return;
  }
  world_.trace.set_sink(nullptr);
  if (machine.tasks->has_ready()) machine.tasks->run(machine.clock.read(world_.now));
  world_.hear_events();
  retired_.push_back({.node = node,
                      .boot = machine.boots,
                      .calls = std::move(machine.calls),
                      .stack = machine.stack.release(),
                      .sockets = machine.sockets.release(),
                      .tasks = machine.tasks.release(),
                      .launch_host = std::move(machine.launch_host)});
  // Nobody outside needs them any longer, and their tasks have ended.
  if (world_.options.launcher == nullptr) retired_.pop_back();
}

socket::Sockets* Faults::retired(std::uint32_t node, std::uint32_t boot) const {
  for (const Retired& each : retired_)
    if (each.node == node && each.boot == boot) return each.sockets.get();
  return nullptr;
}

// With the programs that ran when it went down, and those that were to start since.
void Faults::restart(std::uint32_t node) {
  Machine& machine = world_.machines[node];
  if (world_.model.nodes[node].kind == NodeKind::kernel_host) return;
  crash(node);
  machine.is_down = false;
  ++machine.boots;
  world_.build_machine(node);
  addresses_[node].clear();
  for (const std::uint32_t port : world_.plan.nodes[node].ports)
    addresses_[node].insert(addresses_[node].end(), world_.plan.ports[port].addresses.begin(),
                            world_.plan.ports[port].addresses.end());
  for (std::uint32_t i = 0; i < world_.rows.size(); ++i) {
    ProgramRow& row = world_.rows[i];
    if (row.node != node || row.is_live) continue;
    if (row.state == ProgramState::running) {
      world_.programs[i].starts_when_ended = true;  // it has been killed and has not ended yet
    } else if (row.was_told_to_end && row.state == ProgramState::killed) {
      start_again(i);
    } else if (row.state == ProgramState::waiting && world_.programs[i].due <= world_.now) {
      world_.start_program(i);
    }
  }
}

// The old addresses of the families named go.
void Faults::change_address(const Action& action) {
  Machine& machine = world_.machines[action.node];
  std::vector<IpPrefix>& own = addresses_[action.node];
  if (machine.stack == nullptr || world_.plan.nodes[action.node].ports.empty()) return;
  for (const IpPrefix& each : action.addresses) {
    std::uint32_t port = world_.plan.nodes[action.node].ports.front();
    for (const std::uint32_t one : world_.plan.nodes[action.node].ports)
      for (const IpPrefix& prefix : world_.plan.ports[one].addresses)
        if (prefix.contains(each.address)) port = one;
    for (const IpPrefix& old : world_.plan.ports[port].addresses)
      if (old.address.is_v4() == each.address.is_v4()) remove_address(action.node, port, old);
    for (const IpPrefix& old : std::vector<IpPrefix>(own))
      if (old.network() == each.network() && old.length == each.length)
        remove_address(action.node, port, old);
    machine.stack->add_address(machine.clock.read(world_.now), interface_of(port), each);
    own.push_back(each);
  }
  world_.touch(action.node);
}

void Faults::remove_address(std::uint32_t node, std::uint32_t port, const IpPrefix& old) {
  if (std::erase(addresses_[node], old) == 0) return;
  Machine& machine = world_.machines[node];
  machine.stack->remove_address(machine.clock.read(world_.now), interface_of(port), old.address);
}

}  // namespace lanyard::lab
