// SPDX-License-Identifier: Apache-2.0
// The inside of a Stack: its layers, and the queues between them. Internal to stack/.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "internet/network.hh"
#include "stack/stack.hh"
#include "transport/tcp/tcp.hh"
#include "transport/udp.hh"

namespace lanyard::stack {

// First in, first out, in one vector that is emptied whenever it has run dry.
template <typename T>
class Queue {
 public:
  // Made in its place from what it holds.
  template <typename... Values>
  void push(Values&&... values) {
    items_.emplace_back(std::forward<Values>(values)...);
  }
  [[nodiscard]] bool is_empty() const { return first_ == items_.size(); }
  [[nodiscard]] T pop() {
    T item = std::move(items_[first_]);
    drop();
    return item;
  }
  // Gives all to `into`, behind what that holds.
  void pop_all(std::vector<T>& into) {
    if (into.empty() && first_ == 0) {
      items_.swap(into);
    } else {
      while (!is_empty()) into.push_back(pop());
    }
  }
  [[nodiscard]] T& front() { return items_[first_]; }
  void drop() {
    if (++first_ < items_.size()) return;
    items_.clear();
    first_ = 0;
  }

 private:
  std::vector<T> items_;
  std::size_t first_ = 0;
};

struct Stack::Parts final : internet::Machine {
  Parts(const Config& stack_config, const Seed& seed, std::uint32_t node_number, Trace* events);

  // internet::Machine.
  void transmit(Instant now, std::uint32_t interface, Packet&& frame) override;
  void loop_back(Instant now, std::uint32_t interface, Packet&& packet) override;
  DropReason deliver(Instant now, internet::Datagram& datagram, Bytes ip_header) override;
  [[nodiscard]] bool believes(const internet::IcmpError& error) const override;
  [[nodiscard]] bool is_other_shards(const internet::Datagram& datagram) const override;
  void on_icmp_error(Instant now, const internet::IcmpError& error) override;
  void on_drop(Instant now, std::uint32_t interface, DropReason reason,
               const Packet& packet) override;
  void on_neighbour(Instant now, std::uint32_t interface, const IpAddress& address,
                    link::NeighbourState state) override;

  // frames.cc
  // True: it was passed on, and there is nothing else to do.
  bool receive(Instant now, std::uint32_t interface, Packet&& frame);
  void receive_joined(Instant now, std::uint32_t interface, std::span<Packet> batch);
  bool take_in(Instant now, internet::Interface& interface, Packet&& frame);
  void take_in_any(Instant now, internet::Interface& interface, Packet&& frame);
  void drop_frame(Instant now, internet::Interface& interface, DropReason reason,
                  const Packet& frame);
  // deliver.cc
  bool show_raw(Instant now, const internet::Datagram& datagram, Bytes ip_header);
  void show_echo(Instant now, const internet::Datagram& datagram, Bytes ip_header);
  // stack.cc
  void work_off(Instant now) {
    if (!outbox.empty()) send_outbox(now);
    if (!looped.is_empty()) work_off_looped(now);
  }
  void work_off_looped(Instant now);
  void send_outbox(Instant now);
  void send_one(Instant now, internet::Datagram&& datagram);
  EventId emit(Instant now, EventKind kind, std::initializer_list<std::int64_t> values) {
    return trace == nullptr ? 0 : trace->emit(now, node, kind, values);
  }

  struct Looped {
    std::uint32_t interface;
    Packet packet;
  };
  using RawKey = std::pair<Family, internet::Protocol>;
  using EchoKey = std::pair<Family, std::uint16_t>;

  Config config;
  const std::uint32_t node;
  Trace* const trace;
  internet::Outbox outbox;
  internet::Network network;
  tcp::Tcp tcp;
  udp::Udp udp;
  Queue<OutFrame> frames;
  Queue<Looped> looped;
  bool more_wait = false;  // frames behind this one
  std::vector<std::pair<RawKey, RawSink*>> raw_sinks;
  std::map<EchoKey, RawSink*> echo_sinks;
  RandomStream chance;
  DropCounters drops{};
  Instant latest;  // the latest time anybody told us
};

}  // namespace lanyard::stack
