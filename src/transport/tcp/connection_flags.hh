// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace lanyard::tcp {

// What is so or not so of a connection.
struct ConnectionFlags {
  // RFC 9293 3.5 [MUST-11]: whether SYN-RECEIVED was reached from LISTEN.
  bool is_passive : 1 = false;
  bool is_orphan : 1 = false;     // the program has closed it
  bool is_over : 1 = false;       // no longer in the demux; kept for the program's handle
  bool is_scheduled : 1 = false;  // output will be looked at before the call ends
  bool is_changed : 1 = false;    // the observer will be told
  bool ack_now : 1 = false;
  bool ack_delayed : 1 = false;
  bool is_more_coming : 1 = false;  // MSG_MORE
  bool was_writable : 1 = false;
  bool has_timestamps : 1 = false;
  bool has_sack : 1 = false;
  bool has_scaling : 1 = false;
  bool has_ecn : 1 = false;
  bool ecn_echo : 1 = false;     // CE came: ECE on every ACK, until CWR
  bool ecn_reduced : 1 = false;  // CWR on the next new data
  bool is_new_data : 1 = false;  // what is being sent: only that is marked ECT
  bool was_established : 1 = false;
  bool is_interactive : 1 = false;  // the program answers what it reads: ACKs wait for its data
  bool is_waiting_for_data : 1 = false;  // TCP_DEFER_ACCEPT: the handshake's ACK came without any
  bool was_syn_resent : 1 = false;
  bool is_early : 1 = false;       // SYN-RECEIVED by Fast Open: the program may have it already
  bool has_early_fin : 1 = false;  // the peer's FIN came ahead of a gap
  bool is_young : 1 = false;       // connections.hh: unfolded of late
  bool is_recent : 1 = false;      // connections.hh: somebody has looked for it again since
};

}  // namespace lanyard::tcp
