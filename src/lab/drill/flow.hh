// SPDX-License-Identifier: Apache-2.0
// One conversation of a script: which ports it has, and how the script's numbers (our initial
// sequence number is 0, our first timestamp what the script says) map to those on the wire.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lab/drill/setup.hh"
#include "lab/drill/wire.hh"

namespace lanyard::lab::drill {

class Flow {
 public:
  Flow(const Endpoint& local, const Endpoint& remote, bool is_active)
      : local_(local), remote_(remote), is_active_(is_active) {}

  [[nodiscard]] const Endpoint& local() const { return local_; }
  [[nodiscard]] const Endpoint& remote() const { return remote_; }
  [[nodiscard]] bool has_ends(const Endpoint& local, const Endpoint& remote) const {
    return local_ == local && remote_ == remote;
  }
  [[nodiscard]] bool is_active() const { return is_active_; }

  // What the stack sent, remembered; its numbers as the script counts.
  void on_sent(const Seen& packet);
  [[nodiscard]] Seen in_script(const Seen& packet) const;
  // After a SYN 123:123 from the script, its later numbers count from 123, or from 0: the first
  // acknowledgment it names says which.
  void learn_remote_base(const PacketEvent& said, const Seen& packet);
  // What the script sends: its numbers as the wire has them.
  [[nodiscard]] Seen on_wire(const PacketEvent& said);
  [[nodiscard]] Seen quoted_on_wire(const PacketEvent& said) const;

  // Why a packet (in the script's numbers) is not what was said; empty: it is.
  [[nodiscard]] std::string difference(const PacketEvent& said, const Seen& packet,
                                       const Strict& strict);
  // May `packet` be the first part of what was said?
  [[nodiscard]] bool may_be_part(const PacketEvent& said, const Seen& packet,
                                 const Strict& strict) const;

  // Does a SYN with this number belong to it, or open another conversation?
  [[nodiscard]] bool takes_syn(std::uint32_t sequence) const;

  // The largest segment that we said we take.
  [[nodiscard]] std::uint32_t own_mss() const { return own_mss_; }

 private:
  [[nodiscard]] std::uint32_t to_script(std::uint32_t sequence) const {
    return live_isn_ ? sequence - *live_isn_ + script_isn_ : sequence;
  }
  [[nodiscard]] std::uint32_t to_wire(std::uint32_t sequence) const {
    return live_isn_ ? sequence - script_isn_ + *live_isn_ : sequence;
  }
  [[nodiscard]] std::uint32_t echo_on_wire(std::uint32_t echo) const;
  std::string compare_options(const std::vector<TcpOption>& said, const Seen& packet,
                              const Strict& strict);
  std::string compare_option(const TcpOption& said, const TcpOption& seen, const Strict& strict);
  std::string compare_timestamps(const TcpOption& said, const TcpOption& seen,
                                 const Strict& strict);
  void learn(const PacketEvent& said, const Seen& packet);

  Endpoint local_, remote_;
  bool is_active_;
  bool is_handshake_done_ = false, is_dead_ = false, has_timestamps_ = false;
  std::optional<std::uint32_t> live_isn_{}, remote_isn_{};
  std::optional<std::uint32_t> remote_base_{};  // what the script calls the peer's number 0
  std::uint32_t script_isn_ = 0;
  bool is_isn_named_ = false;  // the script has said what our first number is called
  std::uint32_t peer_mss_ = 536, own_mss_ = 1460;
  std::uint32_t highest_ = 0;  // of what was matched, in the script's numbers
  std::map<std::uint32_t, std::uint32_t> timestamps_{};  // TS val: the script's -> the wire's
  std::optional<std::pair<std::uint32_t, std::uint32_t>> first_timestamp_{};
  std::map<std::vector<std::uint8_t>, std::vector<std::uint8_t>> cookies_{};
  std::optional<Seen> last_sent_{};
};

}  // namespace lanyard::lab::drill
