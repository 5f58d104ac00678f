// SPDX-License-Identifier: Apache-2.0
// Reading DNS messages. RFC 9267 lists the ways in which others went wrong here.
#include <utility>

#include "wire/dns.hh"

namespace lanyard::dns {
namespace {

std::unexpected<Error> error(std::size_t at, std::string_view reason) {
  return std::unexpected(Error{at, reason});
}

// Reads RDATA in [at, end) of the message. Names may point outside of it but must end inside.
struct DataReader {
  Bytes message;
  std::size_t at;
  std::size_t end;

  [[nodiscard]] std::size_t left() const { return end - at; }
  [[nodiscard]] Bytes bytes() const { return message.subspan(at, left()); }

  std::expected<Name, Error> name() { return Name::read(message.first(end), at); }
  std::uint16_t number16() {
    at += 2;
    return load16(message.data() + at - 2);
  }
  std::uint32_t number32() {
    at += 4;
    return load32(message.data() + at - 4);
  }
};

using Result = std::expected<Data, Error>;

// RFC 9267 5 [RFC9267-a], BI-85: an address has exactly its size.
Result read_address(DataReader& reader, std::size_t size) {
  if (reader.left() != size) return error(reader.at, "address record of a wrong length");
  const std::uint8_t* from = reader.bytes().data();
  reader.at = reader.end;
  if (size == 4) return IpAddress::from_v4_bytes(from);
  const IpAddress address = IpAddress::from_v6_bytes(from);
  // Inside, the mapped form is an IPv4 address, which no AAAA record may name.
  if (address.is_v4()) return Opaque{{from, from + size}};
  return address;
}

Result read_name(DataReader& reader) {
  auto name = reader.name();
  if (!name) return std::unexpected(name.error());
  return *std::move(name);
}

Result read_soa(DataReader& reader) {
  Soa soa;
  auto primary = reader.name();
  if (!primary) return std::unexpected(primary.error());
  auto mailbox = reader.name();
  if (!mailbox) return std::unexpected(mailbox.error());
  if (reader.left() < 20) return error(reader.at, "SOA record cut short");
  soa.primary = *std::move(primary);
  soa.mailbox = *std::move(mailbox);
  soa.serial = reader.number32();
  soa.refresh_s = reader.number32();
  soa.retry_s = reader.number32();
  soa.expire_s = reader.number32();
  soa.minimum_s = reader.number32();
  return soa;
}

Result read_mx(DataReader& reader) {
  if (reader.left() < 3) return error(reader.at, "MX record cut short");
  Mx mx;
  mx.preference = reader.number16();
  auto exchange = reader.name();
  if (!exchange) return std::unexpected(exchange.error());
  mx.exchange = *std::move(exchange);
  return mx;
}

Result read_srv(DataReader& reader) {
  if (reader.left() < 7) return error(reader.at, "SRV record cut short");
  Srv srv;
  srv.priority = reader.number16();
  srv.weight = reader.number16();
  srv.port = reader.number16();
  auto target = reader.name();
  if (!target) return std::unexpected(target.error());
  srv.target = *std::move(target);
  return srv;
}

Result read_txt(DataReader& reader) {
  Txt txt;
  while (reader.left() > 0) {
    const std::size_t size = reader.message[reader.at];
    if (size + 1 > reader.left()) return error(reader.at, "TXT string leaves its record");
    txt.strings.emplace_back(text_of(reader.message.subspan(reader.at + 1, size)));
    reader.at += size + 1;
  }
  if (txt.strings.empty()) return error(reader.at, "TXT record without a string");
  return txt;
}

Result read_opaque(DataReader& reader) {
  const Bytes bytes = reader.bytes();
  reader.at = reader.end;
  return Opaque{{bytes.begin(), bytes.end()}};
}

Result read_data(DataReader& reader, Type type, Class rclass) {
  if (rclass != Class::internet) return read_opaque(reader);
  switch (type) {
    case Type::a:
      return read_address(reader, 4);
    case Type::aaaa:
      return read_address(reader, 16);
    case Type::ns:
    case Type::cname:
    case Type::ptr:
      return read_name(reader);
    case Type::soa:
      return read_soa(reader);
    case Type::mx:
      return read_mx(reader);
    case Type::txt:
      return read_txt(reader);
    case Type::srv:
      return read_srv(reader);
    case Type::opt:
    case Type::any:
      return read_opaque(reader);
  }
  return read_opaque(reader);
}

std::uint32_t ttl_of(std::uint32_t field, Type type) {
  // RFC 2181 8 [RFC2181-5.2-a]: a TTL with its top bit set is zero. OPT uses the field otherwise.
  return type != Type::opt && (field & 0x80000000U) != 0 ? 0 : field;
}

// RFC 6891 6.1.3: an OPT record's class is a size, its TTL flags.
Edns edns_of(Record&& record, std::uint16_t& response_code) {
  Edns edns;
  edns.udp_size = static_cast<std::uint16_t>(record.rclass);
  edns.version = static_cast<std::uint8_t>(record.ttl_s >> 16);
  edns.dnssec_ok = (record.ttl_s & 0x8000) != 0;
  edns.options = std::get<Opaque>(std::move(record.data)).bytes;
  response_code = static_cast<std::uint16_t>(response_code | (record.ttl_s >> 24 << 4));
  return edns;
}

void read_flags(std::uint16_t flags, Message& into) {
  into.is_response = (flags & 0x8000) != 0;
  into.opcode = static_cast<std::uint8_t>(flags >> 11 & 0x0f);
  into.is_authoritative = (flags & 0x0400) != 0;
  into.is_truncated = (flags & 0x0200) != 0;
  into.recursion_desired = (flags & 0x0100) != 0;
  into.recursion_available = (flags & 0x0080) != 0;
  into.authentic_data = (flags & 0x0020) != 0;
  into.checking_disabled = (flags & 0x0010) != 0;
  into.response_code = flags & 0x000f;
}

// Reads one section's records, taking the OPT record out of the additional ones.
std::optional<Error> read_section(Bytes bytes, std::size_t& at, std::size_t count,
                                  std::vector<Record>& into, Message* takes_edns) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t start = at;
    auto record = read_record(bytes, at);
    if (!record) return record.error();
    if (record->type != Type::opt) {
      into.push_back(*std::move(record));
      continue;
    }
    if (takes_edns == nullptr || takes_edns->edns || !record->name.is_root()) {
      return Error{start, "OPT record where none may be"};
    }
    takes_edns->edns = edns_of(*std::move(record), takes_edns->response_code);
  }
  return std::nullopt;
}

}  // namespace

