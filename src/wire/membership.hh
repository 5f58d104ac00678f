// SPDX-License-Identifier: Apache-2.0
// Who listens to which group: IGMP (RFC 1112, RFC 2236, RFC 3376) and MLD (RFC 2710, RFC 3810),
// which say the same with addresses of 4 and of 16 bytes. Versions are counted as IGMP's: MLDv1
// says what IGMPv2 does (2), MLDv2 what IGMPv3 does (3).
//
//   query    type | response code | checksum | group address        IGMP; of v1 and v2 that is all
//            S and QRV | QQIC | sources | source addresses ...      v3: S 1 bit, QRV 3, QQIC a byte
//   query    type | code | checksum | response code | 0 | group     MLD: codes of 16 bits
//   report   type | 0 | checksum | 0 | records | records ...        v3; else as a query's first
//   part record   type | words behind | sources | group address | source addresses ... | words
//   behind
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <vector>

#include "core/bytes.hh"
#include "core/drop.hh"
#include "core/packet.hh"
#include "core/time.hh"
#include "wire/address.hh"

namespace lanyard::membership {

enum class Kind : std::uint8_t { query, report, leave };

// RFC 3376 4.2.12, RFC 3810 5.2.12.
enum class RecordType : std::uint8_t {
  is_include = 1,
  is_exclude = 2,
  to_include = 3,
  to_exclude = 4,
  allow_new = 5,
  block_old = 6
};

struct Record {
  RecordType type = RecordType::is_exclude;
  IpAddress group{};
  std::vector<IpAddress> sources{};

  [[nodiscard]] std::size_t size() const;  // on the wire
};

// Is this a type of ours among ICMPv6's?
[[nodiscard]] bool is_mld(std::uint8_t icmpv6_type);

// A message that is whole: a query has all its sources, a report of version 3 all its records.
class View {
 public:
  // Error: bad_icmp. The checksum is not looked at: has_good_checksum().
  [[nodiscard]] static std::expected<View, DropReason> parse(Family family, Bytes message);

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] unsigned version() const { return version_; }
  [[nodiscard]] std::uint16_t checksum() const { return load16(message_.data() + 2); }
  // Unspecified: a query about all groups, or a report of version 3.
  [[nodiscard]] const IpAddress& group() const { return group_; }
  // Of a query. Version 1 says none and means 10 s (RFC 3376 8.3).
  [[nodiscard]] Duration max_response() const { return max_response_; }
  // Of a query of version 3; 0: not said.
  [[nodiscard]] unsigned robustness() const { return robustness_; }
  [[nodiscard]] Duration query_interval() const { return query_interval_; }
  [[nodiscard]] std::vector<IpAddress> sources() const;
  // Of a report of version 3, in order. Unknown types are among them (RFC 3376 4.2.12).
  [[nodiscard]] std::vector<Record> records() const;

 private:
  explicit View(Family family, Bytes message) : family_(family), message_(message) {}
  [[nodiscard]] bool read_query();
  [[nodiscard]] bool read_single(Kind kind, unsigned version);
  [[nodiscard]] bool read_records();
  [[nodiscard]] std::size_t address_size() const { return family_ == Family::ipv4 ? 4 : 16; }
  [[nodiscard]] IpAddress address_at(std::size_t offset) const;

  Family family_;
  Bytes message_;
  Kind kind_ = Kind::query;
  unsigned version_ = 3;
  IpAddress group_;
  Duration max_response_;
  unsigned robustness_ = 0;
  Duration query_interval_;
  std::size_t sources_ = 0;
  std::size_t records_ = 0;
};

// A query to be written.
struct Query {
  unsigned version = 3;
  IpAddress group{};  // any(family): about all groups
  Duration max_response = Duration::seconds(10);
  unsigned robustness = 2;
  Duration query_interval = Duration::seconds(125);
  std::vector<IpAddress> sources{};
};

// Messages as packets with headroom, their checksums still zero: see put_checksum below.
[[nodiscard]] Packet query(const Query& query);
// A report of version 1 or 2, or a leave, about one group.
[[nodiscard]] Packet single(Kind kind, unsigned version, const IpAddress& group);
[[nodiscard]] Packet report(Family family, std::span<const Record> records);

// IGMP's covers the message, MLD's the addresses too. The packet is the message.
void put_checksum(Packet& packet, const IpAddress& source, const IpAddress& destination);

}  // namespace lanyard::membership
