// SPDX-License-Identifier: Apache-2.0
// ns-3 beside bench/lab.cc: the same topology and the same flows, in its own terms. Built only
// where ns-3 is installed, and linked to nothing of ours. Its Ethernet is CSMA, one frame on the
// wire at a time, and bridges take nothing else; so that a delay does not throttle it, delays are
// those of its point-to-point links, between routers. Frames are counted as ours are: each that
// enters a link.
#include <ns3/applications-module.h>
#include <ns3/bridge-module.h>
#include <ns3/core-module.h>
#include <ns3/csma-module.h>
#include <ns3/internet-module.h>
#include <ns3/network-module.h>
#include <ns3/point-to-point-module.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "bench/measure.hh"

namespace lanyard::bench {
namespace {

using namespace ns3;  // NOLINT: all of this file is about it

constexpr int host_pairs = 50;
constexpr int switches = 10;
constexpr int routers = 4;
constexpr std::uint16_t port = 5001;

std::uint64_t frames_sent = 0;

void count_frame(std::string, Ptr<const Packet>) {
  ++frames_sent;
}

// Ours send 1448 bytes a segment, acknowledge every second one and have SACK; so has it then.
void set_tcp(std::uint32_t buffer_bytes) {
  Config::SetDefault("ns3::TcpSocket::SegmentSize", UintegerValue(1448));
  Config::SetDefault("ns3::TcpSocket::SndBufSize", UintegerValue(buffer_bytes));
  Config::SetDefault("ns3::TcpSocket::RcvBufSize", UintegerValue(buffer_bytes));
}

void count_frames() {
  Config::Connect("/NodeList/*/DeviceList/*/$ns3::CsmaNetDevice/PhyTxBegin",
                  MakeCallback(&count_frame));
  Config::Connect("/NodeList/*/DeviceList/*/$ns3::PointToPointNetDevice/PhyTxBegin",
                  MakeCallback(&count_frame));
}

// A bulk transfer of so many bytes from one node to the other, from then on.
void add_flow(Ptr<Node> from, Ptr<Node> to, Ipv4Address address, std::uint64_t bytes, Time begins) {
  BulkSendHelper send("ns3::TcpSocketFactory", InetSocketAddress(address, port));
  send.SetAttribute("MaxBytes", UintegerValue(bytes));
  send.SetAttribute("SendSize", UintegerValue(65536));
  send.Install(from).Start(begins);
  PacketSinkHelper sink("ns3::TcpSocketFactory", InetSocketAddress(Ipv4Address::GetAny(), port));
  sink.Install(to).Start(Seconds(0));
}

void check_arrived(std::uint64_t bytes_each, int flows) {
  int done = 0;
  for (auto node = NodeList::Begin(); node != NodeList::End(); ++node)
    for (std::uint32_t i = 0; i < (*node)->GetNApplications(); ++i) {
      const auto sink = DynamicCast<PacketSink>((*node)->GetApplication(i));
      if (sink != nullptr && sink->GetTotalRx() == bytes_each) ++done;
    }
  if (done != flows) give_up(fmt::format("ns-3: {} of {} flows have ended", done, flows));
}

// The lab of bench/lab.cc, "hops".
class Busy {
 public:
  explicit Busy(std::uint64_t bytes) {
    set_tcp(1 << 20);
    hosts_.Create(2 * host_pairs);
    switches_.Create(switches);
    routers_.Create(routers);
    InternetStackHelper internet;
    internet.Install(hosts_);
    internet.Install(routers_);
    lans_.resize(switches);
    lan_devices_.resize(switches);
    slow_.SetChannelAttribute("DataRate", StringValue("10Mbps"));
    slow_.SetChannelAttribute("Delay", StringValue("1us"));
    fast_.SetChannelAttribute("DataRate", StringValue("10Gbps"));
    fast_.SetChannelAttribute("Delay", StringValue("1us"));
    for (int i = 0; i < host_pairs; ++i) {
      plug(slow_, hosts_.Get(2 * i), i % switches);
      plug(slow_, hosts_.Get(2 * i + 1), (i + 3) % switches);
    }
    for (int i = 0; i < switches; ++i) plug(fast_, routers_.Get(i % routers), i);
    BridgeHelper bridge;
    for (int i = 0; i < switches; ++i) bridge.Install(switches_.Get(i), lans_[i]);
    number_networks();
    for (int i = 0; i < host_pairs; ++i)
      add_flow(hosts_.Get(2 * i), hosts_.Get(2 * i + 1), address_of(2 * i + 1), bytes,
               MilliSeconds(10 + i));
  }

