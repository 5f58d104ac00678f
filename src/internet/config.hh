// SPDX-License-Identifier: Apache-2.0
// Limits and timings of the internet layer, all in one place.
#pragma once

#include <cstdint>

#include "core/time.hh"

namespace lanyard::internet {

struct Config {
  bool forwarding = false;              // RFC 1122 3.1: off unless switched on
  bool strong_host = false;             // RFC 1122 3.3.4.2
  bool checks_reverse_path = false;     // RFC 1812 5.3.8: strict, for what is forwarded
  bool answers_broadcast_echo = false;  // RFC 1122 3.2.2.6
  bool accepts_redirects = true;
  // Addresses by SLAAC: made with a secret (RFC 7217) rather than of the MAC address (RFC 2464),
  // and short-lived ones beside them for what the machine asks of others (RFC 8981).
  bool stable_identifiers = false;
  bool temporary_addresses = false;
  Duration temporary_valid = Duration::seconds(2 * 86400);  // RFC 8981 3.8
  Duration temporary_preferred = Duration::seconds(86400);
  std::uint8_t default_hop_limit = 64;
  std::uint32_t reassembly_bytes_max = 4 * 1024 * 1024;
  std::uint32_t reassembly_datagrams_max = 1024;
  std::uint32_t fragments_per_datagram_max = 128;
  Duration reassembly_timeout = Duration::seconds(60);  // RFC 8200 4.5; RFC 1122 3.3.2
  std::uint32_t icmp_errors_per_second = 1000;          // RFC 4443 2.4 (f), RFC 1812 4.3.2.8
  std::uint32_t icmp_errors_burst = 50;
  // A gateway that does not answer is passed over for this long (RFC 1122 3.3.1.4).
  Duration dead_gateway_for = Duration::seconds(30);
  std::uint32_t path_mtus_max = 4096;
  Duration path_mtu_kept_for = Duration::seconds(600);  // RFC 1191 6.3, RFC 8201 4
};

}  // namespace lanyard::internet
