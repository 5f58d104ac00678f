// SPDX-License-Identifier: Apache-2.0
#include "wire/dns.hh"

#include <gtest/gtest.h>

#include "frames.hh"

namespace lanyard::dns {
namespace {

using wire::test::from_hex;

Name name_of(std::string_view text) {
  return *Name::parse(text);
}

// A header of no questions and one answer, then these bytes.
std::vector<std::uint8_t> answer_of(std::string_view hex) {
  auto bytes = from_hex("4242 8000 0000 0001 0000 0000");
  const auto rest = from_hex(hex);
  bytes.insert(bytes.end(), rest.begin(), rest.end());
  return bytes;
}

std::string reason_of(const std::vector<std::uint8_t>& bytes) {
  const auto message = Message::parse(bytes);
  return message ? "read" : std::string(message.error().reason);
}

TEST(DnsName, TextIsReadAndWritten) {
  EXPECT_EQ(to_text(name_of("Bob.Lab.")), "Bob.Lab");
  EXPECT_EQ(to_text(name_of(".")), ".");
  EXPECT_EQ(to_text(name_of(R"(a\.b.c\\d.\009e)")), R"(a\.b.c\\d.\009e)");
  EXPECT_EQ(name_of(R"(a\.b)").wire_size(), 5U);
  for (const char* bad :
       {"", "..", ".a", "a..b", R"(a\)", R"(\25)", R"(\256)", R"(\2x5)", R"(\25x)"}) {
    EXPECT_FALSE(Name::parse(bad)) << bad;
  }
}

// RFC 1035 2.3.4 [RFC1035-4.1.4-a]: labels of 63, names of 255 bytes.
TEST(DnsName, LimitsAreKept) {
  const std::string label(63, 'x');
  EXPECT_TRUE(Name::parse(label));
  EXPECT_FALSE(Name::parse(label + "x"));
  const std::string three = label + "." + label + "." + label + ".";
  EXPECT_EQ(name_of(three + std::string(61, 'y')).wire_size(), 255U);
  EXPECT_FALSE(Name::parse(three + std::string(62, 'y')));
}

// RFC 1035 2.3.3.
TEST(DnsName, CaseDoesNotMatter) {
  EXPECT_EQ(name_of("BOB.lab"), name_of("bob.LAB"));
  EXPECT_FALSE(name_of("bob.lab") < name_of("BOB.LAB"));
  EXPECT_NE(name_of("bob.lab"), name_of("bob.lac"));
  EXPECT_TRUE(name_of("www.BOB.lab").is_within(name_of("bob.lab")));
  EXPECT_TRUE(name_of("bob.lab").is_within(Name()));
  EXPECT_FALSE(name_of("xbob.lab").is_within(name_of("bob.lab")));
  EXPECT_EQ(to_text(name_of("www.BOB.lab").parent()), "BOB.lab");
}

// RFC 1035 4.1.4's own example.
TEST(DnsName, CompressionOfTheRfcsExampleIsFollowed) {
  std::vector<std::uint8_t> message(93, 0);
  const auto put = [&message](std::size_t at, std::string_view hex) {
    const auto bytes = from_hex(hex);
    std::copy(bytes.begin(), bytes.end(), message.begin() + static_cast<std::ptrdiff_t>(at));
  };
  put(20, "0146 03495349 0441525041 00");
  put(40, "03464f4f c014");
  put(64, "c01a");
  put(92, "00");
  const auto at = [&message](std::size_t from, std::size_t& end) {
    end = from;
    return to_text(*Name::read(message, end));
  };
  std::size_t end = 0;
  EXPECT_EQ(at(20, end), "F.ISI.ARPA");
  EXPECT_EQ(end, 32U);
  EXPECT_EQ(at(40, end), "FOO.F.ISI.ARPA");
  EXPECT_EQ(end, 46U);
  EXPECT_EQ(at(64, end), "ARPA");
  EXPECT_EQ(at(92, end), ".");
}

// RFC 1035 4.1.4 [RFC1035-4.1.4-a], BI-83: pointers to themselves, forward, outside, into the
// header, in loops.
TEST(DnsName, PointersThatDoNotGoBackwardsAreRefused) {
  const std::string fixed = "0001 0001 00000000 0004 0a000001";
  EXPECT_EQ(reason_of(answer_of("c00c" + fixed)), "pointer does not go backwards");
  EXPECT_EQ(reason_of(answer_of("c00e" + fixed)), "pointer does not go backwards");
  EXPECT_EQ(reason_of(answer_of("ffff" + fixed)), "pointer does not go backwards");
  EXPECT_EQ(reason_of(answer_of("c00b" + fixed)), "pointer into the header");
  EXPECT_EQ(reason_of(answer_of("c000" + fixed)), "pointer into the header");
  EXPECT_EQ(reason_of(answer_of("0161c00c" + fixed)), "pointer does not go backwards");
  EXPECT_EQ(reason_of(answer_of("40" + fixed)), "unknown label type");
  EXPECT_EQ(reason_of(answer_of("80" + fixed)), "unknown label type");
  EXPECT_EQ(reason_of(answer_of("c0")), "pointer cut short");
  EXPECT_EQ(reason_of(answer_of("3f61")), "label leaves the message");
  EXPECT_EQ(reason_of(answer_of("0161")), "name leaves the message");
}

// BI-83: 8000 pointers, each to the one before, and a name of them in each of many records.
TEST(DnsName, ChainsOfPointersAreBounded) {
  auto bytes = from_hex("4242 8000 0000 0001 0000 0000 00");
  std::size_t target = 12;
  while (bytes.size() < 0x3ff0) {
    const std::size_t here = bytes.size();
    bytes.push_back(static_cast<std::uint8_t>(0xc0 | (target >> 8)));
    bytes.push_back(static_cast<std::uint8_t>(target));
    target = here;
  }
  std::size_t at = target;
  EXPECT_EQ(Name::read(bytes, at).error().reason, "too many pointers");
}

Message every_type() {
  Message message{.id = 7, .is_response = true, .opcode = 2, .is_authoritative = true};
  message.recursion_desired = message.recursion_available = true;
  message.authentic_data = message.checking_disabled = true;
  message.response_code = 0x123;
  message.questions = {{name_of("www.bob.lab"), Type::any, Class::any}};
  const auto add = [](std::vector<Record>& to, std::string_view name, Type type, Data data) {
    to.push_back({.name = name_of(name), .type = type, .ttl_s = 60, .data = std::move(data)});
  };
  add(message.answers, "www.bob.lab", Type::cname, name_of("bob.lab"));
  add(message.answers, "bob.lab", Type::a, IpAddress::v4(10, 0, 0, 2));
  add(message.answers, "bob.lab", Type::aaaa, *IpAddress::parse("2001:db8::2"));
  add(message.answers, "lab", Type::mx, Mx{5, name_of("mail.lab")});
  add(message.answers, "lab", Type::txt, Txt{{"one", "", std::string(255, 'x')}});
  add(message.answers, "_http._tcp.lab", Type::srv, Srv{1, 2, 80, name_of("bob.lab")});
  add(message.authorities, "lab", Type::ns, name_of("ns.lab"));
  add(message.authorities, "lab", Type::soa,
      Soa{name_of("ns.lab"), name_of("root.lab"), 1, 2, 3, 4, 5});
  add(message.additionals, "2.0.0.10.in-addr.arpa", Type::ptr, name_of("bob.lab"));
  add(message.additionals, "lab", static_cast<Type>(65280), Opaque{{1, 2, 3}});
  message.edns = Edns{.udp_size = 4096, .dnssec_ok = true, .options = {0, 10, 0, 0}};
  return message;
}

TEST(Dns, EveryRecordTypeIsReadAsItWasWritten) {
  const Message message = every_type();
  const auto bytes = message.write();
  const auto again = Message::parse(bytes);
  ASSERT_TRUE(again) << again.error().reason << " at " << again.error().offset;
  EXPECT_EQ(*again, message);
  EXPECT_EQ(to_text(message.answers[1]), "bob.lab A 10.0.0.2");
}

TEST(Dns, NamesAreCompressed) {
  Message message;
  message.questions = {{name_of("www.bob.lab"), Type::a}};
  for (int i = 0; i < 10; ++i) {
    message.answers.push_back({.name = name_of("WWW.bob.lab"), .data = IpAddress::v4(1, 2, 3, 4)});
  }
  EXPECT_EQ(message.write().size(), 12U + 17 + 10 * 16);
}

// RFC 2181 9: what does not fit is left out, and TC says so.
TEST(Dns, LongAnswersAreCutAtARecord) {
  Message message;
  message.questions = {{name_of("bob.lab"), Type::a}};
  for (std::uint8_t i = 0; i < 100; ++i) {
    message.answers.push_back({.name = name_of("bob.lab"), .data = IpAddress::v4(1, 2, 3, i)});
  }
  message.edns = Edns{};
  const auto bytes = message.write(udp_size_max);
  EXPECT_LE(bytes.size(), udp_size_max);
  const auto cut = Message::parse(bytes);
  ASSERT_TRUE(cut);
  EXPECT_TRUE(cut->is_truncated);
  EXPECT_EQ(cut->answers.size(), (512U - 12 - 13 - 11) / 16);
  EXPECT_TRUE(cut->edns);
  EXPECT_FALSE(Message::parse(message.write())->is_truncated);
}

// BI-85, RFC 9267 5 [RFC9267-a]: RDLENGTH 0, 65535, or not that of an address.
TEST(Dns, RecordLengthsThatLieAreRefused) {
  EXPECT_EQ(reason_of(answer_of("00 0001 0001 00000000 0004 0a000001")), "read");
  EXPECT_EQ(reason_of(answer_of("00 0001 0001 00000000 0000")), "address record of a wrong length");
  EXPECT_EQ(reason_of(answer_of("00 0001 0001 00000000 ffff 0a000001")),
            "RDLENGTH leaves the message");
  EXPECT_EQ(reason_of(answer_of("00 0001 0001 00000000 0005 0a00000100")),
            "address record of a wrong length");
  EXPECT_EQ(reason_of(answer_of("00 001c 0001 00000000 0004 0a000001")),
            "address record of a wrong length");
  EXPECT_EQ(reason_of(answer_of("00 0005 0001 00000000 0002 0000")),
            "record longer than its content");
  EXPECT_EQ(reason_of(answer_of("00 0005 0001 00000000 0001 01")), "label leaves the message");
  EXPECT_EQ(reason_of(answer_of("00 0006 0001 00000000 0006 0000 00000000")),
            "SOA record cut short");
  EXPECT_EQ(reason_of(answer_of("00 0010 0001 00000000 0002 0261")),
            "TXT string leaves its record");
  EXPECT_EQ(reason_of(answer_of("00 0010 0001 00000000 0000")), "TXT record without a string");
  EXPECT_EQ(reason_of(answer_of("00 0021 0001 00000000 0006 000000000000")),
            "SRV record cut short");
  EXPECT_EQ(reason_of(answer_of("00 0001 0001 000000")), "record cut short");
}

// BI-85: counts larger than the records present; 65535 answers.
TEST(Dns, CountsThatLieAreRefused) {
  auto bytes = answer_of("00 0001 0001 00000000 0004 0a000001");
  for (const std::size_t at : {4U, 6U, 8U, 10U}) {
    auto bad = bytes;
    store16(bad.data() + at, 0xffff);
    EXPECT_FALSE(Message::parse(bad)) << at;
  }
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(Message::parse(Bytes(bytes).first(size))) << size;
  }
}

// RFC 2181 8 [RFC2181-5.2-a].
TEST(Dns, TimeToLiveWithItsTopBitSetIsZero) {
  const auto bytes = answer_of("00 0001 0001 80000001 0004 0a000001");
  EXPECT_EQ(Message::parse(bytes)->answers[0].ttl_s, 0U);
}

// RFC 6891 6.1.1 [RFC6891-6-a]: one OPT, of the root, among the additional records.
TEST(Dns, OptRecordsElsewhereAreRefused) {
  EXPECT_EQ(reason_of(answer_of("00 0029 1000 00000000 0000")), "OPT record where none may be");
  const std::string opt = "00 0029 1000 00000000 0000";
  auto bytes = from_hex("4242 8000 0000 0000 0000 0002" + opt + opt);
  EXPECT_EQ(reason_of(bytes), "OPT record where none may be");
  bytes[11] = 1;
  EXPECT_EQ(Message::parse(bytes)->edns->udp_size, 4096);
}

// An AAAA record must not smuggle an IPv4 address in (RFC 4291 2.5.5.2).
TEST(Dns, MappedAddressesAreNoAddresses) {
  const auto bytes = answer_of("00 001c 0001 00000000 0010 00000000000000000000ffff0a000001");
  const auto message = Message::parse(bytes);
  ASSERT_TRUE(message);
  EXPECT_TRUE(std::holds_alternative<Opaque>(message->answers[0].data));
}

}  // namespace
}  // namespace lanyard::dns
