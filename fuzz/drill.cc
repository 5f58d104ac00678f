// SPDX-License-Identifier: Apache-2.0
// Any bytes as a script: refused with a place inside it, or a tree that the same bytes make again.
#include <cstddef>
#include <cstdint>

#include "core/bytes.hh"
#include "core/check.hh"
#include "lab/drill/code.hh"
#include "lab/drill/parser.hh"
#include "lab/drill/setup.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lanyard;
  using namespace lanyard::lab;
  const auto script = drill::parse_script(text_of({data, size}), "fuzzed.pkt");
  if (!script) {
    CHECK(script.error().mark.line >= 1 && script.error().mark.line <= size + 1);
    CHECK(!script.error().what.empty());
    return 0;
  }
  drill::Setup setup;
  for (const drill::ScriptOption& option : script->options) {
    if (!drill::apply_option(setup, option)) return 0;
  }
  drill::complete(setup);
  drill::Interpreter interpreter;
  for (const drill::Event& event : script->events) {
    const auto* code = std::get_if<drill::CodeEvent>(&event.what);
    if (code == nullptr) continue;
    (void)interpreter.run(code->text, event.mark, [](std::string_view name) {
      return name.starts_with("tcpi_") ? std::optional(drill::value_of(7)) : std::nullopt;
    });
  }
  return 0;
}
