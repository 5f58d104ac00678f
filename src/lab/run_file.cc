// SPDX-License-Identifier: Apache-2.0
// Reading a run file. Its bytes may come from anyone: nothing in it is believed before it is looked
// at.
#include "lab/run_file.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "lab/run_format.hh"
#include "wire/pcapng.hh"

namespace lanyard::lab {
namespace {

using Json = nlohmann::json;
using Problem = std::optional<RunFileProblem>;

NodeKind kind_of(std::string_view text) {
  if (text == "router") return NodeKind::router;
  if (text == "switch") return NodeKind::switching;
  return text == "linux" ? NodeKind::kernel_host : NodeKind::host;
}

// Reads block by block into a RunFile.
class Parser {
 public:
  explicit Parser(RunFile& run) : run_(run) {
    run_.whole = pcapng::WholePackets(run_.bytes.size());
  }

  Problem parse() {
    pcapng::Reader reader;
    Bytes rest = run_.bytes;
    Problem damage;
    for (;;) {
      const auto record = reader.next(rest);
      if (!record) damage = error(record.error().offset, record.error().reason);
      is_broken_ = !record;
      if (!record || !*record) break;
      rest = rest.subspan(reader.taken());
      if (const Problem problem = take(**record)) return problem;
    }
    if (const auto end = reader.end(rest); end && !damage) damage = error(end->offset, end->reason);
    if (!is_begun_)
      return damage
                 ? damage
                 : error(run_.bytes.size(),
                         "a capture file, but not a run of Lanyard's: it says nothing about a lab");
    run_.damage = std::move(damage);
    run_.is_whole = is_ended_;
    run_.is_cut_short = !is_ended_ && !is_broken_;
    if (!is_ended_ && !run_.packets.empty()) run_.ended_at = run_.packets.back().at;
    if (!is_ended_ && !run_.events.empty())
      run_.ended_at = std::max(run_.ended_at, run_.events.back().event.at);
    for (RunPacket& packet : run_.packets)
      if (const auto cause = causes_.find(packet.packet); cause != causes_.end())
        packet.cause = cause->second;
    return {};
  }

 private:
  static Problem error(std::size_t offset, std::string what) {
    return RunFileProblem{offset, std::move(what)};
  }

  Problem take(const pcapng::Record& record) {
    if (const auto* packet = std::get_if<pcapng::CapturedPacket>(&record))
      return take_packet(*packet);
    const auto* custom = std::get_if<pcapng::Custom>(&record);
    if (custom == nullptr || custom->bytes.size() < 4) return {};
    RunReader reader(custom->bytes);
    const auto kind = reader.number<RunBlock>();
    try {
      switch (kind) {
        case RunBlock::begin:
          return take_begin(json_of(reader), custom->offset);
        case RunBlock::program:
          return take_program(json_of(reader), custom->offset);
        case RunBlock::rows:
          return take_rows(reader, custom->offset);
        case RunBlock::end:
          return take_end(json_of(reader));
        case RunBlock::inputs:
          run_.inputs.push_back(
              {custom->offset + custom->bytes.size() - reader.left(), reader.left()});
          return {};
      }
    } catch (const Json::exception& wrong) {
      return error(custom->offset,
                   fmt::format("a block of Lanyard's that is not well-formed: {}", wrong.what()));
    }
    return {};  // of a later version
  }

  static Json json_of(const RunReader& reader) {
    const Bytes rest = reader.rest();
    return Json::parse(rest.begin(), rest.end());
  }

  Problem take_begin(const Json& json, std::size_t offset) {
    if (is_begun_) return error(offset, "a second beginning");
    if (json.at("version").get<int>() > run_file_version)
      return error(offset,
                   fmt::format("written by a later Lanyard (format {}; this one reads up to {})",
                               json.at("version").get<int>(), run_file_version));
    is_begun_ = true;
    run_.version = json.at("version").get<int>();
    run_.lab_name = json.at("lab").get<std::string>();
    run_.lab_file = json.at("file").get<std::string>();
    run_.lab_text = json.at("text").get<std::string>();
    run_.seed = json.at("seed").get<std::uint64_t>();
    run_.is_virtual = json.at("time").get<std::string>() == "virtual";
    run_.epoch_ns = json.at("epoch_ns").get<std::int64_t>();
    run_.has_inputs = json.value("inputs", 0) == run_inputs_version;
    for (const Json& link : json.at("links")) run_.links.push_back(link.get<std::string>());
    for (const Json& node : json.at("nodes")) take_node(node);
    for (const Json& port : json.at("ports")) take_port(port);
    for (const RunPort& port : run_.ports)
      if (port.node >= run_.nodes.size() || port.link >= run_.links.size() ||
          port.peer >= run_.ports.size())
        return error(offset, "a port of no node or no link");
    return {};
  }

  void take_node(const Json& json) {
    RunNode node;
    node.name = json.at("name").get<std::string>();
    node.kind = kind_of(json.at("kind").get<std::string>());
    for (const Json& each : json.at("routes")) {
      stack::Route route;
      route.destination = IpPrefix::parse(each.at("to").get<std::string>()).value_or(IpPrefix{});
      route.gateway = IpAddress::parse(each.at("via").get<std::string>()).value_or(IpAddress{});
      route.interface = each.at("interface").get<std::uint32_t>();
      node.routes.push_back(route);
    }
    run_.nodes.push_back(std::move(node));
  }

