// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "wire/dns.hh"

namespace lanyard::dns {

std::string to_text(Type type) {
  switch (type) {
    case Type::a:
      return "A";
    case Type::ns:
      return "NS";
    case Type::cname:
      return "CNAME";
    case Type::soa:
      return "SOA";
    case Type::ptr:
      return "PTR";
    case Type::mx:
      return "MX";
    case Type::txt:
      return "TXT";
    case Type::aaaa:
      return "AAAA";
    case Type::srv:
      return "SRV";
    case Type::opt:
      return "OPT";
    case Type::any:
      return "ANY";
  }
  return fmt::format("TYPE{}", static_cast<unsigned>(type));  // RFC 3597 5
}

std::string response_code_text(std::uint16_t code) {
  switch (code) {
    case 0:
      return "No error";
    case 1:
      return "Format error";
    case 2:
      return "Server failure";
    case 3:
      return "No such name";
    case 4:
      return "Not implemented";
    case 5:
      return "Refused";
    default:
      return fmt::format("Response code {}", code);
  }
}

namespace {

struct DataText {
  std::string operator()(const IpAddress& address) const { return lanyard::to_text(address); }
  std::string operator()(const Name& name) const { return to_text(name); }
  std::string operator()(const Soa& soa) const {
    return fmt::format("{} {} {} {} {} {} {}", to_text(soa.primary), to_text(soa.mailbox),
                       soa.serial, soa.refresh_s, soa.retry_s, soa.expire_s, soa.minimum_s);
  }
  std::string operator()(const Mx& mx) const {
    return fmt::format("{} {}", mx.preference, to_text(mx.exchange));
  }
  std::string operator()(const Txt& txt) const {
    std::string text;
    for (const std::string& part : txt.strings) {
      text += text.empty() ? "\"" : " \"";
      for (const char c : part) {
        const auto byte = static_cast<std::uint8_t>(c);
        if (byte < 0x20 || byte >= 0x7f) {
          text += fmt::format("\\{:03}", byte);
          continue;
        }
        if (c == '"' || c == '\\') text += '\\';
        text += c;
      }
      text += '"';
    }
    return text;
  }
  std::string operator()(const Srv& srv) const {
    return fmt::format("{} {} {} {}", srv.priority, srv.weight, srv.port, to_text(srv.target));
  }
  std::string operator()(const Opaque& opaque) const {
    return fmt::format("\\# {} {:02x}", opaque.bytes.size(), fmt::join(opaque.bytes, ""));
  }
};

}  // namespace

std::string to_text(const Data& data) {
  return std::visit(DataText{}, data);
}

std::string to_text(const Record& record) {
  return fmt::format("{} {} {}", to_text(record.name), to_text(record.type), to_text(record.data));
}

}  // namespace lanyard::dns
