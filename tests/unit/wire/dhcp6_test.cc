// SPDX-License-Identifier: Apache-2.0
#include "wire/dhcp6.hh"

#include <gtest/gtest.h>

#include "frames.hh"

namespace lanyard::dhcp6 {
namespace {

using wire::test::from_hex;

Message reply() {
  Message message;
  message.type = Type::reply;
  message.transaction = 0x123456;
  message.client = duid_of(wire::test::alice_mac);
  message.server = duid_of(wire::test::bob_mac);
  message.ia = Ia{.id = 7,
                  .t1_s = 100,
                  .t2_s = 160,
                  .addresses = {{*IpAddress::parse("2001:db8::1000"), 200, 300}},
                  .status = Status::success};
  message.preference = 9;
  message.elapsed = 250;
  message.name_servers = {*IpAddress::parse("2001:db8::53")};
  return message;
}

std::string problem_of(std::string_view hex) {
  const auto message = parse(from_hex(hex));
  return message ? "" : std::string(message.error());
}

TEST(Dhcp6, AMessageReadsAsItWasWritten) {
  Message message = reply();
  EXPECT_EQ(parse(write(message)), message);
  message.ia->addresses.clear();
  message.ia->status = Status::no_addresses;
  message.status = Status::no_addresses;
  EXPECT_EQ(parse(write(message)), message);
}

TEST(Dhcp6, OptionsThatLeadOutsideAndImpossibleOnesRefuseTheMessage) {
  // RFC 8415 21 BI-90
  EXPECT_EQ(problem_of("07123456"), "");
  EXPECT_EQ(problem_of("071234"), "cut short");
  EXPECT_EQ(problem_of("0c123456"), "no message between client and server");
  const std::string outside = "an option is longer than what is left";
  EXPECT_EQ(problem_of("07123456 0001"), outside);
  EXPECT_EQ(problem_of("07123456 0001 000a 00030001"), outside);
  EXPECT_EQ(problem_of("07123456 0001 0000"), "a DUID of an impossible length");
  EXPECT_EQ(problem_of("07123456 0002 0002 0003"), "a DUID of an impossible length");
  EXPECT_EQ(problem_of("07123456 0003 0004 00000001"), "an IA is cut short");
  // An option in an IA that leads out of it, though not out of the message.
  EXPECT_EQ(problem_of("07123456 0003 0010 00000001 00000000 00000000 0005 0018 000e 0000"),
            outside);
  // An address that is cut short.
  EXPECT_EQ(problem_of("07123456 0003 0014 00000001 00000000 00000000 0005 0004 20010db8"),
            outside);
  Message message = reply();
  message.client.assign(200, 1);
  EXPECT_FALSE(parse(write(message)));
}

TEST(Dhcp6, AThousandAddressesAreAFewAndAnIaInAnIaIsNothing) {
  // BI-90
  Message message = reply();
  message.ia->addresses.assign(1000, message.ia->addresses[0]);
  EXPECT_EQ(parse(write(message))->ia->addresses.size(), addresses_max);
  const auto nested = parse(from_hex(
      "07123456 0003 001c 00000001 00000000 00000000 0003 000c 00000002 00000000 00000000"));
  ASSERT_TRUE(nested);
  EXPECT_EQ(nested->ia->id, 1u);
  EXPECT_TRUE(nested->ia->addresses.empty());
}

TEST(Dhcp6, AnAddressWithABadStatusOrPreferredBeyondValidIsNotGiven) {
  // RFC 8415 21.6, 21.13, BI-90
  Message message = reply();
  message.ia->addresses[0].preferred_s = 301;
  EXPECT_TRUE(parse(write(message))->ia->addresses.empty());
  const std::string address = "20010db8000000000000000000001000 00000064 000000c8";
  const auto bad = parse(from_hex("07123456 0003 002e 00000001 00000000 00000000 0005 001e " +
                                  address + " 000d 0002 0004"));
  ASSERT_TRUE(bad) << bad.error();
  EXPECT_TRUE(bad->ia->addresses.empty());
  const auto good = parse(from_hex("07123456 0003 002e 00000001 00000000 00000000 0005 001e " +
                                   address + " 000d 0002 0000"));
  EXPECT_EQ(good->ia->addresses.size(), 1u);
}

// RFC 8415 21.6: what stands in an address beside a status is skipped; a status too short to be one
// is no success, and what leads out of the address spoils the message (BI-90).
TEST(Dhcp6, OptionsWithinAnAddressAreReadWithTheSameCare) {
  const std::string address = "20010db8000000000000000000001000 00000064 000000c8";
  const auto with = [&](const std::string& size, const std::string& ia_size,
                        const std::string& options) {
    return parse(from_hex("07123456 0003 " + ia_size + " 00000001 00000000 00000000 0005 " + size +
                          address + options));
  };
  const auto other = with("001d", "002d", "00aa 0001 07");
  ASSERT_TRUE(other) << other.error();
  EXPECT_EQ(other->ia->addresses.size(), 1U);
  const auto short_status = with("001d", "002d", "000d 0001 00");
  ASSERT_TRUE(short_status) << short_status.error();
  EXPECT_TRUE(short_status->ia->addresses.empty());
  const auto outside = with("001d", "002d", "000d 0009 00");
  ASSERT_FALSE(outside);
  EXPECT_EQ(outside.error(), "an option is longer than what is left");
}

// RFC 8415 7.3
TEST(Dhcp6, MessagesHaveTheirNamesAndThoseOfRelaysAreNone) {
  constexpr std::array<std::string_view, 9> names{"Solicit", "Advertise", "Request",
                                                  "Confirm", "Renew",     "Rebind",
                                                  "Reply",   "Release",   "Decline"};
  for (std::uint8_t type = 1; type <= 9; ++type)
    EXPECT_EQ(to_text(static_cast<Type>(type)), names[type - 1U]);
  EXPECT_EQ(to_text(static_cast<Type>(11)), "Information-request");
  EXPECT_EQ(to_text(static_cast<Type>(77)), "unknown type");
  EXPECT_EQ(problem_of("0b 123456"), "");
  for (const char* other : {"00 123456", "0a 123456", "0c 123456", "0d 123456"})
    EXPECT_EQ(problem_of(other), "no message between client and server");
}

TEST(Dhcp6, AnOptionOfAnotherSizeOrForTheSecondTimeSaysNothing) {
  // elapsed time of one octet
  const auto short_elapsed = parse(from_hex("01 123456 0008 0001 05"));
  ASSERT_TRUE(short_elapsed);
  EXPECT_FALSE(short_elapsed->elapsed);
  // two IAs: the first counts
  const auto two =
      parse(from_hex("01 123456 0003 000c 00000001 00000000 00000000"
                     "0003 000c 00000002 00000000 00000000"));
  ASSERT_TRUE(two && two->ia);
  EXPECT_EQ(two->ia->id, 1U);
  // and a message without anybody's name is written without it
  Message bare;
  bare.type = Type::information_request;
  EXPECT_EQ(write(bare).size(), 4U);
  EXPECT_EQ(parse(write(bare)), bare);
}

}  // namespace
}  // namespace lanyard::dhcp6
