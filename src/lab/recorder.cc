// SPDX-License-Identifier: Apache-2.0
#include "lab/recorder.hh"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "lab/record_buffer.hh"
#include "lab/record_frames.hh"
#include "lab/run_format.hh"
#include "lab/world.hh"
#include "wire/pcapng.hh"

namespace lanyard::lab {
namespace {

using Json = nlohmann::ordered_json;

Json json_of_ports(const Plan& plan) {
  std::vector<std::array<std::uint32_t, 2>> ends;
  for (std::uint32_t i = 0; i < plan.ports.size(); ++i) {
    if (ends.size() <= plan.ports[i].link) ends.resize(plan.ports[i].link + 1);
    ends[plan.ports[i].link][plan.ports[i].is_a ? 0 : 1] = i;
  }
  Json ports = Json::array();
  for (const PlannedPort& port : plan.ports) {
    Json addresses = Json::array();
    for (const IpPrefix& each : port.addresses) addresses.push_back(to_text(each));
    ports.push_back({{"node", port.node},
                     {"name", port.name},
                     {"mac", to_text(port.mac)},
                     {"mtu", port.mtu},
                     {"addresses", addresses},
                     {"link", port.link},
                     {"peer", ends[port.link][port.is_a ? 1 : 0]}});
  }
  return ports;
}

Json json_of_nodes(const Model& model, const Plan& plan) {
  Json nodes = Json::array();
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    Json routes = Json::array();
    for (const stack::Route& route : plan.nodes[i].routes)
      routes.push_back({{"to", to_text(route.destination)},
                        {"via", to_text(route.gateway)},
                        {"interface", route.interface}});
    nodes.push_back({{"name", model.nodes[i].name},
                     {"kind", text_of_kind(model.nodes[i].kind)},
                     {"routes", routes}});
  }
  return nodes;
}

}  // namespace

struct Recorder::State {
  State(RecorderOptions given, std::FILE* file)
      : options(std::move(given)), buffer(file), frames(buffer, options.is_virtual) {}

  RecorderOptions options;
  RecordBuffer buffer;
  pcapng::Writer writer{[this](Bytes block) { buffer.append(block); }};
  FrameWriter frames;
  RowBlock rows;
  std::string problem;
  std::int64_t epoch_ns = 0;
  std::uint64_t last_packet = 0;
  bool is_finished = false;

  void json(RunBlock kind, const Json& value) {
    // A text may hold any bytes: what is not UTF-8 is shown as such, not refused.
    const std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
    std::vector<std::uint8_t> block{static_cast<std::uint8_t>(kind), 0, 0, 0};
    block.reserve(block.size() + text.size());
    const Bytes bytes = bytes_of(text);
    block.insert(block.end(), bytes.begin(), bytes.end());
    writer.custom(block);
  }
  void flush_rows() {
    if (rows.is_empty()) return;
    writer.custom(rows.bytes());
    rows.clear();
  }
  RowBlock& next_row() {
    if (rows.is_full() && !frames.is_open()) flush_rows();
    return rows;
  }
};

Recorder::Recorder(std::unique_ptr<State> state) : state_(std::move(state)) {}
Recorder::~Recorder() = default;

std::expected<std::unique_ptr<Recorder>, std::string> Recorder::open(
    const RecorderOptions& options) {
  std::FILE* file = std::fopen(options.path.c_str(), "wbe");
  if (file == nullptr)
    return std::unexpected(fmt::format("{}: {}", options.path, std::strerror(errno)));
  auto state = std::make_unique<State>(options, file);
  if (!options.is_virtual) state->epoch_ns = options.began_ns;
  return std::unique_ptr<Recorder>(new Recorder(std::move(state)));
}

void Recorder::begin(const Model& model, const Plan& plan) {
  state_->writer.section({.application = "Lanyard", .comment = "lab " + model.name});
  Json links = Json::array();
  for (std::uint32_t i = 0; i < model.links.size(); ++i) links.push_back(model.link_name(i));
  Json begin{{"version", run_file_version},
             {"lab", model.name},
             {"file", model.file},
             {"seed", model.seed},
             {"time", state_->options.is_virtual ? "virtual" : "real"},
             {"epoch_ns", state_->epoch_ns},
             {"text", model.text},
             {"nodes", json_of_nodes(model, plan)},
             {"ports", json_of_ports(plan)},
             {"links", links}};
  if (!state_->options.is_virtual) begin["inputs"] = run_inputs_version;
  state_->json(RunBlock::begin, begin);
  for (std::uint32_t i = 0; i < plan.ports.size(); ++i)
    state_->writer.interface({.name = plan.port_name(model, i)});
  state_->frames.begin(model, plan);
}

void Recorder::program(const ProgramRow& program) {
  state_->json(RunBlock::program, {{"program", static_cast<std::uint32_t>(program.id)},
                                   {"node", program.node},
                                   {"name", program.name},
                                   {"command", program.command}});
}

void Recorder::frame(const RecordedFrame& frame, const Packet& packet) {
  if (state_->is_finished) return;
  if (frame.cause != 0 && frame.packet > state_->last_packet)
    state_->next_row().cause(frame.packet, frame.cause);
  state_->last_packet = std::max(state_->last_packet, frame.packet);
  state_->frames.open(
      {.interface = frame.port,
       .time_ns = state_->epoch_ns + frame.at.count_ns(),
       .direction = frame.is_sent ? pcapng::Direction::outbound : pcapng::Direction::inbound,
       .packet_id = frame.packet},
      packet);
}

void Recorder::frame_done(DropReason dropped) {
  if (state_->is_finished) return;
  if (dropped == DropReason::none) return state_->frames.close({});
  state_->frames.close(fmt::format("dropped: {}", to_text(dropped)));
}

void Recorder::on_event(const Event& event) {
  if (!state_->is_finished) state_->next_row().event(event);
}

void Recorder::inputs(Bytes rows) {
  if (state_->is_finished) return;
  std::vector<std::uint8_t> block{static_cast<std::uint8_t>(RunBlock::inputs), 0, 0, 0};
  block.insert(block.end(), rows.begin(), rows.end());
  state_->writer.custom(block);
}

void Recorder::flush() {
  if (!state_->is_finished) state_->flush_rows();
  state_->buffer.flush();
}

bool Recorder::is_flushed() const {
  return state_->rows.is_empty() && state_->buffer.is_flushed();
}

void Recorder::finish(std::span<const Verdict> verdicts, Instant at) {
  if (state_->is_finished) return;
  state_->flush_rows();
  Json rows = Json::array();
  for (const Verdict& each : verdicts)
    rows.push_back({{"text", each.text},
                    {"good", each.is_good},
                    {"happened", each.happened},
                    {"at_ns", each.at.count_ns()},
                    {"line", each.mark.line},
                    {"column", each.mark.column}});
  state_->json(RunBlock::end, {{"at_ns", at.count_ns()}, {"verdicts", rows}});
  state_->is_finished = true;
  state_->buffer.flush();
}

const std::string& Recorder::path() const {
  return state_->options.path;
}

const std::string& Recorder::problem() const {
  if (const int error = state_->buffer.error(); error != 0 && state_->problem.empty())
    state_->problem = fmt::format("{}: {}", state_->options.path, std::strerror(error));
  return state_->problem;
}

}  // namespace lanyard::lab