 private:
  void plug(CsmaHelper& helper, Ptr<Node> node, int lan) {
    const NetDeviceContainer ends = helper.Install(NodeContainer(node, switches_.Get(lan)));
    lan_devices_[lan].Add(ends.Get(0));
    lans_[lan].Add(ends.Get(1));
  }
  void number_networks() {
    Ipv4AddressHelper addresses("10.0.1.0", "255.255.255.0");
    for (const NetDeviceContainer& lan : lan_devices_) {
      addresses.Assign(lan);
      addresses.NewNetwork();
    }
    PointToPointHelper line;
    line.SetDeviceAttribute("DataRate", StringValue("10Gbps"));
    line.SetChannelAttribute("Delay", StringValue("8ms"));
    for (int i = 0; i + 1 < routers; ++i) {
      addresses.Assign(line.Install(routers_.Get(i), routers_.Get(i + 1)));
      addresses.NewNetwork();
    }
    Ipv4GlobalRoutingHelper::PopulateRoutingTables();
  }
  Ipv4Address address_of(int host) {
    return hosts_.Get(host)->GetObject<Ipv4>()->GetAddress(1, 0).GetLocal();
  }

  NodeContainer hosts_, switches_, routers_;
  std::vector<NetDeviceContainer> lans_, lan_devices_;  // a switch's ports; the hosts' ends
  CsmaHelper slow_, fast_;
};

double busy(Amount amount, bool is_recorded) {
  const std::uint64_t bytes = amount.of(500'000, 20'000);
  const Busy lab(bytes);
  count_frames();
  const auto folder =
      std::filesystem::temp_directory_path() / fmt::format("lanyard-ns3-{}", getpid());
  if (is_recorded) {
    std::filesystem::create_directories(folder);
    CsmaHelper().EnablePcapAll((folder / "c").string());
    PointToPointHelper().EnablePcapAll((folder / "p").string());
  }
  Simulator::Stop(Seconds(60));
  const double begin = seconds_now();
  Simulator::Run();
  const double seconds = seconds_now() - begin;
  check_arrived(bytes, host_pairs);
  Simulator::Destroy();
  if (is_recorded) std::filesystem::remove_all(folder);
  return static_cast<double>(frames_sent) / seconds;
}

// Simulated Gbit for each second on the wall: one flow over two routers.
double one_flow(Amount amount) {
  const std::uint64_t bytes = amount.of(50'000'000, 1'000'000);
  set_tcp(8 << 20);
  NodeContainer nodes(4);
  InternetStackHelper().Install(nodes);
  PointToPointHelper line;
  line.SetDeviceAttribute("DataRate", StringValue("10Gbps"));
  line.SetQueue("ns3::DropTailQueue", "MaxSize", StringValue("5000p"));
  line.SetChannelAttribute("Delay", StringValue("333us"));
  Ipv4AddressHelper addresses("10.0.1.0", "255.255.255.0");
  for (int i = 0; i < 3; ++i) {
    addresses.Assign(line.Install(nodes.Get(i), nodes.Get(i + 1)));
    addresses.NewNetwork();
  }
  Ipv4GlobalRoutingHelper::PopulateRoutingTables();
  add_flow(nodes.Get(0), nodes.Get(3), nodes.Get(3)->GetObject<Ipv4>()->GetAddress(1, 0).GetLocal(),
           bytes, MilliSeconds(10));
  Simulator::Stop(Seconds(60));
  const double begin = seconds_now();
  Simulator::Run();
  const double seconds = seconds_now() - begin;
  check_arrived(bytes, 1);
  Simulator::Destroy();
  return static_cast<double>(bytes) * 8 / 1e9 / seconds;
}

// Idle dual-stack hosts, a hundred to a wire, with an IPv4 and an IPv6 address each.
class IdleHosts {
 public:
  void make(int hosts) {
    for (int made = 0; made < hosts; made += on_a_wire) {
      NodeContainer nodes(on_a_wire);
      internet_.Install(nodes);
      const NetDeviceContainer devices = wire_.Install(nodes);
      v4_.Assign(devices);
      v4_.NewNetwork();
      v6_.Assign(devices);
      v6_.NewNetwork();
    }
  }

 private:
  static constexpr int on_a_wire = 100;
  InternetStackHelper internet_;
  CsmaHelper wire_;
  Ipv4AddressHelper v4_{"10.0.0.0", "255.255.255.0"};
  Ipv6AddressHelper v6_{"fd00::", Ipv6Prefix(64)};
};

double start(int hosts) {
  const double begin = seconds_now();
  IdleHosts().make(hosts);
  return (seconds_now() - begin) * 1000;
}

double host_bytes(Amount amount) {
  const auto hosts = static_cast<int>(amount.of(10'000, 1'000));
  IdleHosts idle;
  idle.make(100);  // what the first ones cost once
  const std::uint64_t before = resident_bytes();
  idle.make(hosts);
  return static_cast<double>(resident_bytes() - before) / hosts;
}

}  // namespace
}  // namespace lanyard::bench

int main(int count, char** arguments) {
  using namespace lanyard::bench;
  return run({{"hops", [](Amount amount) { return busy(amount, false); }},
              {"hops_recorded", [](Amount amount) { return busy(amount, true); }},
              {"one_flow", one_flow},
              {"start_1000", [](Amount amount) { return start(amount.is_smoke ? 100 : 1'000); }},
              {"start_10000", [](Amount amount) { return start(amount.is_smoke ? 100 : 10'000); }},
              {"host_bytes", host_bytes}},
             count, arguments);
}
