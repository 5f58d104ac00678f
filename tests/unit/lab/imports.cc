// SPDX-License-Identifier: Apache-2.0
// Labs of other tools: what is translated, and that of all else it is said where it stands.
#include "lab/imports/imports.hh"

#include <gtest/gtest.h>

#include "core/random.hh"
#include "lab/plan.hh"

namespace lanyard::lab::imports {
namespace {

constexpr std::string_view fabric = R"(name: fabric
prefix: ""
topology:
  defaults: { image: alpine:3 }
  kinds:
    nokia_srlinux: { image: ghcr.io/nokia/srlinux, type: ixrd3 }
  nodes:
    leaf_1: { kind: nokia_srlinux }
    spine: { kind: linux, image: "frrouting/frr:9" }
    br0: { kind: bridge }
    web:
      kind: linux
      exec:
        - ip addr add 10.9.0.5/24 dev eth1
        - ip route add default via 10.9.0.1
        - ip link set eth1 up
        - nginx
    gate: { kind: linux, ports: ["80:80"] }
  links:
    - endpoints: ["leaf_1:e1-1", "spine:eth1"]
      mtu: 9000
    - endpoints: ["leaf_1:e1-2", "spine:eth2"]
    - type: veth
      endpoints:
        - { node: leaf_1, interface: e1-3, mac: "02:00:00:00:09:01" }
        - { node: web, interface: eth1 }
    - endpoints: ["spine:eth3", "br0:p1"]
    - endpoints: ["gate:eth1", "br0:p2"]
    - endpoints: ["gate:eth2", "web:eth2"]
    - endpoints: ["gate:eth3", "host:veth7"]
)";

std::string said(const std::vector<Diagnostic>& all) {
  std::string text;
  for (const Diagnostic& each : all) text += to_text(each) + "\n";
  return text;
}

Imported imported(std::string_view text) {
  auto result = import_lab(text, "f", format_of(text));
  if (!result) ADD_FAILURE() << said(result.error());
  return result ? std::move(*result) : Imported{};
}

Model model_of(const std::string& text) {
  auto lab = parse_lab(text, "lab");
  if (!lab) ADD_FAILURE() << said(lab.error()) << text;
  return lab ? std::move(lab->model) : Model{};
}

NodeKind kind_of(const Model& model, std::string_view name) {
  const auto node = model.node(name);
  if (!node) ADD_FAILURE() << "no node " << name;
  return node ? model.nodes[*node].kind : NodeKind::kernel_host;
}

TEST(Imports, ATopologyOfContainerlabIsALab) {
  const Imported lab = imported(fabric);
  const Model model = model_of(lab.text);
  EXPECT_EQ(model.name, "fabric");
  EXPECT_EQ(kind_of(model, "leaf-1"), NodeKind::router);
  EXPECT_EQ(kind_of(model, "spine"), NodeKind::router);  // by its image
  EXPECT_EQ(kind_of(model, "br0"), NodeKind::switching);
  EXPECT_EQ(kind_of(model, "web"), NodeKind::router);  // by its two links
  EXPECT_EQ(kind_of(model, "gate"), NodeKind::router);
  ASSERT_EQ(model.links.size(), 7U);  // the second leaf -- spine is two, through a switch
  EXPECT_EQ(model.links[0].mtu, 9000U);
  EXPECT_EQ(kind_of(model, "leaf-1-spine"), NodeKind::switching);
  EXPECT_EQ(to_text(model.links[3].b.addresses.at(0)), "10.9.0.5/24");
  EXPECT_EQ(to_text(*model.links[3].a.mac), "02:00:00:00:09:01");
  EXPECT_TRUE(make_plan(model));
}

TEST(Imports, WhatIsNotTranslatedIsSaidWithItsPlace) {
  const std::string notes = said(imported(fabric).notes);
  for (const char* line :
       {"f:2:1: warning: `prefix` is not translated: ",
        "f:6:52: warning: `type` is not translated: ",
        "f:8:5: warning: `leaf_1` is called leaf-1 here: ",
        "f:9:27: warning: the image `frrouting/frr:9` is not run: spine is a router of Lanyard's",
        "f:11:5: warning: web has 2 links and becomes a router: ",
        "f:11:5: warning: the default route of web is left out: ",
        "f:17:11: warning: `nginx` is not run: ", "f:18:26: warning: `ports` is not translated: ",
        "f:22:7: warning: a second link between leaf-1 and spine: it goes through a switch, "
        "leaf-1-spine",
        "f:30:32: warning: the link to `host:veth7` is left out: "})
    EXPECT_NE(notes.find(line), std::string::npos) << line << "\nin\n" << notes;
}

TEST(Imports, AHostKeepsItsGatewayAndItsFirstAddress) {
  const Model model =
      model_of(imported("name: x\ntopology:\n  nodes:\n    a:\n      kind: linux\n      exec:\n"
                        "        - ip addr add 10.9.0.5/24 dev eth1\n"
                        "        - ip -4 route replace default via 10.9.0.1 dev eth1\n"
                        "    r: { kind: vyosnetworks_vyos }\n"
                        "  links: [{ endpoints: ['a:eth1', 'r:eth1'] }]\n")
                   .text);
  EXPECT_EQ(kind_of(model, "a"), NodeKind::host);
  EXPECT_EQ(to_text(model.nodes[0].gateways.at(0)), "10.9.0.1");
  const auto plan = make_plan(model);
  ASSERT_TRUE(plan) << plan.error().front().what;
  EXPECT_EQ(to_text(plan->ports[0].addresses[0]), "10.9.0.5/24");
}

struct Wrong {
  std::string_view text, problem;
};

TEST(Imports, AWrongFileIsRefusedWithItsPlace) {
  const std::vector<Wrong> all = {
      {"", "f:1:1: this is no topology of containerlab"},
      {"hosts: [a]\n", "f:1:1: this is no topology of containerlab"},
      {"topology:\n  nodes: { a: {} }\n  links:\n    - endpoints: [a:eth1, bb:eth1]\n",
       "f:4:27: unknown node `bb`: known is a"},
      {"topology:\n  nodes: { a: {} }\n  links:\n    - endpoints: [a:eth1]\n",
       "f:4:7: a link has two endpoints"},
      {"topology:\n  nodes: { a: {}, a: {} }\n", "f:2:19: the node `a` is here twice"},
      {"topology: [\n", "f:2:1: "},
      {"<graphml>\n <graph>\n  <node id='a'>\n </graph>\n</graphml>\n", "f:4:4: mismatched tag"},
      {"<svg/>", "f:1:1: this is no GraphML"},
      {"<graphml><graph><node id='a'/><edge source='a' target='q'/></graph></graphml>",
       "f:1:31: unknown node `q`"},
      {"<!DOCTYPE x [<!ENTITY a 'b'>]><graphml/>", "f:1:25: entities are not taken"}};
  for (const Wrong& each : all) {
    const auto result = import_lab(each.text, "f", format_of(each.text));
    ASSERT_FALSE(result) << each.text;
    EXPECT_TRUE(said(result.error()).starts_with(each.problem)) << said(result.error());
  }
}

constexpr std::string_view graph = R"(<?xml version="1.0"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="d0" for="node" attr.name="label" attr.type="string"/>
  <key id="d1" for="node" attr.name="kind" attr.type="string"/>
  <key id="d2" for="node" attr.name="Latitude" attr.type="double"/>
  <key id="d3" for="edge" attr.name="latency" attr.type="double"><default>2.5</default></key>
  <key id="d4" for="edge" attr.name="LinkSpeedRaw" attr.type="double"/>
  <key id="d5" for="edge" attr.name="packetloss" attr.type="double"/>
  <graph id="Zoo" edgedefault="undirected">
    <node id="0"><data key="d0">New York</data><data key="d2">40.7</data></node>
    <node id="1"><data key="d0">Chicago</data></node>
    <node id="2"><data key="d0">lan</data><data key="d1">switch</data></node>
    <node id="3"><data key="d0">pc</data></node>
    <edge source="0" target="1"><data key="d3">11</data><data key="d4">10000000.0</data></edge>
    <edge source="1" target="2"><data key="d5">0.01</data></edge>
    <edge source="2" target="3"><data key="d3">80ms</data></edge>
    <edge source="0" target="2"><data key="d3">far</data></edge>
    <edge source="3" target="3"/>
  </graph>
</graphml>
)";

