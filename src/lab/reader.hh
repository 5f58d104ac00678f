// SPDX-License-Identifier: Apache-2.0
// The lab file's reader, one function per section; lab_file.cc calls them in order. A section with
// a problem says so and goes on, so that all problems are found in one pass.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "lab/action_text.hh"
#include "lab/lab_file.hh"
#include "lab/units.hh"
#include "lab/yaml.hh"

namespace lanyard::lab {

class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {}

  void read(const Yaml& root);
  [[nodiscard]] bool has_errors() const { return errors_ > 0; }
  Model& model() { return model_; }
  [[nodiscard]] const std::string& loaded() const { return loaded_; }
  std::vector<Diagnostic>& diagnostics() { return diagnostics_; }

  void problem(Mark mark, std::string what, std::string fix);
  void warning(Mark mark, std::string what, std::string fix);

 private:
  // read_hosts.cc
  void read_hosts(const Yaml& section);
  void read_host(const Yaml& name, const Yaml* body);
  void fill_host(NodeSpec& node, const Yaml& body);
  void read_runs(NodeSpec& node, const Yaml& value);
  void read_run(NodeSpec& node, const Yaml& value);
  void read_run_key(ProgramSpec& program, const std::string& key, const Yaml& value);
  void refuse_ignored_keys(const NodeSpec& node, const Yaml& runs);
  void read_expect(ProgramSpec& program, const Yaml& value);
  void read_environment(ProgramSpec& program, const Yaml& value);
  void read_devices(const Yaml& section, NodeKind kind);
  void read_device(const Yaml& name, const Yaml* body, NodeKind kind);
  void add_nodes(const Yaml& name, NodeSpec node);
  void name_programs();
  // read_links.cc
  void read_links(const Yaml& section);
  void read_link(const Yaml& name, const Yaml* body);
  void fill_link(const std::vector<std::uint32_t>& links, const Yaml& name, const Yaml& body,
                 bool is_one_way);
  void read_change(const Yaml& body, std::span<const std::string> known, std::string_view where,
                   std::string_view example, LinkChange& change);
  void read_change_key(const std::string& key, const Yaml& value, LinkChange& change);
  void read_link_ends(const std::vector<std::uint32_t>& links, const Yaml& value, bool is_mac);
  void warn_about_links();
  // read_files.cc
  void read_files(const Yaml& section);
  void read_numbers(const Yaml& section);
  bool take_numbers(const Yaml& at, const std::string& name, std::string_view text);
  void read_groups(const Yaml& section);
  // read_timeline.cc
  void read_timeline(const Yaml& section);
  void read_moment(const ActionReader& actions, const Yaml& time, const Yaml& value);
  void start_by_events();
  void read_action(const ActionReader& actions, const Action& moment, const Yaml& line,
                   const Yaml* body);
  void read_flap(const ActionReader& actions, const Action& moment, const Yaml& line);
  void read_checks(const Yaml& section);
  void check_subject(const CheckSpec& spec, const Yaml& line);

  bool is_map(const Yaml& value, std::string_view what, std::string_view example);
  // Goes through a mapping's keys, of which only `known` may be there and each once.
  template <typename Use>
  void each_key(const Yaml& map, std::span<const std::string> known, std::string_view where,
                Use use) {
    std::map<std::string, Mark> seen;
    for (const auto& [key, value] : map.pairs)
      if (accept_key(key, known, where, seen)) use(key.text, value);
  }
  bool accept_key(const Yaml& key, std::span<const std::string> known, std::string_view where,
                  std::map<std::string, Mark>& seen);
  bool is_text(const Yaml& value, std::string_view what);
  template <typename T>
  bool take(const std::expected<T, UnitProblem>& value, const Yaml& at, T& into) {
    if (value) into = *value;
    if (!value) problem(at.mark, value.error().what, value.error().fix);
    return value.has_value();
  }
  void read_duration(const Yaml& value, std::string_view name, Duration& into);
  void read_addresses(const Yaml& value, std::vector<IpPrefix>& into, std::vector<Mark>& marks);
  void read_plain_addresses(const Yaml& value, std::string_view name, std::vector<IpAddress>& into);
  void read_mac(const Yaml& value, std::optional<MacAddress>& into);
  void read_mtu(const Yaml& value, std::uint32_t& into);
  bool is_name(const Yaml& at, std::string_view name, std::size_t offset);
  void read_top(const std::string& key, const Yaml& value);
  // The nodes' names of "a -- b" or "a -> b", and where they stand.
  struct Pair {
    std::string a, b;
    std::size_t a_offset = 0, b_offset = 0;
    bool is_one_way = false;
  };
  bool parse_pair(const Yaml& at, std::string_view text, std::size_t offset, Pair& pair);
  // The nodes a name stands for: one, or all of a counted host (`alice*`). Empty after a problem.
  std::vector<std::uint32_t> nodes_named(const Yaml& at, const std::string& name,
                                         std::size_t offset);
  std::vector<std::uint32_t> links_of(const Yaml& at, const Pair& pair);

  std::string file_;
  Model model_;
  std::optional<Action> last_action_;  // what `+2s` counts from
  bool has_numbers_ = false;           // the file holds some itself
  std::string loaded_;                 // the files' numbers, to be kept with the lab's text
  std::vector<Diagnostic> diagnostics_;
  std::size_t errors_ = 0;
  std::map<std::string, std::uint32_t> by_name_;                // lower case
  std::map<std::string, std::vector<std::uint32_t>> by_group_;  // "alice" of alice*100
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> by_pair_;  // smaller node first
  std::vector<std::string> names_;                                            // for suggestions
};

}  // namespace lanyard::lab
