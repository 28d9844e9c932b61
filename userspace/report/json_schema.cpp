// The schema check is RapidJSON's; it is fed from the document that is already parsed. It stops at
// the first violation, so each run is checked on its own, and what is around the runs without them.
#include <rapidjson/document.h>
#include <rapidjson/schema.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <optional>

#include "userspace/report/json_document.h"
#include "userspace/util/quote.h"

namespace gilscope {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSchema =
#include "docs/report.schema.json.inc"
    ;

rapidjson::Document parsed_schema(bool of_a_run) {
  rapidjson::Document schema;
  schema.Parse(kSchema);
  if (of_a_run) {
    // The same definitions, entered at the run instead of at the top.
    auto& allocator = schema.GetAllocator();
    rapidjson::Value run(schema["definitions"]["run"], allocator);
    for (auto& member : run.GetObject()) {
      if (schema.HasMember(member.name)) {
        schema[member.name].CopyFrom(member.value, allocator);
      } else {
        schema.AddMember(rapidjson::Value(member.name, allocator),
                         rapidjson::Value(member.value, allocator), allocator);
      }
    }
  }
  return schema;
}

// parse_report limits the depth that this recurses to. `cut` is left out: it is written as an empty
// array. False as soon as the validator has seen enough.
bool feed(const Json& value, rapidjson::SchemaValidator& to, const std::string* cut) {
  switch (value.type()) {
    case Json::value_t::null:
      return to.Null();
    case Json::value_t::boolean:
      return to.Bool(value.get<bool>());
    case Json::value_t::number_integer:
      return to.Int64(value.get<int64_t>());
    case Json::value_t::number_unsigned:
      return to.Uint64(value.get<uint64_t>());
    case Json::value_t::number_float:
      return to.Double(value.get<double>());
    case Json::value_t::string: {
      const auto& text = value.get_ref<const std::string&>();
      return to.String(text.c_str(), rapidjson::SizeType(text.size()), true);
    }
    case Json::value_t::array: {
      if (!to.StartArray()) return false;
      for (const Json& element : value) {
        if (!feed(element, to, cut)) return false;
      }
      return to.EndArray(rapidjson::SizeType(value.size()));
    }
    case Json::value_t::object: {
      if (!to.StartObject()) return false;
      for (const auto& [key, member] : value.items()) {
        if (!to.Key(key.c_str(), rapidjson::SizeType(key.size()), true)) return false;
        const bool left_out = cut && key == *cut && member.is_array();
        if (!(left_out ? to.StartArray() && to.EndArray(0) : feed(member, to, cut))) return false;
      }
      return to.EndObject(rapidjson::SizeType(value.size()));
    }
    default:
      return false;
  }
}

std::string text_of(const rapidjson::Pointer& pointer) {
  rapidjson::StringBuffer buffer;
  pointer.Stringify(buffer);
  return buffer.GetString();
}

// Which keys are missing, since "required" alone would send the reader to the schema.
std::string missing_keys(const rapidjson::Value& required, const Json& document,
                         const std::string& pointer) {
  const Json::json_pointer place(pointer);
  std::string keys;
  if (!document.contains(place)) return keys;
  for (const auto& key : required.GetArray()) {
    if (document[place].contains(key.GetString())) continue;
    keys += fmt::format("{}\"{}\"", keys.empty() ? "" : ", ", key.GetString());
  }
  return keys;
}

std::string describe(const rapidjson::SchemaValidator& validator, const rapidjson::Document& schema,
                     const Json& document) {
  const std::string place = text_of(validator.GetInvalidDocumentPointer());
  const char* keyword = validator.GetInvalidSchemaKeyword();
  const rapidjson::Value* rules = validator.GetInvalidSchemaPointer().Get(schema);
  if (!keyword || !rules || !rules->IsObject() || !rules->HasMember(keyword)) {
    return place + ": does not fit the schema";
  }
  const rapidjson::Value& rule = (*rules)[keyword];
  if (std::string_view(keyword) == "required") {
    if (const std::string keys = missing_keys(rule, document, place); !keys.empty()) {
      return fmt::format("{}: without {}", place.empty() ? "/" : place, keys);
    }
  }
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  rule.Accept(writer);
  return fmt::format("{}: must have \"{}\": {}", place.empty() ? "/" : place, keyword,
                     buffer.GetString());
}

class Checker {
 public:
  explicit Checker(bool of_a_run) : text_(parsed_schema(of_a_run)), schema_(text_) {}

  std::optional<std::string> violation(const Json& document, const std::string* cut) const {
    rapidjson::SchemaValidator validator(schema_);
    feed(document, validator, cut);
    if (validator.IsValid()) return std::nullopt;
    return printable(describe(validator, text_, document));
  }

 private:
  rapidjson::Document text_;
  rapidjson::SchemaDocument schema_;
};

}  // namespace

std::vector<std::string> check_schema(const Json& document) {
  static const Checker around_the_runs(false), run_checker(true);
  static const std::string runs = "runs";

  std::vector<std::string> violations;
  if (auto violation = around_the_runs.violation(document, &runs)) {
    violations.push_back(*violation);
  }
  const auto cells = document.find("cells");
  if (cells == document.end() || !cells->is_array()) return violations;
  for (size_t c = 0; c < cells->size(); ++c) {
    const Json& cell = (*cells)[c];
    if (!cell.is_object() || !cell.contains(runs) || !cell[runs].is_array()) continue;
    for (size_t r = 0; r < cell[runs].size(); ++r) {
      if (auto violation = run_checker.violation(cell[runs][r], nullptr)) {
        const std::string inner = violation->starts_with("/:") ? violation->substr(1) : *violation;
        violations.push_back(fmt::format("/cells/{}/runs/{}{}", c, r, inner));
      }
    }
  }
  return violations;
}

}  // namespace gilscope