TEST(Imports, AGraphIsALab) {
  const Imported lab = imported(graph);
  const Model model = model_of(lab.text);
  EXPECT_EQ(model.name, "Zoo");
  EXPECT_EQ(kind_of(model, "New-York"), NodeKind::router);
  EXPECT_EQ(kind_of(model, "lan"), NodeKind::switching);
  EXPECT_EQ(kind_of(model, "pc"), NodeKind::host);
  ASSERT_EQ(model.links.size(), 4U);
  EXPECT_EQ(model.links[0].a_to_b.delay, Duration::milliseconds(11));
  EXPECT_EQ(model.links[0].a_to_b.rate_bits_per_second, 10'000'000U);
  EXPECT_EQ(model.links[1].a_to_b.delay, Duration::microseconds(2500));
  EXPECT_EQ(model.links[1].b_to_a.loss_parts_per_billion, 10'000'000U);
  EXPECT_EQ(model.links[2].a_to_b.delay, Duration::milliseconds(80));
  const std::string notes = said(lab.notes);
  for (const char* line :
       {"f:5:3: warning: `Latitude` is not translated: ",
        "f:10:5: warning: `New York` is called New-York here: ",
        "f:17:5: warning: a delay of `far` is not translated: ",
        "f:18:5: warning: an edge from pc to itself is left out: ",
        "f:1:1: warning: 3 nodes do not say what they are: 1 with one link are hosts, 2 "})
    EXPECT_NE(notes.find(line), std::string::npos) << line << "\nin\n" << notes;
}

TEST(Imports, EdgesThereAndBackAreOneLinkWithTwoDirections) {
  const Model model = model_of(
      imported(
          "<graphml><key id='d' for='edge' attr.name='delay'/><graph edgedefault='directed'>"
          "<node id='a'/><node id='b'/><edge source='a' target='b'><data key='d'>5</data></edge>"
          "<edge source='b' target='a'><data key='d'>7 ms</data></edge></graph></graphml>")
          .text);
  ASSERT_EQ(model.links.size(), 1U);
  EXPECT_EQ(model.links[0].a_to_b.delay, Duration::milliseconds(5));
  EXPECT_EQ(model.links[0].b_to_a.delay, Duration::milliseconds(7));
}

// Whatever bytes a file has, it is read or refused.
TEST(Imports, AFileOfAnyBytesIsReadOrRefused) {
  RandomStream dice = Seed(5).stream();
  for (const std::string_view whole : {fabric, graph})
    for (int i = 0; i < 400; ++i) {
      std::string text(whole);
      for (int change = 0; change < 3; ++change)
        text[dice.below(text.size())] = static_cast<char>(dice.below(256));
      text.resize(dice.below(4) == 0 ? dice.below(text.size()) : text.size());
      const auto result = import_lab(text, "f", format_of(whole));
      if (!result) {
        EXPECT_FALSE(result.error().empty());
      } else {
        EXPECT_FALSE(result->text.empty());
      }
    }
}

}  // namespace
}  // namespace lanyard::lab::imports
