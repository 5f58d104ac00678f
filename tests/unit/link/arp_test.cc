// SPDX-License-Identifier: Apache-2.0
#include "link/arp.hh"

#include <gtest/gtest.h>

#include "wire/ethernet.hh"

namespace lanyard::link {
namespace {

using Lesson = ArpDecision::Lesson;

const MacAddress own{{2, 0, 0, 0, 0, 1}};
const MacAddress other{{2, 0, 0, 0, 0, 9}};

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

// Our address is 10.0.0.1.
ArpDecision hear(arp::Operation operation, std::string_view sender, const MacAddress& sender_mac,
                 std::string_view target, bool tentative = false) {
  std::array<std::uint8_t, arp::message_size> bytes;
  arp::Message{operation, sender_mac, ip(sender), {}, ip(target)}.write(bytes.data());
  ArpSituation situation;
  situation.own_mac = own;
  situation.sender_is_ours = !tentative && sender == "10.0.0.1";
  situation.target_is_ours = !tentative && target == "10.0.0.1";
  situation.sender_is_tentative = tentative && sender == "10.0.0.1";
  situation.target_is_tentative = tentative && target == "10.0.0.1";
  return decide(arp::View::parse(bytes).value(), situation);
}

constexpr auto request = arp::Operation::request;
constexpr auto reply = arp::Operation::reply;

TEST(Arp, RequestForUsIsAnsweredAndTeaches) {
  // RFC 826 [RFC826-b]
  const auto decision = hear(request, "10.0.0.9", other, "10.0.0.1");
  EXPECT_TRUE(decision.answers);
  EXPECT_EQ(decision.lesson, Lesson::spoken_to);
}

TEST(Arp, RequestForAnotherOnlyUpdatesWhoIsKnown) {
  // RFC 826 [RFC826-b]
  const auto decision = hear(request, "10.0.0.9", other, "10.0.0.2");
  EXPECT_FALSE(decision.answers);
  EXPECT_EQ(decision.lesson, Lesson::overheard);
}

TEST(Arp, ReplyToUsIsAnAdvertisementWhichMakesNoEntry) {
  // BI-05
  EXPECT_EQ(hear(reply, "10.0.0.9", other, "10.0.0.1").lesson, Lesson::advertised);
  EXPECT_FALSE(hear(reply, "10.0.0.9", other, "10.0.0.1").answers);
}

TEST(Arp, ImpossibleSendersTeachNothing) {
  // BI-05
  for (const char* sender : {"255.255.255.255", "224.0.0.1", "127.0.0.1", "240.0.0.1"}) {
    EXPECT_EQ(hear(request, sender, other, "10.0.0.1").reason, DropReason::bad_arp) << sender;
  }
  EXPECT_EQ(hear(request, "10.0.0.9", MacAddress::broadcast(), "10.0.0.1").reason,
            DropReason::bad_arp);
  EXPECT_EQ(hear(request, "10.0.0.9", {{1, 0, 0x5e, 0, 0, 1}}, "10.0.0.1").reason,
            DropReason::bad_arp);
  EXPECT_EQ(hear(request, "10.0.0.9", {}, "10.0.0.1").reason, DropReason::bad_arp);
  EXPECT_EQ(hear(static_cast<arp::Operation>(9), "10.0.0.9", other, "10.0.0.1").reason,
            DropReason::bad_arp);
}

TEST(Arp, OurAddressInAnothersMouthIsAConflictAndNoEntry) {
  // RFC 5227 2.4 [RFC5227-2.4-a], BI-05
  const auto decision = hear(request, "10.0.0.1", other, "10.0.0.1");
  EXPECT_TRUE(decision.is_conflict);
  EXPECT_FALSE(decision.answers);
  EXPECT_EQ(decision.lesson, Lesson::nothing);
  EXPECT_FALSE(hear(request, "10.0.0.1", own, "10.0.0.1").is_conflict);
}

TEST(Arp, ProbeForOurAddressIsAnsweredAndTeachesNothing) {
  // RFC 5227 1.1
  const auto decision = hear(request, "0.0.0.0", other, "10.0.0.1");
  EXPECT_TRUE(decision.answers);
  EXPECT_EQ(decision.lesson, Lesson::nothing);
}

TEST(Arp, WhileProbingAnyUseAndAnyProbeOfTheAddressIsAConflict) {
  // RFC 5227 2.1.1 [RFC5227-2.1.1-a]
  EXPECT_TRUE(hear(reply, "10.0.0.1", other, "10.0.0.9", true).is_conflict);
  EXPECT_TRUE(hear(request, "0.0.0.0", other, "10.0.0.1", true).is_conflict);
  EXPECT_FALSE(hear(request, "0.0.0.0", own, "10.0.0.1", true).is_conflict);
  EXPECT_FALSE(hear(request, "10.0.0.9", other, "10.0.0.1", true).is_conflict);
}

TEST(Arp, ReplySwapsThePairsAndGoesToTheAskerAlone) {
  // RFC 826 [RFC826-c]
  const arp::Message asked{request, other, ip("10.0.0.9"), {}, ip("10.0.0.1")};
  const Packet frame = arp_reply(own, asked);
  const auto view = ethernet::View::parse(frame.front());
  ASSERT_TRUE(view);
  EXPECT_EQ(view->destination(), other);
  const auto message = arp::View::parse(view->payload()).value().message();
  EXPECT_EQ(message.operation, reply);
  EXPECT_EQ(message.sender_ip, ip("10.0.0.1"));
  EXPECT_EQ(message.sender_mac, own);
  EXPECT_EQ(message.target_ip, ip("10.0.0.9"));
  EXPECT_EQ(message.target_mac, other);
}

TEST(Arp, LinkLocalRepliesAreHeardByAll) {
  // RFC 3927 2.5 [RFC3927-2.5-a]
  const arp::Message asked{request, other, ip("169.254.1.9"), {}, ip("169.254.1.1")};
  const Packet frame = arp_reply(own, asked);
  EXPECT_TRUE(ethernet::View::parse(frame.front())->destination().is_broadcast());
}

}  // namespace
}  // namespace lanyard::link
