// SPDX-License-Identifier: Apache-2.0
// What enters a world from outside while it runs in real time: when the clock moved it on, what its
// unmodified programs called, printed and ended with, frames from a kernel, what a person did to
// it. In their order, these decide everything else; the run file keeps them, one row after the
// other, and `replay` feeds them to the world again.
//   a row   kind:1, then the fields of its kind (fields_of), in the order of Field
//   numbers are LEB128; those that may be negative are zigzag-coded first; a time is the difference
//   to the last time that was written
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "lab/run_file.hh"
#include "socket/watcher.hh"

namespace lanyard::lab {

enum class InputKind : std::uint8_t {
  began,     // numbers: 1 if the lab is kept up without programs
  turn,      // at: what is due is done
  call,      // whom: node; a call on its sockets, and what came of it
  touch,     // whom: node, whose sockets were used
  look,      // whom: node, whose machine was made because somebody looked at it
  output,    // whom: program; numbers: descriptor; bytes: what it printed
  exited,    // whom: program; numbers: status, signal
  frame,     // whom: port; numbers: what is unfinished of it (offload); bytes: from the kernel
  act,       // bytes: the action, as the line that says it
  start,     // whom: node; numbers: 1 if it has descriptors of its own; bytes: words, each with 0
  signal,    // whom: program; numbers: signal
  end,       // the lab is to end
  stop,      // the lab was ended
  launched,  // whom: program; bytes: why it could not be started, or nothing
  hosted,    // whom: node with the kernel's stack; bytes: why it could not be made, or nothing
  lost,      // bytes: what happened that cannot be made to happen again
  saved,     // the run file was made whole up to here
};

struct Input {
  InputKind kind = InputKind::turn;
  Instant at;  // turn, and calls that are told the time; otherwise of the input before
  std::uint32_t whom = 0;
  std::uint32_t boot = 0;  // call: programs that are being killed may still call what crashed
  socket::CallKind call = socket::CallKind::open;
  socket::Handle socket = socket::Handle::none;
  std::int64_t result = 0;
  std::array<std::int64_t, 3> numbers{};
  Bytes bytes{};
  Endpoint endpoint{};
  socket::DatagramFacts facts{};
  socket::OptionValue value{std::int64_t{0}};
};

// Appends rows to a block.
class InputWriter {
 public:
  void write(const Input& input, std::vector<std::uint8_t>& to);

 private:
  Instant last_;
};

// Goes through the inputs of a run, one by one. Nothing in them is believed: every number is
// checked against the run's nodes, ports and programs.
class InputReader {
 public:
  explicit InputReader(const RunFile& run) : run_(&run) {}
  // Nothing: that was the last. Its bytes point into the run file.
  [[nodiscard]] std::expected<std::optional<Input>, RunFileProblem> next();
  // Where the input that was read last stands in the file, as bytes.
  [[nodiscard]] Bytes row() const { return row_; }

 private:
  [[nodiscard]] std::optional<RunFileProblem> problem_of(const Input& input) const;
  const RunFile* run_;
  std::size_t block_ = 0, at_ = 0;  // the block, and where in it
  Bytes row_;
  Instant last_;
};

// Empty: every input of the run is well-formed. Or what is wrong, or why it cannot be replayed.
[[nodiscard]] std::optional<RunFileProblem> inputs_problem(const RunFile& run);
// "alice: send on socket 3, 120 bytes -> 120"
[[nodiscard]] std::string text_of(const Input& input, const RunFile& run);

}  // namespace lanyard::lab
