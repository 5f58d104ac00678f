// SPDX-License-Identifier: Apache-2.0
#include "wire/membership.hh"

#include <algorithm>

#include "core/checksum.hh"
#include "wire/protocol.hh"
#include "wire/pseudo.hh"

namespace lanyard::membership {

namespace {

namespace igmp {
constexpr std::uint8_t query = 0x11;
constexpr std::uint8_t report_v1 = 0x12;
constexpr std::uint8_t report_v2 = 0x16;
constexpr std::uint8_t leave = 0x17;
constexpr std::uint8_t report_v3 = 0x22;
}  // namespace igmp

namespace mld {
constexpr std::uint8_t query = 130;
constexpr std::uint8_t report_v1 = 131;
constexpr std::uint8_t done = 132;
constexpr std::uint8_t report_v2 = 143;
}  // namespace mld

constexpr std::size_t checksum_offset = 2;
constexpr std::size_t reports_at = 8;  // of the first record
constexpr std::size_t headroom = 64;
constexpr Duration response_of_v1 = Duration::seconds(10);

// Where the group of a query or of a report about one group begins.
std::size_t group_offset(Family family) {
  return family == Family::ipv4 ? 4 : 8;
}

std::size_t single_size(Family family) {
  return family == Family::ipv4 ? 8 : 24;
}

// RFC 3376 4.1.1, 4.1.7: a byte that is a number below 128, and floating point from there on.
std::uint32_t value_of_code8(std::uint8_t code) {
  if (code < 128) return code;
  return (0x10U | (code & 0x0fU)) << (((code >> 4) & 7U) + 3);
}

// RFC 3810 5.1.3: the same with 16 bits.
std::uint32_t value_of_code16(std::uint16_t code) {
  if (code < 32768) return code;
  return (0x1000U | (code & 0x0fffU)) << (((code >> 12) & 7U) + 3);
}

// The largest code whose value is not above `value`.
std::uint8_t code8_of(std::uint32_t value) {
  std::uint8_t code = 255;
  while (code > 0 && value_of_code8(code) > value) --code;
  return code;
}

std::uint16_t code16_of(std::uint32_t value) {
  std::uint16_t code = 65535;
  while (code > 0 && value_of_code16(code) > value) --code;
  return code;
}

void write_address(std::uint8_t* to, const IpAddress& address) {
  const Bytes bytes = address.wire_bytes();
  std::copy(bytes.begin(), bytes.end(), to);
}

Duration response_of_code8(std::uint8_t code, bool is_floating) {
  return Duration::milliseconds(100 * std::int64_t{is_floating ? value_of_code8(code) : code});
}

// A zeroed message of `size` bytes.
Packet blank(std::size_t size) {
  Packet packet(headroom, size);
  std::fill_n(packet.push_back(size), size, std::uint8_t{0});
  return packet;
}

}  // namespace

bool is_mld(std::uint8_t type) {
  return (type >= mld::query && type <= mld::done) || type == mld::report_v2;
}

std::size_t Record::size() const {
  const std::size_t address = group.is_v4() ? 4 : 16;
  return 4 + address * (1 + sources.size());
}

IpAddress View::address_at(std::size_t offset) const {
  const std::uint8_t* from = message_.data() + offset;
  return family_ == Family::ipv4 ? IpAddress::from_v4_bytes(from) : IpAddress::from_v6_bytes(from);
}

std::expected<View, DropReason> View::parse(Family family, Bytes message) {
  // BI-91: what is shorter than it says is nothing.
  if (message.size() < reports_at) return std::unexpected(DropReason::bad_icmp);
  View view(family, message);
  const bool is_v4 = family == Family::ipv4;
  const std::uint8_t type = message[0];
  bool is_good = false;
  if (type == (is_v4 ? igmp::query : mld::query)) {
    is_good = view.read_query();
  } else if (is_v4 && type == igmp::report_v1) {
    is_good = view.read_single(Kind::report, 1);
  } else if (type == (is_v4 ? igmp::report_v2 : mld::report_v1)) {
    is_good = view.read_single(Kind::report, 2);
  } else if (type == (is_v4 ? igmp::leave : mld::done)) {
    is_good = view.read_single(Kind::leave, 2);
  } else if (type == (is_v4 ? igmp::report_v3 : mld::report_v2)) {
    is_good = view.read_records();
  }
  if (!is_good) return std::unexpected(DropReason::bad_icmp);
  return view;
}

bool View::read_single(Kind kind, unsigned version) {
  if (message_.size() < single_size(family_)) return false;
  kind_ = kind;
  version_ = version;
  group_ = address_at(group_offset(family_));
  return group_.is_multicast();
}

// RFC 3376 7.1, RFC 3810 8.1: the length tells the version; lengths between are of none.
bool View::read_query() {
  const bool is_v4 = family_ == Family::ipv4;
  const std::size_t old_size = single_size(family_);
  if (message_.size() < old_size) return false;
  group_ = address_at(group_offset(family_));
  if (!group_.is_unspecified() && !group_.is_multicast()) return false;
  const bool is_old = message_.size() == old_size;
  version_ = is_old ? 2 : 3;
  if (is_v4) {
    max_response_ = response_of_code8(message_[1], !is_old);
    if (is_old && message_[1] == 0) {
      version_ = 1;
      max_response_ = response_of_v1;
    }
  } else {
    const std::uint16_t code = load16(message_.data() + 4);
    max_response_ = Duration::milliseconds(is_old ? code : value_of_code16(code));
  }
  if (is_old) return true;
  if (message_.size() < old_size + 4) return false;
  robustness_ = message_[old_size] & 7U;
  query_interval_ = Duration::seconds(value_of_code8(message_[old_size + 1]));
  sources_ = load16(message_.data() + old_size + 2);
  // BI-91: more sources than have come.
  return old_size + 4 + sources_ * address_size() <= message_.size() &&
         (sources_ == 0 || !group_.is_unspecified());
}

bool View::read_records() {
  kind_ = Kind::report;
  group_ = IpAddress::any(family_);
  records_ = load16(message_.data() + 6);
  std::size_t at = reports_at;
  for (std::size_t i = 0; i < records_; ++i) {
    const std::size_t fixed = 4 + address_size();
    if (at + fixed > message_.size()) return false;
    const std::size_t sources = load16(message_.data() + at + 2);
    const std::size_t behind = std::size_t{4} * message_[at + 1];
    at += fixed + sources * address_size() + behind;
    if (at > message_.size()) return false;
  }
  return true;
}

std::vector<IpAddress> View::sources() const {
  std::vector<IpAddress> list;
  for (std::size_t i = 0; i < sources_; ++i) {
    list.push_back(address_at(single_size(family_) + 4 + i * address_size()));
  }
  return list;
}

std::vector<Record> View::records() const {
  std::vector<Record> list;
  std::size_t at = reports_at;
  for (std::size_t i = 0; i < records_; ++i) {
    Record record{static_cast<RecordType>(message_[at]), address_at(at + 4), {}};
    const std::size_t sources = load16(message_.data() + at + 2);
    const std::size_t behind = std::size_t{4} * message_[at + 1];
    at += 4 + address_size();
    for (std::size_t s = 0; s < sources; ++s, at += address_size()) {
      record.sources.push_back(address_at(at));
    }
    at += behind;  // RFC 3376 4.2.11: ignored
    list.push_back(std::move(record));
  }
  return list;
}

Packet query(const Query& query) {
  const Family family = query.group.family();
  const bool is_v4 = family == Family::ipv4;
  const std::size_t old_size = single_size(family);
  const std::size_t address = query.group.wire_bytes().size();
  const bool is_old = query.version < 3;
  Packet packet = blank(is_old ? old_size : old_size + 4 + query.sources.size() * address);
  std::uint8_t* to = packet.mutable_front().data();
  to[0] = is_v4 ? igmp::query : mld::query;
  write_address(to + group_offset(family), query.group);
  const auto ms = static_cast<std::uint32_t>(query.max_response.count_ms());
  if (is_v4) {
    const std::uint32_t tenths = ms / 100;
    if (query.version == 2) to[1] = static_cast<std::uint8_t>(std::min(tenths, 255U));
    if (query.version == 3) to[1] = code8_of(tenths);
  } else {
    store16(to + 4, is_old ? static_cast<std::uint16_t>(std::min(ms, 65535U)) : code16_of(ms));
  }
  if (is_old) return packet;
  to[old_size] = static_cast<std::uint8_t>(query.robustness & 7U);
  to[old_size + 1] =
      code8_of(static_cast<std::uint32_t>(query.query_interval / Duration::seconds(1)));
  store16(to + old_size + 2, static_cast<std::uint16_t>(query.sources.size()));
  std::size_t at = old_size + 4;
  for (const IpAddress& source : query.sources) {
    write_address(to + at, source);
    at += address;
  }
  return packet;
}

Packet single(Kind kind, unsigned version, const IpAddress& group) {
  const bool is_v4 = group.is_v4();
  Packet packet = blank(single_size(group.family()));
  std::uint8_t* to = packet.mutable_front().data();
  if (kind == Kind::leave) {
    to[0] = is_v4 ? igmp::leave : mld::done;
  } else if (is_v4) {
    to[0] = version == 1 ? igmp::report_v1 : igmp::report_v2;
  } else {
    to[0] = mld::report_v1;
  }
  write_address(to + group_offset(group.family()), group);
  return packet;
}

Packet report(Family family, std::span<const Record> records) {
  std::size_t size = reports_at;
  for (const Record& record : records) size += record.size();
  Packet packet = blank(size);
  std::uint8_t* to = packet.mutable_front().data();
  to[0] = family == Family::ipv4 ? igmp::report_v3 : mld::report_v2;
  store16(to + 6, static_cast<std::uint16_t>(records.size()));
  std::size_t at = reports_at;
  for (const Record& record : records) {
    const std::size_t address = record.group.wire_bytes().size();
    to[at] = static_cast<std::uint8_t>(record.type);
    store16(to + at + 2, static_cast<std::uint16_t>(record.sources.size()));
    write_address(to + at + 4, record.group);
    at += 4 + address;
    for (const IpAddress& source : record.sources) {
      write_address(to + at, source);
      at += address;
    }
  }
  return packet;
}

void put_checksum(Packet& packet, const IpAddress& source, const IpAddress& destination) {
  if (source.is_v6()) {
    return lanyard::put_checksum({source, destination, protocol::icmpv6}, packet, checksum_offset,
                                 ChecksumBy::us);
  }
  store16(packet.mutable_front().data() + checksum_offset, checksum(packet.linear()));
}

}  // namespace lanyard::membership
