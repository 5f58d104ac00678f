// SPDX-License-Identifier: Apache-2.0
// Any bytes as a run file: read, read as far as it is whole, or refused with an offset; never a
// crash.
#include "lab/run_file.hh"

#include "core/check.hh"
#include "lab/replay/input.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lanyard;
  const auto run = lab::parse_run_file({data, data + size});
  if (!run) {
    CHECK(run.error().offset <= size && !run.error().what.empty());
    return 0;
  }
  for (const lab::RunPacket& packet : run->packets) {
    CHECK(run->frame(packet).size() == packet.size);
    (void)run->port_name(packet.port);
  }
  for (const lab::RunEvent& each : run->events) CHECK(each.event.node < run->nodes.size());
  lab::InputReader reader(*run);
  for (auto input = reader.next(); input && *input; input = reader.next())
    CHECK(!lab::text_of(**input, *run).empty() && !reader.row().empty());
  if (const auto problem = lab::inputs_problem(*run)) CHECK(!problem->what.empty());
  return 0;
}
