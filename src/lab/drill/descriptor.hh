// SPDX-License-Identifier: Apache-2.0
// What a number in a script's calls stands for, and what a call returns.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/time.hh"
#include "socket/sockets.hh"

namespace lanyard::lab::drill {

// What a call returned. `opens`: the value is a new descriptor, whose number the script chooses.
struct Returned {
  std::int64_t value = 0;
  std::optional<Errno> error{};
  bool opens = false;
};

// A set of descriptors that are watched (epoll).
struct Watched {
  std::int64_t descriptor = 0;
  std::uint32_t events = 0;
  std::uint64_t data = 0;
  std::uint32_t last = 0;  // what was ready when last told: edge-triggered ones tell only changes
  std::uint64_t received = 0;     // bytes that had come when last looked at
  std::uint32_t completions = 0;  // of sends with MSG_ZEROCOPY, then
  bool is_spent = false;          // EPOLLONESHOT, told once
};

// The sends with MSG_ZEROCOPY of one socket, numbered, and what was said about them.
struct Copies {
  struct Range {
    std::uint32_t low = 0, high = 0;
  };
  bool is_asked = false;      // SO_ZEROCOPY
  std::uint64_t written = 0;  // bytes, by all sends
  std::uint32_t next = 0;
  std::uint32_t told = 0;  // how often a completion was reported
  std::deque<std::pair<std::uint64_t, std::uint32_t>> waiting{};  // up to which byte, which send
  std::deque<Range> done{};
  std::optional<Range> taken{};  // by the last recvmsg
};

// What SO_TIMESTAMPING tells of sends: when the last octet of each was handed down, sent and
// acknowledged.
struct Stamps {
  enum class Kind : std::uint8_t { sent, scheduled, acknowledged };  // SCM_TSTAMP_SND and so on
  struct Told {
    Kind kind;
    std::uint32_t key;  // the place of the octet
    Instant at;
  };
  struct Send {
    std::uint64_t end = 0;
    bool is_sent = false;
  };
  std::uint32_t flags = 0;  // SOF_TIMESTAMPING_*
  std::uint64_t from = 0;   // octets acknowledged when it was asked for: places count from there
  std::deque<Send> waiting{};
  std::deque<Told> done{};
  std::optional<Told> taken{};  // by the last recvmsg
};

struct Descriptor {
  socket::Handle handle = socket::Handle::none;  // none: a watching one
  Family family = Family::ipv4;
  socket::Type type = socket::Type::stream;
  bool is_nonblocking = false;
  bool tells_queue = false;    // TCP_INQ
  bool is_connecting = false;  // a blocking connect() is under way
  Duration receive_timeout = Duration::infinite(), send_timeout = Duration::infinite();
  std::vector<Watched> watched{};
  Copies copies{};
  std::optional<std::uint64_t> file_bytes{};  // a file, not a socket
  std::uint64_t file_at = 0;
  std::shared_ptr<std::uint64_t> pipe{};  // an end of a pipe: the octets in it
  bool is_pipe_input = false;
  Stamps stamps{};
};

}  // namespace lanyard::lab::drill
