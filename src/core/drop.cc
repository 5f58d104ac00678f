// SPDX-License-Identifier: Apache-2.0
#include "core/drop.hh"

#include "core/check.hh"

namespace lanyard {
namespace {

struct DropRow {
  DropReason reason;
  std::string_view text;
};

constexpr std::array<DropRow, drop_reasons> rows = {{
    {DropReason::none, "not dropped"},
    {DropReason::frame_too_short, "frame too short"},
    {DropReason::frame_too_long, "frame too long for the link"},
    {DropReason::not_for_us, "frame for another address"},
    {DropReason::unknown_ethertype, "unknown EtherType"},
    {DropReason::bad_vlan, "VLAN not allowed here"},
    {DropReason::link_down, "link down"},
    {DropReason::link_loss, "lost on the link"},
    {DropReason::queue_full, "queue full"},
    {DropReason::no_carrier, "no carrier"},
    {DropReason::same_segment, "already on its segment"},
    {DropReason::port_blocked, "port blocked by spanning tree"},
    {DropReason::bad_arp, "malformed ARP"},
    {DropReason::neighbour_unresolved, "neighbour did not answer"},
    {DropReason::neighbour_queue_full, "queue for an unresolved neighbour full"},
    {DropReason::bad_ndp, "malformed neighbour discovery"},
    {DropReason::bad_version, "wrong IP version"},
    {DropReason::bad_header_length, "bad header length"},
    {DropReason::bad_total_length, "bad total length"},
    {DropReason::bad_ip_checksum, "bad IP header checksum"},
    {DropReason::martian_source, "impossible source address"},
    {DropReason::martian_destination, "impossible destination address"},
    {DropReason::not_local, "not addressed to this host"},
    {DropReason::no_route, "no route"},
    {DropReason::hop_limit_exceeded, "hop limit exceeded"},
    {DropReason::needs_fragmentation, "too big and may not be fragmented"},
    {DropReason::forwarding_off, "forwarding is off"},
    {DropReason::bad_option, "bad IP option"},
    {DropReason::source_route, "source route refused"},
    {DropReason::unknown_protocol, "unknown protocol"},
    {DropReason::bad_extension_header, "bad extension header"},
    {DropReason::bad_fragment, "bad fragment"},
    {DropReason::fragment_overlap, "overlapping fragments"},
    {DropReason::reassembly_timeout, "reassembly timed out"},
    {DropReason::reassembly_full, "reassembly memory full"},
    {DropReason::bad_icmp, "malformed ICMP or IGMP"},
    {DropReason::icmp_ignored, "ICMP message ignored"},
    {DropReason::filtered, "filtered"},
    {DropReason::bad_udp_length, "bad UDP length"},
    {DropReason::bad_udp_checksum, "bad UDP checksum"},
    {DropReason::no_socket, "no socket on the port"},
    {DropReason::receive_buffer_full, "receive buffer full"},
    {DropReason::bad_tcp_header, "malformed TCP header"},
    {DropReason::bad_tcp_checksum, "bad TCP checksum"},
    {DropReason::tcp_no_connection, "no TCP connection"},
    {DropReason::tcp_unacceptable, "TCP segment outside the window"},
    {DropReason::tcp_no_ack, "TCP segment without ACK"},
    {DropReason::tcp_bad_ack, "unacceptable TCP acknowledgment"},
    {DropReason::tcp_backlog_full, "TCP backlog full"},
    {DropReason::tcp_paws, "old TCP timestamp"},
    {DropReason::out_of_memory, "out of memory"},
    {DropReason::other_shard, "for another shard of this machine"},
    {DropReason::parted, "kept back by a partition"},
    {DropReason::machine_down, "machine is down"},
    {DropReason::black_holed, "swallowed by a black hole"},
    {DropReason::dropped_as_told, "dropped as the lab says"},
    {DropReason::dropped_early, "dropped early by the queue"},
}};

constexpr bool rows_stand_at_their_reasons() {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (static_cast<std::size_t>(rows[i].reason) != i || rows[i].text.empty()) return false;
  }
  return true;
}
static_assert(rows_stand_at_their_reasons());

}  // namespace

std::string_view to_text(DropReason reason) {
  const auto index = static_cast<std::size_t>(reason);
  CHECK(index < rows.size());
  return rows[index].text;
}

}  // namespace lanyard
