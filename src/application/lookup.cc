// SPDX-License-Identifier: Apache-2.0
// Asks the host's name servers and prints the records, one a line.
#include <array>

#include <fmt/format.h>

#include "application/dns_server.hh"
#include "application/programs.hh"
#include "application/resolver.hh"

namespace lanyard::application {

namespace {

constexpr std::array<std::pair<std::string_view, dns::Type>, 9> types{{{"A", dns::Type::a},
                                                                       {"AAAA", dns::Type::aaaa},
                                                                       {"ANY", dns::Type::any},
                                                                       {"CNAME", dns::Type::cname},
                                                                       {"MX", dns::Type::mx},
                                                                       {"NS", dns::Type::ns},
                                                                       {"PTR", dns::Type::ptr},
                                                                       {"SOA", dns::Type::soa},
                                                                       {"TXT", dns::Type::txt}}};

std::optional<dns::Type> type_called(std::string_view name) {
  for (const auto& [known, type] : types) {
    if (known == name) return type;
  }
  return std::nullopt;
}

}  // namespace

int lookup(socket::Process& process, std::span<const std::string> all) {
  const Arguments arguments(
      all.subspan(1), {.with_value = {"-t"}, .without_value = {}, .words_min = 1, .words_max = 1});
  if (!arguments.problem().empty()) return wrong_usage(process, "lookup", arguments.problem());
  const std::string& word = arguments.words()[0];
  const auto address = IpAddress::parse(word);
  const auto name = address ? reverse_name(*address) : dns::Name::parse(word);
  const auto type = type_called(arguments.value("-t").value_or(address ? "PTR" : "A"));
  if (!name || !type) {
    return wrong_usage(process, "lookup",
                       !name ? "that is not a name" : "that is not a record type");
  }
  const auto answer = ask(process, {.name = *name, .type = *type});
  if (!answer) {
    process.print(2, fmt::format("lookup: {}\n", answer.error()));
    return 1;
  }
  for (const dns::Record& record : answer->answers) process.print(1, to_text(record) + "\n");
  if (answer->response_code != 0) {
    process.print(
        2, fmt::format("lookup: {}: {}\n", word, dns::response_code_text(answer->response_code)));
  }
  return answer->answers.empty() ? 1 : 0;
}

}  // namespace lanyard::application
