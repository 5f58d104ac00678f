// SPDX-License-Identifier: Apache-2.0
// Every checked view over any bytes: what parse() lets through, all getters and walkers may read.
// The first byte picks the parser, the second how many bytes are said to follow in slices.
// links: wire
#include <cstddef>
#include <cstdint>

#include "core/check.hh"
#include "wire/arp.hh"
#include "wire/ethernet.hh"
#include "wire/icmp.hh"
#include "wire/ipv4.hh"
#include "wire/ipv4_options.hh"
#include "wire/ipv6.hh"
#include "wire/ipv6_extensions.hh"
#include "wire/membership.hh"
#include "wire/ndp.hh"
#include "wire/tcp.hh"
#include "wire/udp.hh"
#include "wire/vlan.hh"

namespace lanyard {
namespace {

volatile std::uint64_t seen = 0;

// Reads every byte, so that a range that leaves the input is seen by the sanitizer.
void read(Bytes bytes) {
  for (const std::uint8_t byte : bytes) seen = seen + byte;
}

void look_at_ethernet(Bytes bytes, std::size_t size) {
  if (const auto view = ethernet::View::parse(bytes, size)) {
    read(view->payload());
    CHECK(view->payload().size() <= view->payload_size());
    CHECK(view->header_size() + view->payload_size() <= size);
    if (const auto tag = vlan::View::parse(view->payload(), view->type())) read(tag->payload());
  }
  Packet frame = Packet::copy_of(bytes);
  if (const auto tag = vlan::remove_tag(frame)) {
    vlan::insert_tag(frame, *tag);
    CHECK(frame.size() == bytes.size());
  }
}

void look_at_arp(Bytes bytes, std::size_t) {
  if (const auto view = arp::View::parse(bytes)) {
    std::uint8_t again[arp::message_size];
    view->message().write(again);
    CHECK(text_of(again) == text_of(bytes.first(arp::message_size)));
  }
}

void look_at_ipv4(Bytes bytes, std::size_t size) {
  const auto view = ipv4::View::parse(bytes, size);
  if (!view) return;
  read(view->options());
  read(view->payload());
  seen = seen + view->has_good_checksum();
  CHECK(view->payload().size() <= view->payload_size());
  CHECK(view->header_size() + view->payload_size() <= size);
  const ipv4::OptionFacts facts = ipv4::examine_options(view->options());
  CHECK(!facts.is_malformed || facts.malformed_offset < view->options().size());
  const ipv4::FragmentOptions copied = ipv4::options_of_later_fragments(view->options());
  CHECK(copied.size <= view->options().size());
  ipv4::OptionReader reader(view->options());
  while (const auto option = reader.next()) {
    if (const auto route = ipv4::source_route_of(*option)) read(route->addresses);
  }
}

void look_at_ipv6(Bytes bytes, std::size_t size) {
  const auto view = ipv6::View::parse(bytes, size);
  if (!view) return;
  read(view->payload());
  for (const ipv6::Walk& walk : {ipv6::walk(*view), ipv6::walk_hop_by_hop(*view)}) {
    const bool goes_on = walk.outcome == ipv6::Walk::Outcome::upper_layer ||
                         walk.outcome == ipv6::Walk::Outcome::fragment;
    if (goes_on) read(view->packet().subspan(walk.offset));
    if (walk.outcome == ipv6::Walk::Outcome::fragment) {
      CHECK(ipv6::FragmentView::parse(view->packet().subspan(walk.offset)));
    }
    if (walk.outcome == ipv6::Walk::Outcome::parameter_problem) {
      CHECK(walk.pointer < view->packet().size());
    }
  }
  const ipv6::UpperLayer upper = ipv6::find_upper_layer(*view);
  if (upper.is_found) read(view->packet().subspan(upper.offset));
}

void look_at_icmp(Bytes bytes, std::size_t size) {
  if (const auto view = icmp::View::parse(bytes, size)) read(view->body());
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    const auto quote = icmp::parse_quote(bytes, family);
    if (!quote) continue;
    read(quote->transport);
    CHECK(quote->is_later_fragment || quote->transport.size() >= 8);
  }
}

void look_at_ndp(Bytes bytes, std::size_t) {
  const auto view = ndp::View::parse(bytes);
  if (!view) return;
  read(view->options().redirected_header);
  const bool is_heard = ndp::is_acceptable(*view, IpAddress{}, IpAddress{}, ndp::hop_limit);
  seen = seen + is_heard;
  // What is written of the options reads as the same ones.
  std::vector<std::uint8_t> again(view->options().size());
  view->options().write(again.data());
  const auto options = ndp::Options::parse(again);
  CHECK(options && options->prefixes == view->options().prefixes);
  CHECK(options->mtu == view->options().mtu && options->nonce == view->options().nonce);
  CHECK(options->source_link_address == view->options().source_link_address);
}

void look_at_tcp(Bytes bytes, std::size_t size) {
  const auto view = tcp::View::parse(bytes, size);
  if (!view) return;
  read(view->payload());
  CHECK(view->payload().size() <= view->payload_size());
  CHECK(view->header_size() + view->payload_size() == size);
  CHECK(view->options().sack_blocks <= tcp::sack_blocks_max);
}

void look_at_udp(Bytes bytes, std::size_t size) {
  const auto view = udp::View::parse(bytes, size);
  if (!view) return;
  read(view->payload());
  CHECK(view->length() <= size && view->payload().size() <= view->payload_size());
}

// What the view says is written and read again as the same.
void look_at_membership(Bytes bytes, std::size_t) {
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    const auto view = membership::View::parse(family, bytes);
    if (!view) continue;
    seen = seen + view->sources().size() + view->group().bytes()[15];
    CHECK(view->max_response() <= Duration::seconds(10'000'000));
    if (view->kind() != membership::Kind::report || view->version() < 3) continue;
    const auto records = view->records();
    const Packet again = membership::report(family, records);
    CHECK(again.size() <= bytes.size());
    const auto view_again = membership::View::parse(family, again.front());
    CHECK(view_again && view_again->records().size() == records.size());
  }
}

constexpr auto parsers = {look_at_ethernet, look_at_arp,  look_at_ipv4,
                          look_at_ipv6,     look_at_icmp, look_at_ndp,
                          look_at_tcp,      look_at_udp,  look_at_membership};

}  // namespace
}  // namespace lanyard

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const lanyard::Bytes bytes(data + 2, size - 2);
  lanyard::parsers.begin()[data[0] % lanyard::parsers.size()](bytes, bytes.size() + data[1]);
  return 0;
}
