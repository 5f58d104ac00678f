// SPDX-License-Identifier: Apache-2.0
#include "lab/yaml.hh"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <map>
#include <sstream>

namespace lanyard::lab {
namespace {

struct Refused {
  YamlProblem problem;
};

Mark mark_of(const YAML::Mark& mark) {
  const auto number = [](int n) { return static_cast<std::uint32_t>(n < 0 ? 1 : n + 1); };
  return {number(mark.line), number(mark.column)};
}

// Builds the tree while yaml-cpp reads. What is open is a stack; `key` waits for its value.
class Builder final : public YAML::EventHandler {
 public:
  Builder() { root_.mark = {1, 1}; }  // of an empty file
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Yaml node;
    node.mark = mark_of(mark);
    add(std::move(node), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchored_.find(anchor);
    if (found == anchored_.end())
      refuse(mark, "an alias inside its own anchor", "write the part out");
    nodes_ += found->second.second;
    check_size(mark);
    add(found->second.first, 0);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(mark, tag);
    Yaml node;
    node.kind = Yaml::Kind::scalar;
    node.is_quoted = tag == "!";
    node.mark = mark_of(mark);
    node.text = value;
    if (!node.is_quoted && (value == "~" || value == "null")) node.kind = Yaml::Kind::null;
    add(std::move(node), anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    check_tag(mark, tag);
    open(mark, Yaml::Kind::sequence, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    check_tag(mark, tag);
    open(mark, Yaml::Kind::mapping, anchor);
  }
  void OnMapEnd() override { close(); }

  Yaml take_root() { return std::move(root_); }

 private:
  struct Open {
    Yaml node;
    YAML::anchor_t anchor = 0;
    std::size_t nodes_before = 0;
    bool has_key = false;
    Yaml key;
  };

  [[noreturn]] static void refuse(const YAML::Mark& mark, std::string what, std::string fix) {
    throw Refused{{mark_of(mark), std::move(what), std::move(fix)}};
  }
  void check_size(const YAML::Mark& mark) const {
    if (nodes_ > yaml_nodes_max)
      refuse(mark, fmt::format("more than {} values", yaml_nodes_max),
             "a lab file this large is a mistake; use counts as in `alice*100`");
  }
  static void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!")
      refuse(mark, fmt::format("the tag `{}`", tag.substr(0, 60)), "a lab file has no tags");
  }

  void open(const YAML::Mark& mark, Yaml::Kind kind, YAML::anchor_t anchor) {
    if (open_.size() >= yaml_depth_max)
      refuse(mark, fmt::format("nested more than {} deep", yaml_depth_max),
             "a lab file needs at most six levels");
    Open opened;
    opened.node.kind = kind;
    opened.node.mark = mark_of(mark);
    opened.anchor = anchor;
    opened.nodes_before = nodes_;
    open_.push_back(std::move(opened));
    ++nodes_;
    check_size(mark);
  }

  void close() {
    Open closed = std::move(open_.back());
    open_.pop_back();
    if (closed.anchor != 0) anchored_[closed.anchor] = {closed.node, nodes_ - closed.nodes_before};
    put(std::move(closed.node));
  }

  void add(Yaml node, YAML::anchor_t anchor) {
    ++nodes_;
    if (nodes_ > yaml_nodes_max) throw Refused{{node.mark, "too many values", "use counts"}};
    if (anchor != 0) anchored_[anchor] = {node, 1};
    put(std::move(node));
  }

  void put(Yaml node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Yaml::Kind::sequence) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.has_key) {
      parent.key = std::move(node);
      parent.has_key = true;
    } else {
      parent.node.pairs.push_back({std::move(parent.key), std::move(node)});
      parent.has_key = false;
    }
  }

  std::vector<Open> open_;
  Yaml root_;
  std::map<YAML::anchor_t, std::pair<Yaml, std::size_t>> anchored_;
  std::size_t nodes_ = 0;
};

}  // namespace

Mark Yaml::mark_at(std::size_t offset) const {
  Mark at = mark;
  if (at.line != 0) at.column += static_cast<std::uint32_t>(offset) + (is_quoted ? 1 : 0);
  return at;
}

std::expected<Yaml, YamlProblem> parse_yaml(std::string_view text) {
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Builder builder;
    (void)parser.HandleNextDocument(builder);
    Yaml root = builder.take_root();
    Builder second;
    if (parser.HandleNextDocument(second))
      return std::unexpected(YamlProblem{second.take_root().mark, "a second YAML document",
                                         "one file describes one lab"});
    return root;
  } catch (const Refused& refused) {
    return std::unexpected(refused.problem);
  } catch (const YAML::Exception& error) {
    return std::unexpected(
        YamlProblem{mark_of(error.mark), "not YAML: " + error.msg,
                    "indent with spaces, and put text with `: ` or `#` in quotes"});
  }
}

}  // namespace lanyard::lab
