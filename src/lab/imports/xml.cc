// SPDX-License-Identifier: Apache-2.0
#include "lab/imports/xml.hh"

#include <expat.h>

#include <memory>
#include <optional>

namespace lanyard::lab::imports {
namespace {

std::string local_name(std::string_view name) {
  return std::string(name.substr(name.find(':') + 1));  // npos + 1 is 0
}

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

// What expat tells, put together.
struct Document {
  XML_Parser parser = nullptr;
  std::vector<Element> open;  // from the root to the element at hand
  std::optional<Element> root;
  std::optional<YamlProblem> problem;
  std::size_t elements = 0;

  [[nodiscard]] Mark mark() const {
    return {static_cast<std::uint32_t>(XML_GetCurrentLineNumber(parser)),
            static_cast<std::uint32_t>(XML_GetCurrentColumnNumber(parser) + 1)};
  }
  void refuse(std::string what, std::string fix) {
    if (!problem) problem = YamlProblem{mark(), std::move(what), std::move(fix)};
    XML_StopParser(parser, XML_FALSE);
  }
};

void on_start(void* user, const XML_Char* name, const XML_Char** attributes) {
  auto& document = *static_cast<Document*>(user);
  if (++document.elements > xml_elements_max || document.open.size() >= xml_depth_max)
    return document.refuse("the file is too large or too deep", "make it smaller");
  Element element{.name = local_name(name), .mark = document.mark()};
  for (; *attributes != nullptr; attributes += 2)
    element.attributes.emplace_back(local_name(attributes[0]), attributes[1]);
  document.open.push_back(std::move(element));
}

void on_end(void* user, const XML_Char*) {
  auto& document = *static_cast<Document*>(user);
  Element element = std::move(document.open.back());
  document.open.pop_back();
  element.text = trimmed(element.text);
  if (document.open.empty())
    document.root = std::move(element);
  else
    document.open.back().children.push_back(std::move(element));
}

void on_text(void* user, const XML_Char* text, int size) {
  auto& document = *static_cast<Document*>(user);
  if (!document.open.empty())
    document.open.back().text.append(text, static_cast<std::size_t>(size));
}

void on_entity(void* user, const XML_Char*, int, const XML_Char*, int, const XML_Char*,
               const XML_Char*, const XML_Char*, const XML_Char*) {
  static_cast<Document*>(user)->refuse("entities are not taken", "write out what they stand for");
}

}  // namespace

std::string_view Element::attribute(std::string_view wanted) const {
  for (const auto& [key, value] : attributes)
    if (key == wanted) return value;
  return {};
}

std::expected<Element, YamlProblem> parse_xml(std::string_view text) {
  const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser(
      XML_ParserCreate(nullptr), XML_ParserFree);
  Document document;
  document.parser = parser.get();
  XML_SetUserData(parser.get(), &document);
  XML_SetElementHandler(parser.get(), on_start, on_end);
  XML_SetCharacterDataHandler(parser.get(), on_text);
  XML_SetEntityDeclHandler(parser.get(), on_entity);
  const auto status = XML_Parse(parser.get(), text.data(), static_cast<int>(text.size()), XML_TRUE);
  if (document.problem) return std::unexpected(*document.problem);
  if (status != XML_STATUS_OK || !document.root)
    return std::unexpected(YamlProblem{
        document.mark(), XML_ErrorString(XML_GetErrorCode(parser.get())), "mend the XML there"});
  return std::move(*document.root);
}

}  // namespace lanyard::lab::imports
