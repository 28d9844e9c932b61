#include "userspace/report/json_document.h"

#include <algorithm>
#include <array>
#include <optional>

#include "userspace/base/quote.h"
#include "userspace/report/fields.h"

namespace gilscope {
namespace {

using Json = nlohmann::ordered_json;

// The deepest report has a dozen levels. Code that recurses over a document relies on the first
// limit; ordered objects, which search their keys one by one, rely on the second.
constexpr size_t kMaxDepth = 64;
constexpr size_t kMaxKeys = 16384;

// Counts the keys, looking at brackets, commas and colons only; the parser judges the rest. Empty:
// too deep or too wide.
std::optional<size_t> keys_of_reasonable_shape(std::string_view text) {
  std::array<size_t, kMaxDepth> commas;
  size_t depth = 0, keys = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      if (depth == kMaxDepth) return {};
      // An array may have many elements; only keys are limited.
      commas[depth++] = c == '{' ? kMaxKeys : SIZE_MAX;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    } else if (c == ',' && depth > 0 && --commas[depth - 1] == 0) {
      return {};
    }
    keys += !quoted && c == ':';
  }
  return keys;
}

size_t keys_in(const Json& value) {
  if (!value.is_structured()) return 0;
  size_t keys = value.is_object() ? value.size() : 0;
  for (const Json& element : value) keys += keys_in(element);
  return keys;
}

Status check_header(const Json& document, const std::string& origin) {
  const auto no_report = [&] {
    return fail(Exit::no_data, origin + ": not a gilscope report (its \"schema\" does not say so)");
  };
  if (!document.is_object()) return no_report();
  const auto schema = document.find("schema");
  if (schema == document.end() || !schema->is_object()) return no_report();
  const auto name = schema->find("name");
  if (name == schema->end() || !name->is_string()) return no_report();
  if (name->get_ref<const std::string&>() != kReportSchemaName) {
    return fail(Exit::no_data,
                fmt::format("{}: not a gilscope report: its schema is \"{}\", not \"{}\"", origin,
                            printable(name->get_ref<const std::string&>().substr(0, 80)),
                            kReportSchemaName));
  }
  const auto major = schema->find("major");
  if (major == schema->end() || !major->is_number_integer()) return no_report();
  if (*major != kReportMajor) {
    return fail(Exit::no_data,
                fmt::format("{}: report of major version {}, this gilscope reads major version {}; "
                            "use the gilscope that wrote it",
                            origin, major->dump(), kReportMajor));
  }
  return {};
}

}  // namespace

Result<Json> parse_report(std::string_view text, const std::string& origin) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return fail(Exit::no_data, origin + ": empty, not a report");
  }
  const std::optional<size_t> keys = keys_of_reasonable_shape(text);
  if (!keys) {
    return fail(Exit::no_data,
                fmt::format("{}: not a report: nested deeper than {} levels, or an object with "
                            "more than {} keys",
                            origin, kMaxDepth, kMaxKeys));
  }
  // Counted from 1.
  const auto not_json = [&](size_t byte) {
    return fail(Exit::no_data, fmt::format("{}: not JSON (at byte {} of {}), so not a report",
                                           origin, byte, text.size()));
  };
  try {
    Json document = Json::parse(text);
    // The parser takes a NUL for the end of the text.
    if (const size_t nul = text.find('\0'); nul != std::string_view::npos) return not_json(nul + 1);
    // Readers differ in which of two values they take.
    if (keys_in(document) != *keys) {
      return fail(Exit::no_data, origin + ": not a report: an object in it has a key twice");
    }
    if (Status ok = check_header(document, origin); !ok) return fail(ok.error());
    return document;
  } catch (const Json::parse_error& e) {
    if (e.byte > text.size()) {
      return fail(Exit::no_data, fmt::format("{}: ends in the middle of its JSON after {} bytes: "
                                             "truncated, or not a report",
                                             origin, text.size()));
    }
    return not_json(e.byte);
  } catch (const Json::exception&) {
    return fail(Exit::no_data, origin + ": not a report: a number in it is out of range");
  } catch (const std::bad_alloc&) {
    return fail(origin + ": too large for the memory of this machine");
  }
}

}  // namespace gilscope
