// SPDX-License-Identifier: Apache-2.0
// One machine's UDP without a network around it: what its tests open, give it and tell it.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "harness.hh"
#include "transport/udp.hh"
#include "wire/udp.hh"

namespace lanyard::test {

inline const IpAddress any4 = IpAddress::any(Family::ipv4), any6 = IpAddress::any(Family::ipv6);
inline const IpAddress own4 = IpAddress::v4(10, 0, 0, 1), peer4 = IpAddress::v4(10, 0, 0, 9);

class UdpAlone : public ::testing::Test {
 protected:
  explicit UdpAlone(const IpAddress& own6) { paths.own = {own4, own6}; }
  transport::Config config;
  FakePaths paths;
  internet::Outbox out;
  udp::Udp udp{config, Seed(1), paths, out};

  udp::SocketId open(const transport::BindRequest& request) {
    const auto socket = udp.open(request.local.address.family(), 0);
    EXPECT_TRUE(udp.bind(socket, request));
    return socket;
  }
  // From port 9 to port 80.
  static internet::Datagram datagram(Bytes payload, const IpAddress& from, const IpAddress& to,
                                     std::uint32_t interface) {
    internet::Datagram made;
    made.source = from;
    made.destination = to;
    made.interface = interface;
    made.packet = Packet::copy_of(payload);
    udp::Header{9, 80}.push_onto(made.packet, from, to);
    return made;
  }
  // Of a datagram from our port 80 to the peer's port 9.
  internet::IcmpError error_about_ours(internet::IcmpError::Kind kind) {
    store16(&quoted_[0], 80);
    store16(&quoted_[2], 9);
    internet::IcmpError error{};
    error.kind = kind;
    error.source = own4;
    error.destination = peer4;
    error.quoted = quoted_;
    return error;
  }

 private:
  std::array<std::uint8_t, 8> quoted_{};
};

}  // namespace lanyard::test
