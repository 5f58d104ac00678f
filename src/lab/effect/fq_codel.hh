// SPDX-License-Identifier: Apache-2.0
// FQ-CoDel (RFC 8290): conversations in queues of their own, by a hash with a secret, served in
// turn by deficit round robin, new ones first, each controlled by CoDel.
#pragma once

#include <list>
#include <vector>

#include "core/random.hh"
#include "lab/effect/codel.hh"

namespace lanyard::lab {

class FqCodel final : public Queue {
 public:
  struct Numbers {
    CodelNumbers codel;
    std::uint32_t flows = 1024, quantum = 1514;
    std::size_t packets_max = 10240;
  };
  FqCodel(const Numbers& numbers, const SipKey& secret)
      : numbers_(numbers), secret_(secret), flows_(numbers.flows) {}
  void push(Instant now, Packet frame, Wire& book) override;
  std::optional<Packet> pull(Instant now, Wire& book) override;
  [[nodiscard]] std::size_t packets() const override { return packets_; }
  [[nodiscard]] std::uint64_t bytes() const override { return bytes_; }

 private:
  struct Flow {
    Fifo fifo;
    CodelControl control;
    std::int64_t deficit = 0;
    bool is_listed = false;
  };
  [[nodiscard]] std::uint32_t flow_of(const Packet& frame) const;
  void drop_from_fattest(Instant now, Wire& book);
  void recount(const Flow& flow, std::size_t packets, std::uint64_t bytes);

  Numbers numbers_;
  SipKey secret_;
  std::vector<Flow> flows_;
  std::list<std::uint32_t> new_, old_;
  std::size_t packets_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace lanyard::lab
