// SPDX-License-Identifier: Apache-2.0
// What the lab's name server answers, message by message.
#include "application/dns_server.hh"

#include <gtest/gtest.h>

namespace lanyard::application {
namespace {

using dns::Message;
using dns::Question;
using dns::ResponseCode;
using dns::Type;

Zone zone() {
  return Zone({{"bob", IpAddress::v4(10, 0, 2, 2)},
               {"bob", *IpAddress::parse("fd00::2:2")},
               {"", IpAddress::v4(1, 1, 1, 1)}});
}

Message ask(const Zone& of, const char* name, Type type, std::uint16_t udp_size = 0) {
  Message question;
  question.id = 77;
  question.recursion_desired = true;
  question.questions = {{*dns::Name::parse(name), type}};
  if (udp_size > 0) question.edns.emplace().udp_size = udp_size;
  const auto answer = of.answer(question.write(), dns::udp_size_max);
  EXPECT_TRUE(answer);
  return *Message::parse(*answer);
}

ResponseCode code(const Message& message) {
  return static_cast<ResponseCode>(message.response_code);
}

TEST(Zone, AnAddressIsAnsweredWithAuthorityWhateverTheCase) {
  for (const char* name : {"bob", "BoB", "bob."}) {
    const Message answer = ask(zone(), name, Type::a);
    EXPECT_TRUE(answer.is_response);
    EXPECT_TRUE(answer.is_authoritative);
    EXPECT_EQ(answer.id, 77);
    ASSERT_EQ(answer.answers.size(), 1U);
    EXPECT_EQ(std::get<IpAddress>(answer.answers[0].data), IpAddress::v4(10, 0, 2, 2));
  }
}

TEST(Zone, BothFamiliesAreThereForAny) {
  EXPECT_EQ(ask(zone(), "bob", Type::any).answers.size(), 2U);
}

TEST(Zone, ReverseNamesLeadBack) {
  for (const char* address : {"10.0.2.2", "fd00::2:2"}) {
    const Message answer =
        ask(zone(), to_text(reverse_name(*IpAddress::parse(address))).c_str(), Type::ptr);
    ASSERT_EQ(answer.answers.size(), 1U) << address;
    EXPECT_EQ(to_text(std::get<dns::Name>(answer.answers[0].data)), "bob");
  }
  EXPECT_EQ(to_text(reverse_name(IpAddress::v4(10, 0, 2, 1))), "1.2.0.10.in-addr.arpa");
}

TEST(Zone, AReverseNameHasOneSpellingWhateverTheCaseOfItsLetters) {
  for (const char* text : {"10.0.2.2", "0.0.0.0", "255.1.20.3", "fd00::a:b", "::"}) {
    const IpAddress address = *IpAddress::parse(text);
    EXPECT_EQ(address_of_reverse(reverse_name(address)), address) << text;
  }
  const auto is_one = [](const char* text) {
    return address_of_reverse(*dns::Name::parse(text)).has_value();
  };
  EXPECT_TRUE(is_one("2.2.0.10.IN-Addr.arpa"));
  for (const char* text :
       {"02.2.0.10.in-addr.arpa", "256.2.0.10.in-addr.arpa", "x.2.0.10.in-addr.arpa",
        "2.0.10.in-addr.arpa", "2.2.0.10.ip6.arpa", "bob", "."})
    EXPECT_FALSE(is_one(text)) << text;
}

TEST(Zone, ANameThatChangesTakesItsWayBackWithItAndLeavesOthersTheirs) {
  const IpAddress shared = IpAddress::v4(10, 0, 2, 9), other = IpAddress::v4(10, 0, 2, 8);
  Zone changing({{"one", shared}, {"two", shared}});
  changing.set("ONE", {other});
  const std::string back = to_text(reverse_name(shared));
  const auto left = ask(changing, back.c_str(), Type::ptr);
  ASSERT_EQ(left.answers.size(), 1U);
  EXPECT_EQ(to_text(std::get<dns::Name>(left.answers[0].data)), "two");
  changing.set("two", {});
  EXPECT_EQ(ask(changing, back.c_str(), Type::ptr).answers.size(), 0U);
  ASSERT_EQ(ask(changing, "one", Type::a).answers.size(), 1U);
  EXPECT_EQ(std::get<IpAddress>(ask(changing, "one", Type::a).answers[0].data), other);
}

TEST(Zone, AnUnknownNameIsANameErrorAndAKnownOneWithoutTheTypeIsNot) {
  const Message unknown = ask(zone(), "carol", Type::a);
  EXPECT_EQ(code(unknown), ResponseCode::name_error);
  const Message other_type = ask(zone(), "bob", Type::mx);
  EXPECT_EQ(code(other_type), ResponseCode::no_error);
  EXPECT_TRUE(other_type.answers.empty());
  for (const Message& message : {unknown, other_type}) {  // RFC 2308 3
    ASSERT_EQ(message.authorities.size(), 1U);
    EXPECT_EQ(message.authorities[0].type, Type::soa);
  }
}

TEST(Zone, WhatCannotBeAnsweredIsRefusedWithTheRightCode) {
  Message question;
  question.opcode = 4;
  question.questions = {{*dns::Name::parse("bob"), Type::a}};
  EXPECT_EQ(code(*Message::parse(*zone().answer(question.write(), 512))),
            ResponseCode::not_implemented);
  question.opcode = 0;
  question.questions.clear();
  EXPECT_EQ(code(*Message::parse(*zone().answer(question.write(), 512))),
            ResponseCode::format_error);
  question.questions = {{*dns::Name::parse("bob"), Type::a, dns::Class{3}}};
  EXPECT_EQ(code(*Message::parse(*zone().answer(question.write(), 512))), ResponseCode::refused);
}

TEST(Zone, AnAnswerIsNeverAnsweredAndScrapsNeither) {
  Message question;
  question.is_response = true;
  EXPECT_FALSE(zone().answer(question.write(), 512));
  EXPECT_FALSE(zone().answer(bytes_of("short"), 512));
}

// BI-83: a compression pointer to itself; the whole message is refused.
TEST(Zone, AMalformedQuestionIsAFormatError) {
  std::vector<std::uint8_t> bytes = {0, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1};
  const auto answer = zone().answer(bytes, 512);
  ASSERT_TRUE(answer);
  const auto message = Message::parse(*answer);
  EXPECT_EQ(code(*message), ResponseCode::format_error);
  EXPECT_EQ(message->id, 9);
}

TEST(Zone, TooMuchForADatagramIsCutAndSaysSo) {
  std::vector<std::pair<std::string, IpAddress>> names;
  for (std::uint8_t i = 0; i < 60; ++i) names.emplace_back("many", IpAddress::v4(10, 1, 1, i));
  const Zone large(names);
  EXPECT_TRUE(ask(large, "many", Type::a).is_truncated);
  const Message whole = ask(large, "many", Type::a, 1232);
  EXPECT_FALSE(whole.is_truncated);
  EXPECT_EQ(whole.answers.size(), 60U);
}

}  // namespace
}  // namespace lanyard::application
