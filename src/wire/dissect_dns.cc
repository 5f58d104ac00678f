// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>

#include "wire/dissect_layers.hh"
#include "wire/dns.hh"

namespace lanyard::wire {
namespace {

// A message read as far as it makes sense: its lists up to the first fault.
class DnsReader {
 public:
  DnsReader(Dissection& into, Part part)
      : into_(into), part_(part), layer_("DNS", part, part.size()) {}

  void read() {
    if (part_.size() < dns::header_size) {
      layer_.malformed(into_, fmt::format("message cut short: {} of 12 bytes", part_.size()), 0);
      return layer_.finish(into_);
    }
    add_header();
    if (!read_questions() || !read_section("Answer", 6) || !read_section("Authority", 8) ||
        !read_section("Additional", 10)) {
      layer_.malformed(into_, std::string(error_.reason), error_.offset);
      return layer_.finish(into_);
    }
    into_.say("DNS", info_);
    layer_.finish(into_);
  }

 private:
  [[nodiscard]] std::uint16_t word(std::size_t offset) const {
    return load16(part_.data() + offset);
  }

  void add_header() {
    const std::uint16_t flags = word(2);
    const bool is_response = (flags & 0x8000) != 0;
    layer_.add("Transaction ID", fmt::format("0x{:04x}", word(0)), 0, 2);
    Field& field = layer_.add("Flags", fmt::format("0x{:04x}", flags), 2, 2);
    const auto bit = [&](std::string_view name, unsigned mask, std::size_t offset) {
      layer_.add_to(field, std::string(name), (flags & mask) != 0 ? "set" : "not set", offset, 1);
    };
    bit("Response", 0x8000, 2);
    layer_.add_to(field, "Opcode", fmt::format("{}", flags >> 11 & 15), 2, 1);
    bit("Authoritative Answer", 0x0400, 2);
    bit("Truncated", 0x0200, 2);
    bit("Recursion Desired", 0x0100, 2);
    bit("Recursion Available", 0x0080, 3);
    const auto code = static_cast<std::uint16_t>(flags & 15);
    layer_.add_to(field, "Response Code", dns::response_code_text(code), 3, 1);
    static constexpr std::array<std::string_view, 4> counts{"Questions", "Answer RRs",
                                                            "Authority RRs", "Additional RRs"};
    for (std::size_t i = 0; i < counts.size(); ++i) {
      layer_.add(std::string(counts[i]), fmt::format("{}", word(4 + 2 * i)), 4 + 2 * i, 2);
    }
    info_ = fmt::format("Standard query{} 0x{:04x}", is_response ? " response" : "", word(0));
    if (code != 0) info_ += " " + dns::response_code_text(code);
  }

  bool read_questions() {
    for (std::size_t i = word(4); i > 0; --i) {
      const std::size_t start = at_;
      const auto question = dns::read_question(part_.bytes, at_);
      if (!question) return fail(question.error());
      const std::string text =
          fmt::format("{} {}", dns::to_text(question->type), dns::to_text(question->name));
      layer_.add("Question", text, start, at_ - start);
      add_info(text);
    }
    return true;
  }

  bool read_section(std::string_view name, std::size_t count_at) {
    for (std::size_t i = word(count_at); i > 0; --i) {
      const std::size_t start = at_;
      const auto record = dns::read_record(part_.bytes, at_);
      if (!record) return fail(record.error());
      if (record->type == dns::Type::opt) {
        layer_.add("EDNS0",
                   fmt::format("UDP payload size {}", static_cast<unsigned>(record->rclass)), start,
                   at_ - start);
        continue;
      }
      Field& field = layer_.add(std::string(name), dns::to_text(*record), start, at_ - start);
      layer_.add_to(field, "Time to Live", fmt::format("{} s", record->ttl_s), start, at_ - start);
      if (name == "Answer") {
        add_info(fmt::format("{} {}", dns::to_text(record->type), dns::to_text(record->data)));
      }
    }
    return true;
  }

  void add_info(const std::string& text) {
    if (info_.size() < 160) info_ += " " + text;
  }
  bool fail(const dns::Error& error) {
    error_ = error;
    return false;
  }

  Dissection& into_;
  Part part_;
  Layer layer_;
  std::size_t at_ = dns::header_size;
  std::string info_;
  dns::Error error_;
};

}  // namespace

void dissect_dns(Dissection& into, Part part) {
  DnsReader(into, part).read();
}

}  // namespace lanyard::wire
