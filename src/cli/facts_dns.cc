// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/facts_icmp.hh"
#include "wire/dns.hh"

namespace lanyard::cli {
namespace {

constexpr std::size_t answers_shown = 3;

std::string answer_text(const dns::Message& message) {
  if (message.response_code != 0) return dns::response_code_text(message.response_code);
  if (message.answers.empty()) return "no such record";
  std::string text;
  for (std::size_t i = 0; i < message.answers.size() && i < answers_shown; ++i) {
    text += (i == 0 ? "" : ", ") + dns::to_text(message.answers[i].data);
  }
  if (message.answers.size() > answers_shown) text += ", ...";
  return text;
}

}  // namespace

std::string dns_detail(Bytes bytes) {
  const auto message = dns::Message::parse(bytes);
  if (!message.has_value()) {
    return fmt::format("unreadable at byte {}: {}", message.error().offset, message.error().reason);
  }
  std::string question = "nothing";
  if (!message->questions.empty()) {
    const dns::Question& first = message->questions.front();
    question = fmt::format("{} {}", dns::to_text(first.type), printable(dns::to_text(first.name)));
  }
  if (!message->is_response) return question + "?";
  return printable(fmt::format("{}: {}", question, answer_text(*message)));
}

}  // namespace lanyard::cli
