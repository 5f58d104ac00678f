// SPDX-License-Identifier: Apache-2.0
// The world of one script while it is played: the stack, the time, the packets that wait to be
// looked at, the conversations, and the call that blocks. runner.hh is the way in.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lab/drill/calls.hh"
#include "lab/drill/code.hh"
#include "lab/drill/flow.hh"
#include "lab/drill/runner.hh"
#include "stack/stack.hh"

namespace lanyard::lab::drill {

inline constexpr std::size_t packets_told = 8;
inline constexpr std::size_t packets_waiting_max = 100'000;
inline constexpr Duration patience = Duration::seconds(86'400);  // for `*`

class Player {
 public:
  Player(const Setup& setup, const Script& script);
  // Plays all of it; a Fault ends it.
  void play();
  // What is told when it went wrong: the packets around it.
  [[nodiscard]] std::vector<std::string> packets() const;
  [[nodiscard]] Duration elapsed() const { return now_ - began_; }
  [[nodiscard]] const Event* current() const { return current_; }
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }
  [[nodiscard]] const std::vector<std::string>& output() const { return interpreter_.output(); }
  [[nodiscard]] std::size_t played() const { return played_; }
  [[nodiscard]] const std::vector<std::string>& notes() const { return setup_.notes; }

 private:
  struct Told {  // a packet that went by, and whose it was
    Seen packet;
    std::size_t flow;
  };
  struct Pending {  // a call that blocks
    const Event* event;
    Instant base, began;
  };

  // player.cc: time and packets
  void build_stack();
  void advance_to(Instant until);
  void step_to(Instant when);
  void collect();
  void on_packet(Seen packet);
  [[nodiscard]] Instant next_change() const;
  Flow& flow_of(const Seen& packet);
  Flow& flow_for(const PacketEvent& said);
  Flow& add_flow(const Endpoint& local, const Endpoint& remote, bool is_active);
  [[nodiscard]] Port next_remote_port() const;
  void put_on_wire(Packet frame, const Seen& packet);

  // play.cc: the events
  void play(const Event& event);
  [[nodiscard]] Instant time_of(const When& when) const;
  void play_inbound(const PacketEvent& said);
  void play_outbound(const Event& event, const PacketEvent& said, Instant at);
  Seen await_packet(const Event& event, Instant latest);
  [[nodiscard]] bool is_of_earlier(const PacketEvent& said, const Seen& packet) const;
  void check_time(const Event& event, const Seen& packet, Instant at, Instant latest);
  void play_call(const Event& event);
  void retry();
  void finish_pending();
  void check_returned(const Event& event, const Returned& returned);
  void check_returned_at(const Pending& pending);
  void play_code(const Event& event, const CodeEvent& code);
  void play_command(const Event& event, const CommandEvent& command);
  [[nodiscard]] std::optional<Value> look_up(std::string_view name) const;
  [[nodiscard]] std::string script_text(const Told& told) const;
  void tell(Told told);
  [[noreturn]] static void fail(Mark mark, std::string what);

  Setup setup_;
  const Script& script_;
  std::unique_ptr<stack::Stack> stack_;
  std::unique_ptr<socket::Sockets> sockets_;
  std::unique_ptr<SystemCalls> calls_;
  Interpreter interpreter_;
  std::uint32_t interface_ = 0;
  Instant began_, now_, base_;
  std::deque<Flow> flows_;
  std::size_t current_flow_ = 0;
  std::deque<Seen> waiting_;  // sent by the stack, not yet looked at
  std::deque<Told> history_;  // the last packets
  std::optional<Pending> pending_;
  const Event* current_ = nullptr;
  std::vector<std::string> warnings_;
  std::size_t played_ = 0;
};

}  // namespace lanyard::lab::drill
