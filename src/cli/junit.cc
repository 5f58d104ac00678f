// SPDX-License-Identifier: Apache-2.0
#include "cli/junit.hh"

#include <fmt/format.h>

#include <algorithm>

namespace lanyard::cli {
namespace {

// What XML 1.0 has no way to write becomes a question mark.
std::string escaped(std::string_view text) {
  std::string all;
  for (const char c : text) {
    const bool is_control = static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t';
    if (c == '&')
      all += "&amp;";
    else if (c == '<')
      all += "&lt;";
    else if (c == '>')
      all += "&gt;";
    else if (c == '"')
      all += "&quot;";
    else
      all += is_control ? '?' : c;
  }
  return all;
}

}  // namespace

std::string junit_xml(std::string_view lab, std::string_view replay,
                      std::span<const lab::Verdict> verdicts) {
  const auto failures =
      std::ranges::count_if(verdicts, [](const lab::Verdict& each) { return !each.is_good; });
  std::string xml = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\">\n",
      escaped(lab), verdicts.size(), failures);
  for (const lab::Verdict& verdict : verdicts) {
    xml += fmt::format("  <testcase classname=\"{}\" name=\"{}\"", escaped(lab),
                       escaped(verdict.text));
    if (verdict.is_good) {
      xml += "/>\n";
      continue;
    }
    xml += fmt::format(
        ">\n    <failure message=\"{0}\">expected: {1}\nhappened: {0}\nat: {2}\n"
        "again: {3}</failure>\n  </testcase>\n",
        escaped(verdict.happened), escaped(verdict.text), to_text(verdict.at), escaped(replay));
  }
  return xml + "</testsuite>\n";
}

}  // namespace lanyard::cli
