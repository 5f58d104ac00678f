// SPDX-License-Identifier: Apache-2.0
// lwIP as Debian builds it, as a peer: its raw API, one thread, two Ethernet interfaces of one
// stack back to back. A frame is copied from one to the other, as lwIP's own loopback does.
#include <malloc.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>

#include "bench/measure.hh"

extern "C" {
#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/tcp.h>
#include <lwip/tcpip.h>
#include <lwip/timeouts.h>
#include <lwip/udp.h>
#include <netif/ethernet.h>
}

namespace lanyard::bench {
namespace {

struct Arrival {
  netif* to;
  pbuf* frame;
};

struct Wire {
  netif a{}, b{};
  std::deque<Arrival> flying;
};

Wire wire;

err_t link_output(netif* from, pbuf* frame) {
  pbuf* copy = pbuf_clone(PBUF_RAW, PBUF_RAM, frame);
  if (copy == nullptr) return ERR_MEM;
  wire.flying.push_back({from == &wire.a ? &wire.b : &wire.a, copy});
  return ERR_OK;
}

err_t set_up(netif* interface) {
  interface->name[0] = 'b';
  interface->name[1] = interface == &wire.a ? 'a' : 'b';
  interface->hwaddr_len = 6;
  interface->hwaddr[0] = 2;
  interface->hwaddr[5] = interface == &wire.a ? 1 : 2;
  interface->mtu = 1500;
  interface->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
  interface->output = etharp_output;
  interface->linkoutput = link_output;
  return ERR_OK;
}

ip4_addr_t address(int last) {
  ip4_addr_t result;
  IP4_ADDR(&result, 10, 0, last, 1);
  return result;
}

void start_stack() {
  static bool is_started = false;
  if (is_started) return;
  is_started = true;
  lwip_init();
  ip4_addr_t mask, none{}, a = address(1), b = address(2);
  IP4_ADDR(&mask, 255, 255, 0, 0);
  netif_add(&wire.a, &a, &mask, &none, nullptr, set_up, ethernet_input);
  netif_add(&wire.b, &b, &mask, &none, nullptr, set_up, ethernet_input);
  for (netif* interface : {&wire.a, &wire.b}) {
    netif_set_up(interface);
    netif_set_link_up(interface);
  }
}

// Delivers until nothing flies.
void pump() {
  while (!wire.flying.empty()) {
    Arrival next = wire.flying.front();
    wire.flying.pop_front();
    if (next.to->input(next.frame, next.to) != ERR_OK) pbuf_free(next.frame);
  }
}

struct Ends {
  tcp_pcb* client = nullptr;
  tcp_pcb* server = nullptr;
  tcp_pcb* listener = nullptr;
  std::uint64_t received = 0;
  std::uint64_t echoed = 0;
  bool is_connected = false;
};

Ends ends;
constexpr std::uint16_t kPort = 5001;

err_t count_bytes(void*, tcp_pcb* pcb, pbuf* data, err_t) {
  if (data == nullptr) return ERR_OK;
  std::array<char, 65536> buffer;  // the application's one copy out
  pbuf_copy_partial(data, buffer.data(), data->tot_len, 0);
  ends.received += data->tot_len;
  tcp_recved(pcb, data->tot_len);
  pbuf_free(data);
  return ERR_OK;
}

err_t on_accept(void*, tcp_pcb* pcb, err_t) {
  ends.server = pcb;
  tcp_nagle_disable(pcb);
  tcp_recv(pcb, count_bytes);
  return ERR_OK;
}

err_t on_connected(void*, tcp_pcb*, err_t) {
  ends.is_connected = true;
  return ERR_OK;
}

void listen_at_b() {
  tcp_pcb* pcb = tcp_new();
  tcp_bind_netif(pcb, &wire.b);
  if (tcp_bind(pcb, IP_ANY_TYPE, kPort) != ERR_OK) give_up("lwIP: bind");
  ends.listener = tcp_listen(pcb);
  tcp_accept(ends.listener, on_accept);
}

void connect_from_a() {
  ends.is_connected = false;
  ends.server = nullptr;
  ends.client = tcp_new();
  tcp_nagle_disable(ends.client);
  tcp_bind_netif(ends.client, &wire.a);
  ip_addr_t from{}, to{};
  from.type = to.type = IPADDR_TYPE_V4;
  from.u_addr.ip4 = address(1);
  to.u_addr.ip4 = address(2);
  tcp_bind(ends.client, &from, 0);
  if (tcp_connect(ends.client, &to, kPort, on_connected) != ERR_OK) give_up("lwIP: connect");
  pump();
  if (!ends.is_connected || ends.server == nullptr) give_up("lwIP: no connection");
}

void open_pair() {
  start_stack();
  listen_at_b();
  connect_from_a();
}

double tcp_stream(Amount amount) {
  std::uint64_t bytes = amount.of(600, 10) * 1'000'000;
  open_pair();
  static std::array<char, 65536> span;
  std::uint64_t sent = 0;
  double start = seconds_now();
  while (ends.received < bytes) {
    std::size_t room = tcp_sndbuf(ends.client);
    std::size_t part = std::min<std::size_t>({room, 32768, bytes - sent});
    if (part > 0 && tcp_write(ends.client, span.data(), static_cast<u16_t>(part),
                              TCP_WRITE_FLAG_COPY) == ERR_OK) {
      sent += part;
    }
    tcp_output(ends.client);
    pump();
    if (wire.flying.empty()) sys_check_timeouts();
  }
  return static_cast<double>(bytes) * 8 / (seconds_now() - start) / 1e9;
}

err_t echo(void*, tcp_pcb* pcb, pbuf* data, err_t) {
  if (data == nullptr) return ERR_OK;
  std::array<char, 64> buffer;
  std::uint16_t size = pbuf_copy_partial(data, buffer.data(), 64, 0);
  tcp_recved(pcb, data->tot_len);
  pbuf_free(data);
  tcp_write(pcb, buffer.data(), size, TCP_WRITE_FLAG_COPY);
  return tcp_output(pcb);
}

err_t count_echo(void*, tcp_pcb* pcb, pbuf* data, err_t) {
  if (data == nullptr) return ERR_OK;
  std::array<char, 64> buffer;
  ends.echoed += pbuf_copy_partial(data, buffer.data(), 64, 0);
  tcp_recved(pcb, data->tot_len);
  pbuf_free(data);
  return ERR_OK;
}

double tcp_pingpong(Amount amount) {
  std::uint64_t rounds = amount.of(300'000, 1'000);
  open_pair();
  tcp_recv(ends.server, echo);
  tcp_recv(ends.client, count_echo);
  std::array<char, 64> message{};
  double start = seconds_now();
  for (std::uint64_t i = 1; i <= rounds; ++i) {
    tcp_write(ends.client, message.data(), 64, TCP_WRITE_FLAG_COPY);
    tcp_output(ends.client);
    pump();
    if (ends.echoed != i * 64) give_up("lwIP: an echo is missing");
  }
  return (seconds_now() - start) * 1e9 / static_cast<double>(rounds);
}

// Bytes that malloc gave out for each end of an idle connection; Debian's lwIP has no pools.
double tcp_idle_bytes(Amount amount) {
  std::uint64_t connections = amount.of(5'000, 100);
  start_stack();
  listen_at_b();
  connect_from_a();
  std::size_t before = mallinfo2().uordblks;
  for (std::uint64_t i = 0; i < connections; ++i) connect_from_a();
  return static_cast<double>(mallinfo2().uordblks - before) / static_cast<double>(2 * connections);
}

// Connect, accept, abort: with FINs, lwIP's list of TIME-WAIT connections is searched linearly.
double tcp_connections(Amount amount) {
  std::uint64_t rounds = amount.of(200'000, 500);
  start_stack();
  listen_at_b();
  double start = seconds_now();
  for (std::uint64_t i = 0; i < rounds; ++i) {
    connect_from_a();
    tcp_abort(ends.client);
    pump();
  }
  return static_cast<double>(rounds) / (seconds_now() - start);
}

}  // namespace
}  // namespace lanyard::bench

int main(int count, char** arguments) {
  using namespace lanyard::bench;
  return run({{"tcp_stream_mtu1500", tcp_stream},
              {"tcp_pingpong", tcp_pingpong},
              {"tcp_idle_bytes", tcp_idle_bytes},
              {"tcp_connections", tcp_connections}},
             count, arguments);
}