  void take_port(const Json& json) {
    RunPort port;
    port.node = json.at("node").get<std::uint32_t>();
    port.name = json.at("name").get<std::string>();
    port.mac = MacAddress::parse(json.at("mac").get<std::string>()).value_or(MacAddress{});
    port.mtu = json.at("mtu").get<std::uint32_t>();
    port.link = json.at("link").get<std::uint32_t>();
    port.peer = json.at("peer").get<std::uint32_t>();
    for (const Json& each : json.at("addresses"))
      if (const auto prefix = IpPrefix::parse(each.get<std::string>()))
        port.addresses.push_back(*prefix);
    run_.ports.push_back(std::move(port));
  }

  Problem take_program(const Json& json, std::size_t offset) {
    RunProgram program{json.at("program").get<std::uint32_t>(),
                       json.at("node").get<std::uint32_t>(), json.at("name").get<std::string>(),
                       json.at("command").get<std::string>()};
    if (program.node >= run_.nodes.size()) return error(offset, "a program of no node");
    run_.programs.push_back(std::move(program));
    return {};
  }

  Problem take_packet(const pcapng::CapturedPacket& packet) {
    if (!is_begun_)
      return error(0, "a capture file, but not a run of Lanyard's: packets come before any lab");
    if (packet.info.interface >= run_.ports.size())
      return error(packet.offset, "a packet of no port");
    RunPacket row;
    row.port = packet.info.interface;
    row.at = Instant::at_ns(packet.info.time_ns - run_.epoch_ns);
    row.is_sent = packet.info.direction == pcapng::Direction::outbound;
    row.packet = packet.info.packet_id.value_or(0);
    if (!packet.info.comments.empty()) row.comment = packet.info.comments.front();
    const auto whole = run_.whole.add(packet);
    if (!whole) return error(packet.offset, std::string(whole.error()));
    row.offset = packet.offset;
    row.size = whole->size();
    if (packet.tail_back != 0) row.whole = *whole;
    run_.packets.push_back(std::move(row));
    return {};
  }

  Problem take_rows(RunReader& reader, std::size_t offset) {
    while (!reader.is_empty()) {
      const auto tag = reader.number<RunRow>();
      if (tag == RunRow::event || tag == RunRow::short_event) {
        const Event event = tag == RunRow::event ? reader.event() : reader.short_event();
        if (reader.is_good()) run_.events.push_back({event});
      } else if (tag == RunRow::short_cause) {
        const std::uint64_t packet = reader.any();
        causes_[packet] = reader.any();
      } else if (tag == RunRow::cause) {
        const auto packet = reader.number<std::uint64_t>();
        causes_[packet] = reader.number<EventId>();
      } else {
        return error(offset, "a row of no known kind");
      }
      if (!reader.is_good()) return error(offset, "a row that is cut short");
      if (!run_.events.empty() && run_.events.back().event.node >= run_.nodes.size())
        return error(offset, "an event of no node");
    }
    return {};
  }

  Problem take_end(const Json& json) {
    is_ended_ = true;
    run_.ended_at = Instant::at_ns(json.at("at_ns").get<std::int64_t>());
    for (const Json& each : json.at("verdicts"))
      run_.verdicts.push_back(
          {.text = each.at("text").get<std::string>(),
           .is_good = each.at("good").get<bool>(),
           .mark = {each.at("line").get<std::uint32_t>(), each.at("column").get<std::uint32_t>()},
           .happened = each.at("happened").get<std::string>(),
           .at = Instant::at_ns(each.at("at_ns").get<std::int64_t>())});
    return {};
  }

  RunFile& run_;
  bool is_begun_ = false, is_ended_ = false, is_broken_ = false;
  std::map<std::uint64_t, EventId> causes_;
};

}  // namespace

std::string RunFile::port_name(std::uint32_t port) const {
  return nodes[ports[port].node].name + ":" + ports[port].name;
}

std::expected<RunFile, RunFileProblem> parse_run_file(std::vector<std::uint8_t> bytes) {
  RunFile run;
  run.bytes = std::move(bytes);
  if (run.bytes.empty()) return std::unexpected(RunFileProblem{0, "the file is empty"});
  if (Problem problem = Parser(run).parse()) return std::unexpected(std::move(*problem));
  return run;
}

std::expected<RunFile, RunFileProblem> read_run_file(const std::string& path) {
  // A folder opens, and says that it is very long.
  if (std::error_code none; std::filesystem::is_directory(path, none))
    return std::unexpected(RunFileProblem{0, "cannot be read: Is a directory"});
  std::ifstream stream(path, std::ios::binary | std::ios::ate);
  if (!stream)
    return std::unexpected(
        RunFileProblem{0, fmt::format("cannot be read: {}", std::strerror(errno))});
  const std::streamoff size = stream.tellg();
  if (size < 0) return std::unexpected(RunFileProblem{0, "not a file that can be read"});
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
  stream.seekg(0);
  stream.read(static_cast<char*>(static_cast<void*>(bytes.data())), size);
  if (stream.gcount() != size)
    return std::unexpected(
        RunFileProblem{static_cast<std::size_t>(stream.gcount()), "reading stopped here"});
  return parse_run_file(std::move(bytes));
}

}  // namespace lanyard::lab
