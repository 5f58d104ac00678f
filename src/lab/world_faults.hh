// SPDX-License-Identifier: Apache-2.0
// What the timeline, or a person, does to a lab: links, partitions, machines, programs, names. Acts
// between events only, never from inside a machine's turn.
#pragma once

#include <memory>
#include <vector>

#include "application/dns_server.hh"
#include "lab/built_in.hh"
#include "lab/world.hh"

namespace lanyard::lab {

class Faults {
 public:
  explicit Faults(World::State& world) : world_(world) {}
  void begin();  // the plan's addresses are known
  void act(const Action& action);
  void set_up(std::uint32_t link, bool is_up, bool a_to_b, bool b_to_a);
  void change(std::uint32_t link, const LinkChange& change, bool a_to_b, bool b_to_a);
  void start_again(std::uint32_t program);
  // A program that is started again: its old self is kept while its tasks unwind.
  void retire(std::unique_ptr<BuiltIn> program) { programs_.push_back(std::move(program)); }

  // Whether a packet that reaches this node, to be taken in there, comes from the other side of a
  // partition. What the node only passes on goes through.
  [[nodiscard]] bool is_parted(const Packet& frame, std::uint32_t node) const;
  [[nodiscard]] bool has_partitions() const { return !partitions_.empty(); }
  // The sockets of a machine that crashed; null: there are none, or they are gone.
  [[nodiscard]] socket::Sockets* retired(std::uint32_t node, std::uint32_t boot) const;
  // Of a node, as they are now.
  [[nodiscard]] const std::vector<IpPrefix>& addresses_of(std::uint32_t node) const {
    return addresses_[node];
  }
  [[nodiscard]] const std::shared_ptr<application::Zone>& zone() const { return zone_; }

 private:
  struct Partition {
    std::vector<std::uint32_t> from, to;  // sorted
    friend bool operator==(const Partition&, const Partition&) = default;
  };
  // What was a machine before it crashed, kept while programs that are being killed may still call
  // it.
  struct Retired {
    std::uint32_t node = 0, boot = 0;
    std::unique_ptr<CallLog> calls;
    std::unique_ptr<stack::Stack> stack;
    std::unique_ptr<socket::Sockets> sockets;
    std::unique_ptr<Tasks> tasks;
    std::unique_ptr<LaunchHost> launch_host;
  };
  void part(std::vector<std::uint32_t> from, std::vector<std::uint32_t> to, bool is_parted);
  void heal_all();
  void on_programs(const Action& action);
  void crash(std::uint32_t node);
  void restart(std::uint32_t node);
  void change_mtu(std::uint32_t direction, std::uint32_t mtu);
  void change_address(const Action& action);
  void remove_address(std::uint32_t node, std::uint32_t port, const IpPrefix& old);
  [[nodiscard]] std::uint32_t interface_of(std::uint32_t port) const;

  World::State& world_;
  std::vector<Partition> partitions_;
  std::vector<std::vector<IpPrefix>> addresses_;
  std::vector<std::unique_ptr<BuiltIn>> programs_;
  std::vector<Retired> retired_;  // destroyed before the programs whose tasks they have
  std::shared_ptr<application::Zone> zone_;
};

}  // namespace lanyard::lab
