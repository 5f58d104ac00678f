// SPDX-License-Identifier: Apache-2.0
// Writes the run file while the world runs. Every frame is written at the port it leaves and at the
// port it reaches, as a wire would carry it (record_frames.hh). In virtual time the file depends on
// the lab and the seed alone: no clock, no path, no pointer.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>

#include "core/bytes.hh"
#include "core/drop.hh"
#include "core/event.hh"
#include "core/packet.hh"
#include "lab/plan.hh"

namespace lanyard::lab {

struct ProgramRow;
struct Verdict;

struct RecorderOptions {
  std::string path;  // created or replaced
  bool is_virtual = true;
  std::int64_t began_ns = 0;  // real time: what the wall clock says now, since 1970
};

// One frame at one port.
struct RecordedFrame {
  Instant at;
  std::uint32_t port = 0;  // of the plan
  bool is_sent = true;
  Bytes bytes;               // for observers; the recorder is given the packet
  std::uint64_t packet = 0;  // the same at every hop
  EventId cause = 0;
  DropReason dropped = DropReason::none;  // at this port
};

class Recorder final : public EventSink {
 public:
  // The sentence says why the file cannot be written.
  [[nodiscard]] static std::expected<std::unique_ptr<Recorder>, std::string> open(
      const RecorderOptions& options);
  ~Recorder();

  void begin(const Model& model, const Plan& plan);
  void program(const ProgramRow& program);
  // Opens a frame's record: what is known when it is at the port; its bytes are copied. Then
  // frame_done().
  void frame(const RecordedFrame& frame, const Packet& packet);
  void frame_done(DropReason dropped);
  void on_event(const Event& event) override;
  // Rows of lab/replay/input.hh, in a block of their own.
  void inputs(Bytes rows);
  // Writes what is buffered, so that the file is whole up to now.
  void flush();
  [[nodiscard]] bool is_flushed() const;
  void finish(std::span<const Verdict> verdicts, Instant at);

  [[nodiscard]] const std::string& path() const;
  // Empty, or why writing failed (the disk is full): the run goes on, the file ends there.
  [[nodiscard]] const std::string& problem() const;

 private:
  struct State;
  explicit Recorder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace lanyard::lab
