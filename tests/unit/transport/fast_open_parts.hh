// SPDX-License-Identifier: Apache-2.0
// What tests of Fast Open (RFC 7413) begin with: a machine that may, a cookie, a SYN that has one.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>

#include "peer.hh"

namespace lanyard::test {

inline transport::Config with(std::uint32_t bits) {
  transport::Config config;
  config.fast_open = bits;
  return config;
}

inline tcp::Settings pending_of(const Scripted& s, std::uint16_t most) {
  tcp::Settings settings = s.host.tcp.default_settings();
  settings.fast_open_pending_max = most;
  return settings;
}

inline tcp::FastOpenCookie cookie(const std::string& text) {
  tcp::FastOpenCookie result;
  result.size = static_cast<std::uint8_t>(text.size());
  std::copy(text.begin(), text.end(), result.bytes.begin());
  return result;
}

inline Seg syn_of(const Scripted& s, std::optional<tcp::FastOpenCookie> asked,
                  const std::string& text = "") {
  Seg syn = s.make(tcp::flags::syn, text);
  syn.header.options.mss = 1460;
  syn.header.options.fast_open = asked;
  return syn;
}

// The cookie the machine grants to the peer; the connection that asked is reset.
inline tcp::FastOpenCookie granted(Scripted& s) {
  s.send(syn_of(s, tcp::FastOpenCookie{}));
  const Seg answer = s.expect();
  EXPECT_TRUE(answer.header.options.fast_open.has_value());
  Seg reset = s.make(tcp::flags::rst);
  reset.header.sequence = s.peer_next + 1;
  s.send(reset);
  s.peer_next += 10'000;
  ++s.peer_port;
  return answer.header.options.fast_open.value_or(tcp::FastOpenCookie{});
}

inline tcp::ConnectionId open_fast(Scripted& s, const std::string& early) {
  tcp::Open request;
  request.remote = {s.peer, s.peer_port, 0};
  request.settings = s.host.tcp.default_settings();
  request.is_fast = true;
  request.early = as_bytes(early);
  const auto connection = s.host.tcp.connect(s.now, request);
  EXPECT_TRUE(connection.has_value());
  s.port = s.host.tcp.local(*connection).port;
  return *connection;
}

// A client that has got the peer's cookie; that connection is over.
inline void learn(Scripted& s, const std::string& text) {
  const auto connection = open_fast(s, "not sent with the SYN");
  const Seg syn = s.expect();
  EXPECT_EQ(syn.header.options.fast_open, tcp::FastOpenCookie{});
  EXPECT_TRUE(syn.text.empty());
  s.ours = syn.header.sequence + 1;
  Seg answer = s.make(tcp::flags::syn | tcp::flags::ack);
  answer.header.options.mss = 1000;
  answer.header.options.fast_open = cookie(text);
  ++s.peer_next;
  s.send(answer);
  EXPECT_EQ(s.expect().header.flags, tcp::flags::ack);
  s.host.tcp.abort(s.now, connection);
  (void)s.take();
  s.peer_next += 10'000;
}

}  // namespace lanyard::test
