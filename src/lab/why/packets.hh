// SPDX-License-Identifier: Apache-2.0
// The packets of a run: each from the node that made it, port by port, to where it ended, with the
// headers that tell what it was.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "lab/run_file.hh"
#include "wire/tcp.hh"

namespace lanyard::lab::why {

enum class Layer : std::uint8_t { other, arp, ndp, icmp, udp, tcp };

struct TcpHeader {
  tcp::SequenceNumber sequence, acknowledgment;
  tcp::Flags flags;
  std::uint16_t window = 0;
  std::uint16_t mss = 0;   // of a SYN; 0: none
  std::uint8_t scale = 0;  // of a SYN
  bool has_scale = false;  // of a SYN
  bool has_timestamps = false;
};

struct Headers {
  Layer layer = Layer::other;
  Endpoint source, destination;  // ports are 0 where there are none
  bool is_answer = false;        // ARP reply, neighbour advertisement
  TcpHeader tcp;
  Bytes payload;  // of UDP or TCP
};
[[nodiscard]] Headers headers_of(Bytes frame);

// One packet of the run.
struct Journey {
  std::uint64_t packet = 0;            // its number
  std::vector<std::size_t> sightings;  // in RunFile::packets, in order; never empty
  std::uint32_t from = 0;              // the node that made it
  Instant sent_at;
  Headers headers;  // as it was sent
  // Where it was taken in: the first sighting at the node it was for that did not drop it.
  std::optional<std::size_t> arrival;
  std::optional<std::size_t> dropped;  // the sighting that says so, if it never arrived
};

class Packets {
 public:
  explicit Packets(const RunFile& run);
  [[nodiscard]] const RunFile& run() const { return run_; }
  [[nodiscard]] const std::vector<Journey>& journeys() const { return journeys_; }
  [[nodiscard]] const Journey& of_record(std::size_t record) const {
    return journeys_[journey_of_record_[record]];
  }
  [[nodiscard]] std::size_t index_of_record(std::size_t record) const {
    return journey_of_record_[record];
  }
  [[nodiscard]] std::optional<std::uint32_t> owner(const IpAddress& address) const;
  // The sightings that led to `record`, from the first port on.
  [[nodiscard]] std::vector<std::size_t> way_to(std::size_t record) const;
  [[nodiscard]] Instant arrived_at(const Journey& journey) const {
    return journey.arrival ? run_.packets[*journey.arrival].at : Instant::never();
  }
  // Records of `node` that were received there at `at`.
  [[nodiscard]] std::optional<std::size_t> neighbour_answer(std::uint32_t node, Instant at) const;

 private:
  void find_end(Journey& journey) const;
  const RunFile& run_;
  std::vector<std::pair<IpAddress, std::uint32_t>> owners_;  // sorted
  std::vector<Journey> journeys_;                            // in the order of their sending
  std::vector<std::size_t> journey_of_record_;
  // Received answers of neighbour resolution: node, time, record; sorted.
  struct Answer {
    std::uint32_t node = 0;
    Instant at;
    std::size_t record = 0;
    friend auto operator<=>(const Answer&, const Answer&) = default;
  };
  std::vector<Answer> answers_;
};

}  // namespace lanyard::lab::why
