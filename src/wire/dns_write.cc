// SPDX-License-Identifier: Apache-2.0
// Writing DNS messages with the compression of RFC 1035 4.1.4.
#include <map>

#include "core/check.hh"
#include "wire/dns.hh"

namespace lanyard::dns {
namespace {

constexpr std::size_t pointer_target_max = 0x3fff;

// A message being written. What was added last can be taken back.
class Writer {
 public:
  void number8(unsigned value) { bytes_.push_back(static_cast<std::uint8_t>(value)); }
  void number16(unsigned value) {
    number8(value >> 8);
    number8(value & 0xff);
  }
  void number32(std::uint32_t value) {
    number16(value >> 16);
    number16(value & 0xffff);
  }
  void bytes(Bytes from) { bytes_.insert(bytes_.end(), from.begin(), from.end()); }

  // Each suffix that was written before is pointed at; `compress` false: written out, as RFC 3597 4
  // wants in the data of newer types.
  void name(const Name& name, bool compress = true) {
    for (Name rest = name; !rest.is_root(); rest = rest.parent()) {
      const auto known = places_.find(rest);
      if (compress && known != places_.end()) return number16(0xc000U | unsigned(known->second));
      if (bytes_.size() <= pointer_target_max) places_.emplace(rest, bytes_.size());
      number8(unsigned(rest.first_label().size()));
      bytes(bytes_of(rest.first_label()));
    }
    number8(0);
  }

  void data(const IpAddress& address) { bytes(address.wire_bytes()); }
  void data(const Name& target) { name(target); }
  void data(const Soa& soa) {
    name(soa.primary);
    name(soa.mailbox);
    for (const std::uint32_t value :
         {soa.serial, soa.refresh_s, soa.retry_s, soa.expire_s, soa.minimum_s}) {
      number32(value);
    }
  }
  void data(const Mx& mx) {
    number16(mx.preference);
    name(mx.exchange);
  }
  void data(const Txt& txt) {
    for (const std::string& text : txt.strings) {
      CHECK(text.size() <= 255);
      number8(unsigned(text.size()));
      bytes(bytes_of(text));
    }
  }
  void data(const Srv& srv) {
    number16(srv.priority);
    number16(srv.weight);
    number16(srv.port);
    name(srv.target, false);  // RFC 2782: no compression here
  }
  void data(const Opaque& opaque) { bytes(opaque.bytes); }

  void question(const Question& question) {
    name(question.name);
    number16(static_cast<unsigned>(question.type));
    number16(static_cast<unsigned>(question.qclass));
  }

  void record(const Record& record) {
    name(record.name);
    number16(static_cast<unsigned>(record.type));
    number16(static_cast<unsigned>(record.rclass));
    number32(record.ttl_s);
    const std::size_t length_at = bytes_.size();
    number16(0);
    std::visit([this](const auto& value) { data(value); }, record.data);
    const std::size_t size = bytes_.size() - length_at - 2;
    CHECK(size <= 0xffff);
    patch16(length_at, size);
  }

  void edns(const Edns& edns, std::uint16_t response_code) {
    number8(0);
    number16(static_cast<unsigned>(Type::opt));
    number16(edns.udp_size);
    number32((std::uint32_t{response_code} >> 4 << 24) | (std::uint32_t{edns.version} << 16) |
             (edns.dnssec_ok ? 0x8000U : 0U));
    number16(unsigned(edns.options.size()));
    bytes(edns.options);
  }

  void patch16(std::size_t at, std::size_t value) {
    store16(bytes_.data() + at, static_cast<std::uint16_t>(value));
  }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  // Takes back what was written from `size` on, and the places of its names.
  void cut(std::size_t size) {
    bytes_.resize(size);
    for (auto place = places_.begin(); place != places_.end();) {
      place = place->second >= size ? places_.erase(place) : std::next(place);
    }
  }
  [[nodiscard]] std::vector<std::uint8_t> take() { return std::move(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
  std::map<Name, std::size_t> places_;
};

unsigned flags_of(const Message& message) {
  const auto bit = [](bool is_set, unsigned value) { return is_set ? value : 0U; };
  return bit(message.is_response, 0x8000) | ((message.opcode & 0x0fU) << 11) |
         bit(message.is_authoritative, 0x0400) | bit(message.is_truncated, 0x0200) |
         bit(message.recursion_desired, 0x0100) | bit(message.recursion_available, 0x0080) |
         bit(message.authentic_data, 0x0020) | bit(message.checking_disabled, 0x0010) |
         (message.response_code & 0x000fU);
}

// Adds what fits of one section and returns how many records that were.
std::size_t add_section(Writer& writer, const std::vector<Record>& records, std::size_t size_max,
                        bool& is_full) {
  std::size_t count = 0;
  for (const Record& record : records) {
    if (is_full) break;
    const std::size_t before = writer.size();
    writer.record(record);
    if (writer.size() > size_max) {
      writer.cut(before);
      is_full = true;
      break;
    }
    ++count;
  }
  return count;
}

}  // namespace

// RFC 2181 9: TC is set when something that was asked for did not fit.
std::vector<std::uint8_t> Message::write(std::size_t size_max) const {
  Writer writer;
  writer.number16(id);
  writer.number16(flags_of(*this));
  for (int i = 0; i < 4; ++i) writer.number16(0);
  for (const Question& question : questions) writer.question(question);
  writer.patch16(4, questions.size());
  const std::size_t edns_size = edns ? 11 + edns->options.size() : 0;
  const std::size_t room = size_max > edns_size ? size_max - edns_size : 0;
  bool is_full = false;
  writer.patch16(6, add_section(writer, answers, room, is_full));
  writer.patch16(8, add_section(writer, authorities, room, is_full));
  const bool is_cut = is_full;  // additional records may go missing without a word
  std::size_t additional = add_section(writer, additionals, room, is_full);
  if (edns) {
    writer.edns(*edns, response_code);
    ++additional;
  }
  writer.patch16(10, additional);
  if (is_cut) writer.patch16(2, flags_of(*this) | 0x0200U);
  return writer.take();
}

}  // namespace lanyard::dns
