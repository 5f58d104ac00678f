// SPDX-License-Identifier: Apache-2.0
#include "lab/search/export.hh"

#include <fmt/format.h>
#include <sqlite3.h>

#include <filesystem>
#include <initializer_list>
#include <memory>
#include <variant>

#include "lab/run_format.hh"

namespace lanyard::lab::search {
namespace {

constexpr const char* schema = R"(
CREATE TABLE run (name TEXT PRIMARY KEY, value);
CREATE TABLE nodes (node INTEGER PRIMARY KEY, name TEXT, kind TEXT);
CREATE TABLE links (link INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE ports (port INTEGER PRIMARY KEY, node INTEGER, name TEXT, mac TEXT, mtu INTEGER,
  addresses TEXT, link INTEGER, peer INTEGER);
CREATE TABLE programs (program INTEGER PRIMARY KEY, node INTEGER, name TEXT, command TEXT);
CREATE TABLE frames (frame INTEGER PRIMARY KEY, time_ns INTEGER, port INTEGER, node INTEGER,
  sent INTEGER, packet INTEGER, bytes INTEGER, dropped TEXT, data BLOB);
CREATE TABLE packets (packet INTEGER, first_frame INTEGER, sent_ns INTEGER, arrived_ns INTEGER,
  layer TEXT, source TEXT, source_port INTEGER, destination TEXT, destination_port INTEGER,
  payload INTEGER, dropped TEXT);
CREATE TABLE flows (flow INTEGER PRIMARY KEY, name TEXT, client TEXT, server TEXT,
  began_ns INTEGER);
CREATE TABLE segments (flow INTEGER, side INTEGER, sent_ns INTEGER, arrived_ns INTEGER,
  first_frame INTEGER, begin INTEGER, end INTEGER, acked INTEGER, window INTEGER, flags TEXT,
  repeats INTEGER);
CREATE TABLE events (event INTEGER PRIMARY KEY, cause INTEGER, time_ns INTEGER, node INTEGER,
  kind TEXT, v1 INTEGER, v2 INTEGER, v3 INTEGER, v4 INTEGER, v5 INTEGER, text TEXT);
CREATE TABLE event_kinds (kind TEXT PRIMARY KEY, c1 TEXT, c2 TEXT, c3 TEXT, c4 TEXT, c5 TEXT);
CREATE TABLE verdicts (text TEXT, good INTEGER, happened TEXT, time_ns INTEGER);
)";

constexpr const char* indexes = R"(
CREATE INDEX frames_by_packet ON frames (packet);
CREATE INDEX events_by_kind ON events (kind, node);
CREATE INDEX segments_by_flow ON segments (flow, side);
)";

struct Nothing {};
using Value = std::variant<Nothing, std::int64_t, std::string, Bytes>;

// "Nothing" instead of never.
Value instant(Instant at) {
  if (at == Instant::never()) return Nothing{};
  return at.count_ns();
}
Value number(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

std::string_view layer_text(why::Layer layer) {
  switch (layer) {
    case why::Layer::arp:
      return "arp";
    case why::Layer::ndp:
      return "ndp";
    case why::Layer::icmp:
      return "icmp";
    case why::Layer::udp:
      return "udp";
    case why::Layer::tcp:
      return "tcp";
    case why::Layer::other:
      break;
  }
  return "other";
}

// What the tables are written to, and whether all of it went well.
struct Database {
  sqlite3* handle = nullptr;
  bool is_good = true;
  std::string problem{};
  void note(int status) {
    if (!is_good || status == SQLITE_OK || status == SQLITE_DONE) return;
    is_good = false;
    problem = sqlite3_errmsg(handle);
  }
  void execute(const char* text) {
    if (is_good) note(sqlite3_exec(handle, text, nullptr, nullptr, nullptr));
  }
};

// One statement, used for every row of a table.
class Rows {
 public:
  Rows(Database& to, std::string_view table, std::size_t columns) : to_(to) {
    std::string text = fmt::format("INSERT INTO {} VALUES (?", table);
    for (std::size_t i = 1; i < columns; ++i) text += ",?";
    text += ")";
    to_.note(sqlite3_prepare_v2(to.handle, text.c_str(), -1, &statement_, nullptr));
  }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  ~Rows() { sqlite3_finalize(statement_); }

  void add(std::initializer_list<Value> values) {
    if (!to_.is_good) return;
    int column = 0;
    for (const Value& value : values) bind(++column, value);
    to_.note(sqlite3_step(statement_));
    sqlite3_reset(statement_);
  }

 private:
  void bind(int column, const Value& value) {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      sqlite3_bind_int64(statement_, column, *integer);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      sqlite3_bind_text(statement_, column, text->data(), static_cast<int>(text->size()),
                        SQLITE_TRANSIENT);
    } else if (const auto* bytes = std::get_if<Bytes>(&value)) {
      sqlite3_bind_blob(statement_, column, bytes->data(), static_cast<int>(bytes->size()),
                        SQLITE_TRANSIENT);
    } else {
      sqlite3_bind_null(statement_, column);
    }
  }
  Database& to_;
  sqlite3_stmt* statement_ = nullptr;
};

void add_lab(Database& to, const RunFile& run) {
  Rows facts(to, "run", 2);
  facts.add({std::string("lab"), run.lab_name});
  facts.add({std::string("file"), run.lab_file});
  facts.add({std::string("text"), run.lab_text});
  facts.add({std::string("seed"), number(run.seed)});
  facts.add({std::string("time"), std::string(run.is_virtual ? "virtual" : "real")});
  facts.add({std::string("ended_ns"), instant(run.ended_at)});
  Rows nodes(to, "nodes", 3);
  for (std::size_t i = 0; i < run.nodes.size(); ++i)
    nodes.add({number(i), run.nodes[i].name, std::string(text_of_kind(run.nodes[i].kind))});
  Rows links(to, "links", 2);
  for (std::size_t i = 0; i < run.links.size(); ++i) links.add({number(i), run.links[i]});
  Rows ports(to, "ports", 8);
  for (std::size_t i = 0; i < run.ports.size(); ++i) {
    const RunPort& port = run.ports[i];
    std::string addresses;
    for (const IpPrefix& each : port.addresses)
      addresses += (addresses.empty() ? "" : " ") + to_text(each);
    ports.add({number(i), number(port.node), port.name, to_text(port.mac), number(port.mtu),
               addresses, number(port.link), number(port.peer)});
  }
  Rows programs(to, "programs", 4);
  for (const RunProgram& each : run.programs)
    programs.add({number(each.program), number(each.node), each.name, each.command});
  Rows verdicts(to, "verdicts", 4);
  for (const Verdict& each : run.verdicts)
    verdicts.add({each.text, number(each.is_good ? 1 : 0), each.happened, instant(each.at)});
}

void add_frames(Database& to, const why::Index& index) {
  const RunFile& run = index.run;
  Rows frames(to, "frames", 9);
  for (std::size_t i = 0; i < run.packets.size(); ++i) {
    const RunPacket& each = run.packets[i];
    const Value dropped = each.comment.empty() ? Value(Nothing{}) : Value(each.comment);
    frames.add({number(i + 1), instant(each.at), number(each.port),
                number(run.ports[each.port].node), number(each.is_sent ? 1 : 0),
                number(each.packet), number(each.size), dropped, run.frame(each)});
  }
  Rows packets(to, "packets", 11);
  for (const why::Journey& each : index.packets.journeys()) {
    const why::Headers& headers = each.headers;
    const Value dropped =
        each.dropped ? Value(run.packets[*each.dropped].comment) : Value(Nothing{});
    packets.add({number(each.packet), number(each.sightings.front() + 1), instant(each.sent_at),
                 instant(index.packets.arrived_at(each)), std::string(layer_text(headers.layer)),
                 to_text(headers.source.address), number(headers.source.port),
                 to_text(headers.destination.address), number(headers.destination.port),
                 number(headers.payload.size()), dropped});
  }
}

void add_flows(Database& to, const why::Index& index) {
  Rows flows(to, "flows", 5);
  Rows segments(to, "segments", 11);
  for (std::size_t i = 0; i < index.flows.all().size(); ++i) {
    const why::Flow& flow = index.flows.all()[i];
    flows.add({number(i + 1), why::flow_name(index.run, flow), to_text(flow.sides[0].endpoint),
               to_text(flow.sides[1].endpoint), instant(flow.began())});
    for (const why::Segment& each : flow.segments) {
      const auto frame = [&](const why::Segment& of) {
        return number(index.packets.journeys()[of.journey].sightings.front() + 1);
      };
      const Value repeats = each.repeats ? frame(flow.segments[*each.repeats]) : Value(Nothing{});
      segments.add({number(i + 1), number(each.side), instant(each.sent_at),
                    instant(each.arrived_at), frame(each), each.begin, each.end, each.acked,
                    each.window, tcp::to_text(each.flags), repeats});
    }
  }
}

void add_events(Database& to, const RunFile& run) {
  Rows kinds(to, "event_kinds", 6);
  for (const EventKindInfo& info : event_kinds())
    kinds.add({std::string(info.name), std::string(info.columns[0]), std::string(info.columns[1]),
               std::string(info.columns[2]), std::string(info.columns[3]),
               std::string(info.columns[4])});
  Rows events(to, "events", 11);
  for (const RunEvent& each : run.events) {
    const Event& event = each.event;
    events.add({number(event.id), number(event.cause), instant(event.at), number(event.node),
                std::string(info_of(event.kind).name), event.values[0], event.values[1],
                event.values[2], event.values[3], event.values[4], std::string(event.text)});
  }
}

}  // namespace

std::expected<void, std::string> export_sqlite(const why::Index& index, const std::string& path) {
  if (std::filesystem::exists(path))
    return std::unexpected(path + ": there is such a file already; give another name");
  sqlite3* opened = nullptr;
  const int status = sqlite3_open(path.c_str(), &opened);
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> database(opened, sqlite3_close);
  if (status != SQLITE_OK) return std::unexpected(path + ": " + sqlite3_errstr(status));
  Database to{.handle = opened};
  to.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN");
  to.execute(schema);
  add_lab(to, index.run);
  add_frames(to, index);
  add_flows(to, index);
  add_events(to, index.run);
  to.execute(indexes);
  to.execute("COMMIT");
  if (!to.is_good) return std::unexpected(path + ": " + to.problem);
  return {};
}

}  // namespace lanyard::lab::search
