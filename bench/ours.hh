// SPDX-License-Identifier: Apache-2.0
// Two machines of our stack in one thread over an in-memory link, driven through the socket calls.
// Time is virtual and moves a microsecond with every round of the link.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "bench/measure.hh"
#include "socket/sockets.hh"
#include "stack/stack.hh"

namespace lanyard::bench {

using socket::Handle;
using socket::Sockets;

constexpr Port kPort = 5001;

template <typename T>
T checked(Result<T> result, std::string_view what) {
  if (!result) give_up(fmt::format("{}: {}", what, errno_text(result.error())));
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

inline bool would_block(Errno error) {
  return error == Errno::try_again || error == Errno::in_progress;
}

enum class LinkKind { frames, super_segments };

inline stack::InterfaceConfig interface_of(std::uint8_t last, LinkKind kind) {
  stack::InterfaceConfig config;
  config.mac = MacAddress{{2, 0, 0, 0, 0, last}};
  config.makes_link_local = false;
  if (kind == LinkKind::super_segments) {
    config.takes_checksums = true;
    config.super_segment_bytes_max = 65535;
  }
  return config;
}

struct Machine {
  Machine(std::uint8_t last, LinkKind kind, const stack::Config& config)
      : address(IpAddress::v4(10, 0, 0, last)), stack(config, Seed(last), last, nullptr) {
    interface = stack.add_interface(interface_of(last, kind));
    stack.add_address(Instant::start(), interface, IpPrefix{address, 24});
    sockets = std::make_unique<Sockets>(stack);
  }
  IpAddress address;
  stack::Stack stack;
  std::unique_ptr<Sockets> sockets;
  std::uint32_t interface = 0;
};

struct World {
  explicit World(LinkKind kind, const stack::Config& config = {})
      : a(1, kind, config), b(2, kind, config) {}

  // Carries frames both ways until none is left. True if one was.
  bool pump() {
    bool any = false;
    now += Duration::microseconds(1);
    for (bool has_more = true; has_more; any |= has_more) {
      const bool went = carry(a, b);
      has_more = carry(b, a) || went;
    }
    return any;
  }
  // Lets time pass to the next timer.
  void wait() {
    now = std::max(now, std::min(a.stack.next_deadline(), b.stack.next_deadline()));
    if (now == Instant::never()) give_up("nothing more will happen");
    a.stack.poll(now);
    b.stack.poll(now);
  }
  // As a driver does: what has come is handed over in batches.
  bool carry(Machine& from, Machine& to) {
    constexpr std::size_t batch_max = 64;
    from.stack.take_frames(sent);
    if (sent.empty()) return false;
    if (sent.size() == 1) {
      to.stack.on_frame(now, to.interface, std::move(sent.front().frame));
      sent.clear();
      return true;
    }
    for (std::size_t i = 0; i < sent.size();) {
      frames.clear();
      while (i < sent.size() && frames.size() < batch_max) {
        frames.push_back(std::move(sent[i++].frame));
      }
      to.stack.on_frames(now, to.interface, frames);
    }
    sent.clear();
    return true;
  }

  Machine a, b;
  Instant now = Instant::start();
  std::vector<stack::OutFrame> sent;
  std::vector<Packet> frames;
};

inline Handle listen_at(World& world, Port port, int backlog = 4096) {
  Handle listener = checked(world.b.sockets->open(Family::ipv4, socket::Type::stream), "open");
  checked(world.b.sockets->bind(listener, Endpoint{IpAddress::any(Family::ipv4), port}), "bind");
  checked(world.b.sockets->listen(world.now, listener, backlog), "listen");
  return listener;
}

struct Ends {
  Handle client, server;
};

inline Ends connect(World& world, Handle listener, Port port) {
  Sockets& sockets = *world.a.sockets;
  Handle client = checked(sockets.open(Family::ipv4, socket::Type::stream), "open");
  checked(sockets.set_option(world.now, client, socket::Option::no_delay, std::int64_t{1}),
          "no_delay");
  auto started = sockets.connect(world.now, client, Endpoint{world.b.address, port});
  if (!started && !would_block(started.error())) checked(started, "connect");
  for (int tries = 0; tries < 100; ++tries) {
    if (!world.pump()) world.wait();
    auto accepted = world.b.sockets->accept(world.now, listener);
    if (accepted) return {client, accepted->socket};
    if (!would_block(accepted.error())) checked(std::move(accepted), "accept");
  }
  give_up("the connection was never accepted");
}

// Sends as much of `bytes` as fits; 0 when nothing does.
inline std::size_t send_some(Sockets& sockets, Instant now, Handle socket, Bytes bytes) {
  auto sent = sockets.send(now, socket, bytes);
  if (!sent && would_block(sent.error())) return 0;
  return checked(std::move(sent), "send");
}

inline std::size_t receive_some(Sockets& sockets, Instant now, Handle socket, MutableBytes buffer) {
  auto got = sockets.receive(now, socket, buffer);
  if (!got && would_block(got.error())) return 0;
  return checked(std::move(got), "receive");
}

}  // namespace lanyard::bench
