// SPDX-License-Identifier: Apache-2.0
// Writes down what enters a world in real time, in its order. What the world does by itself, and
// what its own programs call while it does, follows from that and is left out: while there is an
// Inside, nothing is an input.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/packet.hh"
#include "lab/launcher.hh"
#include "lab/replay/input.hh"

namespace lanyard::lab {

class Recorder;

class InputLog {
 public:
  // `now` is the world's.
  InputLog(Recorder& recorder, const Instant& now) : recorder_(recorder), now_(now) {}

  // While it lives the world is at work. Without a log it does nothing.
  class Inside {
   public:
    explicit Inside(InputLog* log) : log_(log) {
      if (log_ != nullptr) ++log_->depth_;
    }
    ~Inside() {
      if (log_ != nullptr) --log_->depth_;
    }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    InputLog* log_;
  };
  [[nodiscard]] bool is_outside() const { return depth_ == 0; }

  // Kinds whose facts are numbers and bytes; as Input says.
  struct Facts {
    std::uint32_t whom = 0;
    std::array<std::int64_t, 3> numbers{};
    std::string_view text = {};
  };
  void add(InputKind kind, const Facts& facts);
  void turn(Instant until);
  // Those that change nothing are left out.
  void call(std::uint32_t node, std::uint32_t boot, const socket::Call& call);
  void frame(std::uint32_t port, const Packet& frame);
  void start(std::uint32_t node, const Launch& launch, bool has_descriptors);
  // Hands what is still here to the recorder.
  void flush();
  [[nodiscard]] bool is_empty() const { return rows_.empty(); }

 private:
  void write(const Input& input);
  Recorder& recorder_;
  const Instant& now_;
  InputWriter writer_;
  std::vector<std::uint8_t> rows_, bytes_;  // not yet with the recorder; of a frame
  Instant turned_to_ = Instant::never();    // the world's time, as the rows have it
  std::uint32_t depth_ = 0;
};

// What of a packet is left for a device to do, as the numbers of an input, and back.
[[nodiscard]] std::array<std::int64_t, 3> numbers_of(const Offload& offload);
[[nodiscard]] Offload offload_of(const std::array<std::int64_t, 3>& numbers);

}  // namespace lanyard::lab
