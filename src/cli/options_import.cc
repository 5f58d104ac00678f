// SPDX-License-Identifier: Apache-2.0
// The command line of `lanyard import`.
#include "cli/import_lab.hh"
#include "cli/options_parts.hh"

namespace lanyard::cli {
namespace {

void declare_import(CLI::App& app, Filled& f) {
  app.add_option("FILE", f.import_lab.file, "A topology of containerlab, or GraphML")->required();
  app.add_option("-o,--output", f.import_lab.output, "Where the lab file is written")
      ->type_name("LAB");
  app.add_option("--from", f.import_lab.from, "Whose it is, if it does not look like it")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"containerlab", "graphml"}));
}

constexpr auto verbs = std::to_array<VerbEntry>({
    {"import", "A lab of another tool as a lab file",
     "  lanyard import srl.clab.yml > srl.yaml     # what is not translated is said, line by line\n"
     "  lanyard import Abilene.graphml -o abilene.yaml\n"
     "\nExit status: 0 it is a lab, 1 it has to be mended by hand, 2 the file is wrong.",
     declare_import, [](Filled& f) { return import_lab(f.import_lab); }},
});

}  // namespace

std::span<const VerbEntry> import_verbs() {
  return verbs;
}

}  // namespace lanyard::cli
