// SPDX-License-Identifier: Apache-2.0
// A yard of stacks joined by wires in memory, in virtual time: host - router - host and the like.
// Every frame is written down as it was sent.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "lone_host.hh"
#include "stack/stack.hh"
#include "wire/icmp.hh"

namespace lanyard::stack::test {

// A place on a wire: a machine and one of its interfaces.
struct End {
  std::size_t node;
  std::uint32_t interface;
  friend auto operator<=>(const End&, const End&) = default;
};

struct Seen {
  Instant at;
  End from;
  std::vector<std::uint8_t> bytes;
  // Ethernet's type field.
  [[nodiscard]] std::uint16_t type() const { return load16(bytes.data() + 12); }
  // What lies behind the Ethernet header.
  [[nodiscard]] Bytes inside() const { return Bytes(bytes).subspan(14); }
};

class Yard {
 public:
  explicit Yard(Duration delay = 1_ms) : delay_(delay) {}

  std::size_t add(const Config& config) {
    const auto node = stacks.size();
    const Seed seed = Seed(1).branch(config.name);
    stacks.push_back(
        std::make_unique<Stack>(config, seed, static_cast<std::uint32_t>(node), &trace));
    return node;
  }
  std::size_t add(const std::string& name, bool forwards = false) {
    Config config;
    config.name = name;
    config.internet.forwarding = forwards;
    return add(config);
  }

  // A new interface with these addresses; its MAC address tells node and interface.
  End plug(std::size_t node, const std::vector<std::string>& addresses,
           InterfaceConfig config = {}) {
    const auto index = static_cast<std::uint32_t>(stacks[node]->interfaces().size() + 1);
    config.mac = {
        {2, 0, 0, 0, static_cast<std::uint8_t>(node + 1), static_cast<std::uint8_t>(index)}};
    config.name = "eth" + std::to_string(index - 2);
    const std::uint32_t interface = stacks[node]->add_interface(config);
    for (const std::string& address : addresses) {
      stacks[node]->add_address(now, interface, net(address));
    }
    return {node, interface};
  }
  static InterfaceConfig quiet(std::uint32_t mtu = 1500) {
    InterfaceConfig config;
    config.makes_link_local = false;
    config.mtu = mtu;
    return config;
  }
  void wire(const End& a, const End& b) {
    peers_[a].push_back(b);
    peers_[b].push_back(a);
  }
  void route(std::size_t node, std::string_view destination, std::string_view gateway,
             std::uint32_t metric = 0) {
    stacks[node]->add_route({net(destination), ip(gateway), 0, metric});
  }

  // Puts a frame onto an interface as if it had come from the wire, now.
  void inject(const End& to, Bytes frame) {
    stacks[to.node]->on_frame(now, to.interface, Packet::copy_of(frame));
    collect();
  }

  void run_for(Duration duration) { run_until(now + duration); }
  void run_until(Instant end) {
    collect();
    while (true) {
      Instant next = flying_.empty() ? Instant::never() : std::get<0>(flying_.begin()->first);
      for (const auto& stack : stacks) next = std::min(next, stack->next_deadline());
      if (next > end) break;
      now = std::max(now, next);
      deliver_due();
      for (const auto& stack : stacks) {
        if (stack->next_deadline() <= now) stack->poll(now);
      }
      collect();
    }
    now = std::max(now, end);
  }

  // Sends an ICMP echo request; the replies and errors are told by `Pinger`.
  Result<void> ping(std::size_t node, const IpAddress& to, std::uint16_t identifier,
                    std::size_t bytes = 56, std::uint8_t hop_limit = 0,
                    std::uint32_t interface = 0) {
    internet::Datagram datagram;
    datagram.destination = to;
    datagram.protocol = to.is_v4() ? internet::Protocol::icmp : internet::Protocol::icmpv6;
    datagram.hop_limit = hop_limit;
    datagram.interface = interface;
    std::vector<std::uint8_t> data(bytes);
    for (std::size_t i = 0; i < bytes; ++i) data[i] = static_cast<std::uint8_t>(i);
    datagram.packet = Packet::copy_of(data);
    const auto type = to.is_v4() ? icmp::v4::echo_request : icmp::v6::echo_request;
    icmp::Header::echo(type, identifier, 1).push_onto_v4(datagram.packet);
    return stacks[node]->send(now, std::move(datagram));
  }

  [[nodiscard]] std::uint64_t drops(std::size_t node, DropReason reason) const {
    return stacks[node]->drops()[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] std::size_t count(const End& from, std::uint16_t type) const {
    return static_cast<std::size_t>(std::count_if(seen.begin(), seen.end(), [&](const Seen& s) {
      return s.from == from && s.type() == type;
    }));
  }

  std::vector<std::unique_ptr<Stack>> stacks;
  Trace trace;
  Instant now = Instant::at_ns(1'000'000'000);
  std::vector<Seen> seen;
  // What the wire loses.
  std::function<bool(const Seen&)> loses = [](const Seen&) { return false; };

 private:
  void collect() {
    for (std::size_t node = 0; node < stacks.size(); ++node) {
      while (auto out = stacks[node]->take_frame()) {
        const End from{node, out->interface};
        Seen frame{now, from, {}};
        frame.bytes.resize(out->frame.size());
        out->frame.copy_to(0, frame.bytes);
        seen.push_back(frame);
        if (loses(frame)) continue;
        for (const End& to : peers_[from]) {
          flying_.emplace(std::tuple(now + delay_, order_++), std::pair(to, out->frame.share()));
        }
      }
    }
  }
  void deliver_due() {
    while (!flying_.empty() && std::get<0>(flying_.begin()->first) <= now) {
      auto [to, frame] = std::move(flying_.begin()->second);
      flying_.erase(flying_.begin());
      stacks[to.node]->on_frame(now, to.interface, std::move(frame));
      collect();
    }
  }

  Duration delay_;
  std::map<End, std::vector<End>> peers_;
  std::map<std::tuple<Instant, std::uint64_t>, std::pair<End, Packet>> flying_;
  std::uint64_t order_ = 0;
};

// Writes down what an echo or raw socket is told.
class Listener final : public RawSink {
 public:
  struct Heard {
    IpAddress source, destination;
    std::uint8_t hop_limit;
    std::vector<std::uint8_t> payload, header;
  };
  void on_datagram(Instant, const internet::Datagram& datagram, Bytes ip_header) override {
    Heard heard{datagram.source, datagram.destination, datagram.hop_limit, {}, {}};
    heard.payload.resize(datagram.packet.size());
    datagram.packet.copy_to(0, heard.payload);
    heard.header.assign(ip_header.begin(), ip_header.end());
    datagrams.push_back(std::move(heard));
  }
  void on_icmp_error(Instant, const internet::IcmpError& error) override {
    errors.push_back(error);
    errors.back().quoted = {};
  }
  std::vector<Heard> datagrams;
  std::vector<internet::IcmpError> errors;
};

}  // namespace lanyard::stack::test
