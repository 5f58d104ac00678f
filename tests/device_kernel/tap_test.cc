// SPDX-License-Identifier: Apache-2.0
// A TAP with the kernel's own sockets behind it: offload facts both ways.
#include "device/tap.hh"

#include <arpa/inet.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include <gtest/gtest.h>

#include "device/af_packet.hh"
#include "device/packet_ring.hh"
#include "namespace.hh"
#include "wire/ethernet.hh"
#include "wire/ipv4.hh"
#include "wire/protocol.hh"
#include "wire/udp.hh"

namespace lanyard::device_kernel {
namespace {

constexpr MacAddress kernel_mac{{2, 0, 0, 0, 0, 1}};
constexpr MacAddress our_mac{{2, 0, 0, 0, 0, 2}};
const IpAddress kernel_address = IpAddress::v4(10, 9, 0, 1);
const IpAddress our_address = IpAddress::v4(10, 9, 0, 2);

// A kernel's UDP socket on 10.9.0.1:5000.
class KernelSocket {
 public:
  KernelSocket() : descriptor_(::socket(AF_INET, SOCK_DGRAM, 0)) {
    const sockaddr_in local = address("10.9.0.1", 5000);
    EXPECT_EQ(::bind(descriptor_, static_cast<const sockaddr*>(static_cast<const void*>(&local)),
                     sizeof local),
              0);
    timeval patience{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  KernelSocket(const KernelSocket&) = delete;
  KernelSocket& operator=(const KernelSocket&) = delete;
  ~KernelSocket() { ::close(descriptor_); }

  void send(const std::string& text, int segment_bytes = 0) const {
    const sockaddr_in peer = address("10.9.0.2", 6000);
    ASSERT_EQ(::setsockopt(descriptor_, SOL_UDP, UDP_SEGMENT, &segment_bytes, sizeof segment_bytes),
              0);
    ASSERT_EQ(::sendto(descriptor_, text.data(), text.size(), 0,
                       static_cast<const sockaddr*>(static_cast<const void*>(&peer)), sizeof peer),
              static_cast<ssize_t>(text.size()));
  }
  [[nodiscard]] std::string receive() const {
    std::string text(70'000, ' ');
    const ssize_t got = ::recv(descriptor_, text.data(), text.size(), 0);
    EXPECT_GE(got, 0) << "nothing came";
    text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return text;
  }

 private:
  static sockaddr_in address(const char* text, std::uint16_t port) {
    sockaddr_in made{};
    made.sin_family = AF_INET;
    made.sin_port = htons(port);
    EXPECT_EQ(::inet_pton(AF_INET, text, &made.sin_addr), 1);
    return made;
  }
  int descriptor_;
};

class TapWithKernel : public testing::Test {
 protected:
  void SetUp() override {
    if (!enter_namespace().empty()) GTEST_SKIP() << enter_namespace();
    auto opened = device::Tap::open("lanyard0");
    ASSERT_TRUE(opened.has_value()) << opened.error();
    tap = std::move(*opened);
    ASSERT_EQ(run("ip link set lanyard0 address 02:00:00:00:00:01 mtu 1500 up && "
                  "ip addr add 10.9.0.1/24 dev lanyard0 && "
                  "ip neigh replace 10.9.0.2 lladdr 02:00:00:00:00:02 dev lanyard0"),
              0);
  }

  // The next frame that is a UDP datagram of the kernel's; others (router solicitations) are passed
  // over.
  static Packet next_datagram(device::FrameDevice& from) {
    while (true) {
      pollfd readable{.fd = from.descriptor(), .events = POLLIN, .revents = 0};
      if (::poll(&readable, 1, 5000) != 1) {
        ADD_FAILURE() << "no frame came";
        return {};
      }
      Result<Packet> frame = from.receive();
      if (!frame) continue;
      const auto ethernet = ethernet::View::parse(frame->front(), frame->size());
      if (!ethernet || ethernet->type() != ethernet::Type::ipv4) continue;
      const auto ip = ipv4::View::parse(ethernet->payload(), ethernet->payload_size());
      if (ip && ip->protocol() == protocol::udp) return std::move(*frame);
    }
  }

  static Packet datagram(const std::string& text, ChecksumBy by) {
    Packet packet(128, 0);
    packet.append(Slice::copy_of(bytes_of(text)));
    udp::Header{.source_port = 6000, .destination_port = 5000}.push_onto(packet, our_address,
                                                                         kernel_address, by);
    ipv4::Header ip;
    ip.source = our_address;
    ip.destination = kernel_address;
    ip.protocol = protocol::udp;
    ip.push_onto(packet);
    ethernet::Header ethernet;
    ethernet.destination = kernel_mac;
    ethernet.source = our_mac;
    ethernet.type = ethernet::Type::ipv4;
    ethernet.push_onto(packet);
    return packet;
  }

  std::unique_ptr<device::Tap> tap;
};

TEST_F(TapWithKernel, KernelsDatagramComesWithItsChecksumWanted) {
  KernelSocket().send("hello");
  Packet frame = next_datagram(*tap);
  EXPECT_TRUE(frame.offload.checksum_wanted);
  finish_checksum(frame);
  const Bytes udp = frame.front().subspan(34);
  EXPECT_EQ(transport_checksum({kernel_address, our_address, protocol::udp}, udp), 0);
  EXPECT_EQ(text_of(udp::View::parse(udp)->payload()), "hello");
}

TEST_F(TapWithKernel, KernelsSuperSegmentComesWhole) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += static_cast<char>('a' + i % 23);
  KernelSocket().send(text, 1000);
  Packet frame = next_datagram(*tap);
  if (frame.offload.segment_bytes == 0) GTEST_SKIP() << "this kernel hands over no UDP segments";
  EXPECT_EQ(frame.offload.segment_bytes, 1000);
  EXPECT_EQ(frame.size(), 20'000U + 42);
  EXPECT_EQ(text_of(frame.linear()).substr(42), text);
}

TEST_F(TapWithKernel, OurDatagramReachesAKernelSocket) {
  const KernelSocket socket;
  ASSERT_TRUE(tap->send(datagram("finished by us", ChecksumBy::us)));
  EXPECT_EQ(socket.receive(), "finished by us");
  ASSERT_TRUE(tap->send(datagram("left to the kernel", ChecksumBy::device)));
  EXPECT_EQ(socket.receive(), "left to the kernel");
}

TEST_F(TapWithKernel, WrongChecksumDoesNotReachAKernelSocket) {
  const KernelSocket socket;
  Packet bad = datagram("bad", ChecksumBy::us);
  bad.mutable_front()[40] ^= 1;
  ASSERT_TRUE(tap->send(std::move(bad)));
  ASSERT_TRUE(tap->send(datagram("good", ChecksumBy::us)));
  EXPECT_EQ(socket.receive(), "good");
}

TEST_F(TapWithKernel, OurSuperSegmentReachesAKernelSocketInPieces) {
  const KernelSocket socket;
  for (const ChecksumBy by : {ChecksumBy::device, ChecksumBy::us}) {
    Packet frame = datagram(std::string(1000, 'a') + std::string(1000, 'b') + "c", by);
    frame.offload.segment_bytes = 1000;
    ASSERT_TRUE(tap->send(std::move(frame)));
    EXPECT_EQ(socket.receive(), std::string(1000, 'a'));
    EXPECT_EQ(socket.receive(), std::string(1000, 'b'));
    EXPECT_EQ(socket.receive(), "c");
  }
}

TEST_F(TapWithKernel, SendingToAnInterfaceThatIsDownIsAnError) {
  ASSERT_EQ(run("ip link set lanyard0 down"), 0);
  const Result<void> sent = tap->send(datagram("x", ChecksumBy::us));
  ASSERT_FALSE(sent.has_value());
  EXPECT_EQ(sent.error(), Errno::network_down);
}

TEST_F(TapWithKernel, NothingWaitingIsTryAgain) {
  while (tap->receive()) {
  }
  const Result<Packet> none = tap->receive();
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error(), Errno::try_again);
}

template <typename Device>
class PacketSocket : public TapWithKernel {};
using PacketSockets = ::testing::Types<device::AfPacket, device::PacketRing>;
TYPED_TEST_SUITE(PacketSocket, PacketSockets);

TYPED_TEST(PacketSocket, SeesWhatArrivesAndSendsWhatLeaves) {
  auto socket = TypeParam::open("lanyard0");
  ASSERT_TRUE(socket.has_value()) << socket.error();
  for (const std::size_t size : {7U, 1400U}) {
    const std::string text(size, 'n');
    ASSERT_TRUE(this->tap->send(TestFixture::datagram(text, ChecksumBy::device)));
    Packet arrived = TestFixture::next_datagram(**socket);
    EXPECT_EQ(text_of(arrived.linear()).substr(42), text);
  }
  Packet super_segment = TestFixture::datagram(std::string(1000, 'a') + "b", ChecksumBy::device);
  super_segment.offload.segment_bytes = 1000;
  ASSERT_TRUE((*socket)->send(std::move(super_segment)));
  (*socket)->flush();
  EXPECT_EQ(TestFixture::next_datagram(*this->tap).size(), 1042U);
  EXPECT_EQ(text_of(TestFixture::next_datagram(*this->tap).linear()).substr(42), "b");
}

// More than a ring has room for, in both directions: each one comes, and in order.
TYPED_TEST(PacketSocket, HundredsOfFramesGoThrough) {
  auto socket = TypeParam::open("lanyard0");
  ASSERT_TRUE(socket.has_value()) << socket.error();
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 20; ++i) {
      ASSERT_TRUE(
          (*socket)->send(TestFixture::datagram(std::to_string(round * 20 + i), ChecksumBy::us)));
    }
    (*socket)->flush();
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(text_of(TestFixture::next_datagram(*this->tap).linear()).substr(42),
                std::to_string(round * 20 + i));
    }
  }
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(this->tap->send(TestFixture::datagram(std::to_string(i), ChecksumBy::us)));
  }
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(text_of(TestFixture::next_datagram(**socket).linear()).substr(42), std::to_string(i));
  }
}

TYPED_TEST(PacketSocket, SaysWhatIsMissing) {
  const auto missing = TypeParam::open("no-such-one");
  ASSERT_FALSE(missing.has_value());
  EXPECT_NE(missing.error().find("no-such-one: No such device"), std::string::npos)
      << missing.error();
}

TEST_F(TapWithKernel, AdoptedDescriptorIsTheSameInterface) {
  auto adopted = device::Tap::adopt(::dup(tap->descriptor()));
  ASSERT_TRUE(adopted.has_value()) << adopted.error();
  EXPECT_EQ((*adopted)->name(), "lanyard0");
  EXPECT_TRUE((*adopted)->abilities().takes_checksums);
}

TEST_F(TapWithKernel, WhatIsNoTapIsRefusedWithASentence) {
  const auto refused = device::Tap::adopt(::dup(0));
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().find("TUNGETIFF"), std::string::npos) << refused.error();
  const auto too_long = device::Tap::open("a-name-that-is-too-long");
  ASSERT_FALSE(too_long.has_value());
  EXPECT_NE(too_long.error().find("at most 15 letters"), std::string::npos) << too_long.error();
}

}  // namespace
}  // namespace lanyard::device_kernel
