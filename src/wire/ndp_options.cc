// SPDX-License-Identifier: Apache-2.0
#include "wire/ndp_options.hh"

#include <algorithm>
#include <cstring>

namespace lanyard::ndp {
namespace {

constexpr std::size_t unit = 8;

}  // namespace

// RFC 4861 4.6 [RFC4861-4.6-a], BI-38: a length of zero, or past the end, spoils the whole message.
std::optional<RawOption> OptionReader::next() {
  if (is_malformed_ || at_ >= options_.size()) return std::nullopt;
  const Bytes rest = options_.subspan(at_);
  const std::size_t size = rest.size() < 2 ? 0 : unit * rest[1];
  if (size == 0 || size > rest.size()) {
    is_malformed_ = true;
    return std::nullopt;
  }
  const RawOption found{rest[0], at_, rest.first(size)};
  at_ += size;
  return found;
}

namespace {

void take_link_address(std::optional<MacAddress>& into, Bytes bytes) {
  if (into || bytes.size() != unit) return;
  into.emplace();
  std::copy_n(bytes.begin() + 2, 6, into->bytes.begin());
}

// BI-38: a prefix length above 128 makes no prefix; the option is ignored.
void take_prefix(std::vector<PrefixInformation>& into, Bytes bytes) {
  if (bytes.size() != 4 * unit || bytes[2] > 128) return;
  const IpAddress address = IpAddress::from_v6_bytes(bytes.data() + 16);
  if (address.is_v4()) return;
  into.push_back({.prefix = {address, bytes[2]},
                  .is_on_link = (bytes[3] & 0x80) != 0,
                  .is_autonomous = (bytes[3] & 0x40) != 0,
                  .valid_lifetime_s = load32(bytes.data() + 4),
                  .preferred_lifetime_s = load32(bytes.data() + 8)});
}

// BI-37: RDNSS is 1 + 2n units long, n >= 1; an even length, or 1, is ignored.
void take_dns_servers(std::optional<DnsServers>& into, Bytes bytes) {
  const std::size_t units = bytes.size() / unit;
  if (into || units < 3 || units % 2 == 0) return;
  into.emplace();
  into->lifetime_s = load32(bytes.data() + 4);
  for (Bytes rest = bytes.subspan(unit); !rest.empty(); rest = rest.subspan(16)) {
    const IpAddress address = IpAddress::from_v6_bytes(rest.data());
    if (!address.is_v4()) into->addresses.push_back(address);
  }
}

void take_nonce(std::optional<std::array<std::uint8_t, 6>>& into, Bytes bytes) {
  if (into || bytes.size() != unit) return;
  into.emplace();
  std::copy_n(bytes.begin() + 2, 6, into->begin());
}

// RFC 4861 4.6 [RFC4861-4-a]: unknown options are ignored, in any order.
void take(Options& into, const RawOption& raw) {
  switch (raw.type) {
    case option::source_link_address:
      return take_link_address(into.source_link_address, raw.bytes);
    case option::target_link_address:
      return take_link_address(into.target_link_address, raw.bytes);
    case option::prefix_information:
      return take_prefix(into.prefixes, raw.bytes);
    case option::dns_servers:
      return take_dns_servers(into.dns_servers, raw.bytes);
    case option::nonce:
      return take_nonce(into.nonce, raw.bytes);
    case option::redirected_header:
      into.redirected_header = raw.bytes.subspan(unit);
      return;
    case option::mtu:
      if (raw.bytes.size() == unit && !into.mtu) into.mtu = load32(raw.bytes.data() + 4);
      return;
    default:
      return;
  }
}

}  // namespace

std::optional<Options> Options::parse(Bytes bytes) {
  Options options;
  OptionReader reader(bytes);
  while (const std::optional<RawOption> raw = reader.next()) take(options, *raw);
  if (reader.is_malformed()) return std::nullopt;
  return options;
}

namespace {

std::size_t units_for(std::size_t size) {
  return (size + unit - 1) / unit;
}

// Opens an option of `units` units, zeroed, moves `to` behind it and returns its first byte.
std::uint8_t* open(std::uint8_t*& to, std::uint8_t type, std::size_t units) {
  std::uint8_t* option = to;
  std::memset(option, 0, units * unit);
  option[0] = type;
  option[1] = static_cast<std::uint8_t>(units);
  to += units * unit;
  return option;
}

void write_prefix(std::uint8_t*& to, const PrefixInformation& information) {
  std::uint8_t* option = open(to, option::prefix_information, 4);
  option[2] = information.prefix.length;
  option[3] = static_cast<std::uint8_t>((information.is_on_link ? 0x80 : 0) |
                                        (information.is_autonomous ? 0x40 : 0));
  store32(option + 4, information.valid_lifetime_s);
  store32(option + 8, information.preferred_lifetime_s);
  std::memcpy(option + 16, information.prefix.address.bytes().data(), 16);
}

void write_dns_servers(std::uint8_t*& to, const DnsServers& servers) {
  std::uint8_t* option = open(to, option::dns_servers, 1 + 2 * servers.addresses.size());
  store32(option + 4, servers.lifetime_s);
  for (std::size_t i = 0; i < servers.addresses.size(); ++i) {
    std::memcpy(option + unit + 16 * i, servers.addresses[i].bytes().data(), 16);
  }
}

}  // namespace

std::size_t Options::size() const {
  std::size_t units = 4 * prefixes.size();
  units += source_link_address.has_value();
  units += target_link_address.has_value();
  units += mtu.has_value();
  units += nonce.has_value();
  if (dns_servers) units += 1 + 2 * dns_servers->addresses.size();
  if (!redirected_header.empty()) units += 1 + units_for(redirected_header.size());
  return units * unit;
}

void Options::write(std::uint8_t* to) const {
  if (source_link_address) {
    std::uint8_t* option = open(to, option::source_link_address, 1);
    std::copy_n(source_link_address->bytes.begin(), 6, option + 2);
  }
  if (target_link_address) {
    std::uint8_t* option = open(to, option::target_link_address, 1);
    std::copy_n(target_link_address->bytes.begin(), 6, option + 2);
  }
  if (mtu) store32(open(to, option::mtu, 1) + 4, *mtu);
  if (nonce) std::copy_n(nonce->begin(), 6, open(to, option::nonce, 1) + 2);
  for (const PrefixInformation& information : prefixes) write_prefix(to, information);
  if (dns_servers) write_dns_servers(to, *dns_servers);
  if (redirected_header.empty()) return;
  std::uint8_t* option =
      open(to, option::redirected_header, 1 + units_for(redirected_header.size()));
  std::memcpy(option + unit, redirected_header.data(), redirected_header.size());
}

}  // namespace lanyard::ndp