std::expected<Question, Error> read_question(Bytes message, std::size_t& at) {
  auto name = Name::read(message, at);
  if (!name) return std::unexpected(name.error());
  if (message.size() - at < 4) return error(at, "question cut short");
  const auto type = static_cast<Type>(load16(message.data() + at));
  const auto qclass = static_cast<Class>(load16(message.data() + at + 2));
  at += 4;
  return Question{*std::move(name), type, qclass};
}

std::expected<Record, Error> read_record(Bytes message, std::size_t& at) {
  auto name = Name::read(message, at);
  if (!name) return std::unexpected(name.error());
  if (message.size() - at < 10) return error(at, "record cut short");
  const std::uint8_t* fixed = message.data() + at;
  Record record{.name = *std::move(name),
                .type = static_cast<Type>(load16(fixed)),
                .rclass = static_cast<Class>(load16(fixed + 2)),
                .ttl_s = 0,
                .data = {}};
  record.ttl_s = ttl_of(load32(fixed + 4), record.type);
  const std::size_t size = load16(fixed + 8);
  at += 10;
  // BI-85: RDLENGTH may not lead out of the message, and its content must fill it exactly.
  if (size > message.size() - at) return error(at - 2, "RDLENGTH leaves the message");
  DataReader reader{message, at, at + size};
  auto data = read_data(reader, record.type, record.rclass);
  if (!data) return std::unexpected(data.error());
  if (reader.left() != 0) return error(reader.at, "record longer than its content");
  record.data = *std::move(data);
  at += size;
  return record;
}

// BI-85: a count larger than what is there is found when the bytes end; nothing is reserved by it.
std::expected<Message, Error> Message::parse(Bytes bytes) {
  if (bytes.size() < header_size) return error(0, "message shorter than its header");
  Message message;
  message.id = load16(bytes.data());
  read_flags(load16(bytes.data() + 2), message);
  std::size_t at = header_size;
  for (std::size_t i = load16(bytes.data() + 4); i > 0; --i) {
    auto question = read_question(bytes, at);
    if (!question) return std::unexpected(question.error());
    message.questions.push_back(*std::move(question));
  }
  const auto read = [&](std::size_t count_at, std::vector<Record>& into, Message* takes_edns) {
    return read_section(bytes, at, load16(bytes.data() + count_at), into, takes_edns);
  };
  if (const auto bad = read(6, message.answers, nullptr)) return std::unexpected(*bad);
  if (const auto bad = read(8, message.authorities, nullptr)) return std::unexpected(*bad);
  if (const auto bad = read(10, message.additionals, &message)) return std::unexpected(*bad);
  return message;
}

}  // namespace lanyard::dns
