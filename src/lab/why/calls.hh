// SPDX-License-Identifier: Apache-2.0
// The socket calls of a run's programs, task by task, with what they did to the conversations.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lab/why/flows.hh"
#include "socket/watcher.hh"

namespace lanyard::lab::why {

// One line of execution: a task of a program built in, or all of a node's unmodified programs (task
// 0 of program 0).
struct TaskKey {
  std::uint32_t node = 0, program = 0, task = 0;
  friend auto operator<=>(const TaskKey&, const TaskKey&) = default;
};

struct CallRow {
  Instant at;
  TaskKey task;
  std::uint32_t socket = 0;
  socket::CallKind kind = socket::CallKind::open;
  std::int64_t result = 0;
  std::optional<Endpoint> local, peer;       // of a datagram, and where a conversation is named
  std::optional<std::size_t> before, after;  // of the same task
  std::optional<std::size_t> flow;           // of a stream
  std::uint8_t side = 0;                     // this end's in the flow
  std::int64_t offset = 0;  // send, receive: how far the stream was written or read after it

  [[nodiscard]] bool has_waited() const;  // it was told to come again
};

class Calls {
 public:
  Calls(const RunFile& run, const Flows& flows);
  [[nodiscard]] const std::vector<CallRow>& all() const { return rows_; }
  [[nodiscard]] std::optional<std::size_t> last_of(const TaskKey& task) const;
  // The call that wrote a byte of a side's stream, or asked for its end.
  [[nodiscard]] std::optional<std::size_t> writing(std::size_t flow, std::uint8_t side,
                                                   std::int64_t offset) const;
  // How much a side had written before `at`.
  [[nodiscard]] std::int64_t written_before(std::size_t flow, std::uint8_t side, Instant at) const;
  // The connect call that opened a conversation; the accept call that gave this socket.
  [[nodiscard]] std::optional<std::size_t> connecting(std::size_t flow) const;
  [[nodiscard]] std::optional<std::size_t> accepting(std::uint32_t node,
                                                     std::uint32_t socket) const;
  // The last datagram sent from `node` to `peer` at `at` or before.
  [[nodiscard]] std::optional<std::size_t> sending(std::uint32_t node, const Endpoint& local,
                                                   const Endpoint& peer, Instant at) const;

 private:
  void take(const Event& event, const Flows& flows);
  void place(CallRow& row, const Event& event, const Flows& flows);
  using Socket = std::pair<std::uint32_t, std::uint32_t>;  // node, handle
  struct Stream {
    std::size_t flow = 0;
    std::uint8_t side = 0;
    std::int64_t written = 1, read = 1;
  };
  std::vector<CallRow> rows_;
  std::map<TaskKey, std::size_t> last_;
  std::map<Socket, Stream> streams_;
  std::map<Socket, std::pair<Endpoint, Endpoint>> connected_;  // datagram sockets
  std::map<Socket, std::size_t> accepted_;
  std::map<std::pair<std::size_t, std::uint8_t>, std::vector<std::size_t>> writes_;
  std::map<std::size_t, std::size_t> connects_;
  std::map<std::uint32_t, std::vector<std::size_t>> datagrams_;  // by node
};

}  // namespace lanyard::lab::why
