// SPDX-License-Identifier: Apache-2.0
// What the dissectors of single layers share; for dissect*.cc only. Each takes the bytes from its
// header on, adds its layer, says what matters of it, and hands the rest to the next.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/bytes.hh"
#include "wire/address.hh"
#include "wire/dissect.hh"
#include "wire/ethernet.hh"

namespace lanyard::wire {

// Bytes of the frame and where they stand in it.
struct Part {
  Bytes bytes{};
  std::size_t at = 0;

  [[nodiscard]] std::size_t size() const { return bytes.size(); }
  [[nodiscard]] const std::uint8_t* data() const { return bytes.data(); }
  [[nodiscard]] Part from(std::size_t offset) const {
    offset = std::min(offset, size());
    return {bytes.subspan(offset), at + offset};
  }
  [[nodiscard]] Part first(std::size_t count) const {
    return {bytes.first(std::min(count, size())), at};
  }
};

// The layers found so far, and the line of the innermost.
struct Dissection {
  std::vector<Field> layers{};
  std::string protocol{};
  std::string info{};
  Ends ends{};
  int quotes_left = 2;  // an error may quote an error: looked into this deep only

  void say(std::string_view name, std::string text) {
    protocol = name;
    info = std::move(text);
  }
};

// Collects the fields of one layer; part.at is added to their offsets.
class Layer {
 public:
  Layer(std::string name, Part part, std::size_t size) : at_(part.at) {
    field_ = {.name = std::move(name), .offset = part.at, .size = std::min(size, part.size())};
  }
  Field& add(std::string name, std::string value, std::size_t offset, std::size_t size) {
    return add_to(field_, std::move(name), std::move(value), offset, size);
  }
  Field& add_to(Field& parent, std::string name, std::string value, std::size_t offset,
                std::size_t size) const {
    parent.children.push_back(
        {.name = std::move(name), .value = std::move(value), .offset = at_ + offset, .size = size});
    return parent.children.back();
  }
  // What is wrong, in words; the offset of the trouble is added to them.
  void malformed(Dissection& into, const std::string& words, std::size_t offset);
  void set_value(std::string value) { field_.value = std::move(value); }
  // The layer is complete.
  void finish(Dissection& into) { into.layers.push_back(std::move(field_)); }

 private:
  Field field_{};
  std::size_t at_;
};

// Facts of the network layer that the transport's dissection needs.
struct Carried {
  IpAddress source{};
  IpAddress destination{};
  std::uint8_t protocol = 0;
  bool is_whole = true;  // all of the transport's bytes are there: its checksum can be judged
  std::uint8_t ttl = 0;
};

void dissect_ethernet(Dissection& into, Part part);
void dissect_by_type(Dissection& into, Part part, ethernet::Type type);
void dissect_ip(Dissection& into, Part part);
void dissect_ipv4(Dissection& into, Part part, bool is_quoted);
void dissect_ipv6(Dissection& into, Part part, bool is_quoted);
void dissect_transport(Dissection& into, Part part, const Carried& carried);
void dissect_icmp(Dissection& into, Part part, const Carried& carried);
void dissect_icmpv6(Dissection& into, Part part, const Carried& carried);
void dissect_ndp(Dissection& into, Part part, Layer& layer);
void dissect_igmp(Dissection& into, Part part, const Carried& carried);
// Adds to ICMPv6's layer what the message says of groups.
void dissect_mld(Dissection& into, Part part, Layer& layer);
void dissect_dhcp(Dissection& into, Part part);
void dissect_dhcp6(Dissection& into, Part part);
void dissect_dns(Dissection& into, Part part);
void dissect_http(Dissection& into, Part part);
// What no dissector knows: as text if it is text, else as hexadecimal.
void dissect_payload(Dissection& into, Part part);

// Printable ASCII of any bytes, at most `size_max` characters and "..." then.
[[nodiscard]] std::string printable(Bytes bytes, std::size_t size_max = 96);
[[nodiscard]] std::string hexadecimal(Bytes bytes, std::size_t size_max = 32);
[[nodiscard]] std::string protocol_name(std::uint8_t protocol);
// "0x1234 (correct)" or "0x1234 (wrong, 0x4321 would be right)": what stands there and what the sum
// over all, that field included, came to.
[[nodiscard]] std::string checksum_text(std::uint16_t field, std::uint16_t remainder);

}  // namespace lanyard::wire
