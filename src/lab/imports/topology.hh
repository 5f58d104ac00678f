// SPDX-License-Identifier: Apache-2.0
// What a foreign file says, before it is written as a lab file: nodes and links with their places,
// and notes about what is left behind.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lab/imports/imports.hh"
#include "lab/node_spec.hh"

namespace lanyard::lab::imports {

// Notes and errors, each with its place in the file.
class Notes {
 public:
  explicit Notes(std::string file) : file_(std::move(file)) {}
  void note(Mark mark, std::string what, std::string fix);
  void wrong(Mark mark, std::string what, std::string fix);
  [[nodiscard]] bool is_wrong() const { return !errors_.empty(); }
  [[nodiscard]] std::vector<Diagnostic> take_errors() { return std::move(errors_); }
  [[nodiscard]] std::vector<Diagnostic> take_notes();
  [[nodiscard]] const std::string& file() const { return file_; }

 private:
  std::string file_;
  std::vector<Diagnostic> errors_, notes_;
};

using Keys = std::vector<std::pair<std::string, std::string>>;  // of the lab file

struct Node {
  std::string name;  // a lab file's
  NodeKind kind = NodeKind::host;
  std::string gateway = {};
  std::size_t links = 0;
};

struct End {
  std::uint32_t node = 0;
  std::vector<std::string> addresses = {};
  std::string mac = {};
};

struct Link {
  End a = {}, b = {};
  Keys keys = {};
  bool is_one_way = false;  // from a to b, beside a link that is there both ways
  Mark mark = {};
};

struct Topology {
  std::string name;
  std::vector<Node> nodes;
  std::vector<Link> links;
};

// Names as a lab file takes them: letters, digits and hyphens; each its own.
class NodeNames {
 public:
  explicit NodeNames(Notes& notes) : notes_(notes) {}
  [[nodiscard]] std::string name_for(const std::string& wanted, Mark mark);
  // One that nobody has, for a node that the file does not name.
  [[nodiscard]] std::string fresh(const std::string& wanted);

 private:
  Notes& notes_;
  std::set<std::string> taken_;  // in lower case
};

// containerlab.cc, graphml.cc
[[nodiscard]] Topology read_containerlab(std::string_view text, Notes& notes, NodeNames& names);
[[nodiscard]] Topology read_graphml(std::string_view text, Notes& notes, NodeNames& names);

}  // namespace lanyard::lab::imports
