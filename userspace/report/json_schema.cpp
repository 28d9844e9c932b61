#include "userspace/report/json_schema.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "userspace/base/quote.h"
#include "userspace/report/json_document.h"

namespace gilscope {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSchema =
#include "docs/report.schema.json.inc"
    ;

constexpr std::array<std::string_view, 7> kTypes = {"null",   "boolean", "integer", "number",
                                                    "string", "array",   "object"};

struct Violation {
  std::string place;  // a JSON pointer, built from its end while the recursion returns
  const char* keyword;
  const Json& rule;
  const Json& value;
};

std::string pointer_step(std::string key) {
  for (size_t i = 0; i < key.size(); ++i) {
    if (key[i] == '~') key.replace(i++, 1, "~0");
    if (key[i] == '/') key.replace(i++, 1, "~1");
  }
  return "/" + key;
}

bool is_of_type(const Json& value, const std::string& type) {
  switch (value.type()) {
    case Json::value_t::null:
      return type == "null";
    case Json::value_t::boolean:
      return type == "boolean";
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return type == "integer" || type == "number";
    case Json::value_t::number_float:
      return type == "number";
    case Json::value_t::string:
      return type == "string";
    case Json::value_t::array:
      return type == "array";
    case Json::value_t::object:
      return type == "object";
    default:
      return false;
  }
}

// nlohmann's own comparison takes an unsigned number beyond int64_t for a negative one.
bool less(const Json& a, const Json& b) {
  if (a.is_number_float() || b.is_number_float()) return a.get<double>() < b.get<double>();
  if (a.is_number_unsigned() && b.is_number_unsigned()) {
    return a.get<uint64_t>() < b.get<uint64_t>();
  }
  if (a.is_number_unsigned()) return std::cmp_less(a.get<uint64_t>(), b.get<int64_t>());
  if (b.is_number_unsigned()) return std::cmp_less(a.get<int64_t>(), b.get<uint64_t>());
  return a.get<int64_t>() < b.get<int64_t>();
}

const Json* member(const Json& object, std::string_view key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

// The rules that a "$ref" stands for, or the rules themselves.
const Json& resolved(const Json& rules, const Json& schema) {
  const Json* reference = member(rules, "$ref");
  if (!reference) return rules;
  return schema.at(Json::json_pointer(reference->get_ref<const std::string&>().substr(1)));
}

// Finds the first violation in the order of the document; parse_report limits the depth.
class Check {
 public:
  // Arrays named `left_out` count as empty.
  Check(const Json& schema, const char* left_out) : schema_(schema), left_out_(left_out) {}

  std::optional<Violation> operator()(const Json& value, const Json& unresolved) const {
    const Json& rules = resolved(unresolved, schema_);
    if (auto found = type(value, rules)) return found;
    if (value.is_number()) {
      if (auto found = number(value, rules)) return found;
    } else if (value.is_array()) {
      if (auto found = array(value, rules)) return found;
    } else if (value.is_object()) {
      if (auto found = object(value, rules)) return found;
    }
    return combinations(value, rules);
  }

 private:
  static Violation violation(const Json& value, const Json& rules, const char* keyword) {
    return {"", keyword, rules.at(keyword), value};
  }

  std::optional<Violation> type(const Json& value, const Json& rules) const {
    const Json* types = member(rules, "type");
    if (!types) return {};
    const auto fits = [&](const Json& type) {
      return is_of_type(value, type.get_ref<const std::string&>());
    };
    if (types->is_array() ? std::any_of(types->begin(), types->end(), fits) : fits(*types)) {
      return {};
    }
    return violation(value, rules, "type");
  }

  std::optional<Violation> number(const Json& value, const Json& rules) const {
    const Json* minimum = member(rules, "minimum");
    if (minimum && less(value, *minimum)) return violation(value, rules, "minimum");
    const Json* maximum = member(rules, "maximum");
    if (maximum && less(*maximum, value)) return violation(value, rules, "maximum");
    return {};
  }

  std::optional<Violation> array(const Json& value, const Json& rules) const {
    if (const Json* items = member(rules, "items")) {
      for (size_t i = 0; i < value.size(); ++i) {
        if (auto found = (*this)(value[i], *items)) {
          found->place.insert(0, "/" + std::to_string(i));
          return found;
        }
      }
    }
    const Json* least = member(rules, "minItems");
    if (least && value.size() < least->get<size_t>()) return violation(value, rules, "minItems");
    const Json* most = member(rules, "maxItems");
    if (most && value.size() > most->get<size_t>()) return violation(value, rules, "maxItems");
    return {};
  }

  std::optional<Violation> object(const Json& value, const Json& rules) const {
    const Json* properties = member(rules, "properties");
    const Json* others = member(rules, "additionalProperties");
    for (const auto& [key, inner] : value.items()) {
      const Json* own = properties ? member(*properties, key) : nullptr;
      if (!own) own = others;
      if (!own) continue;
      const bool empty = left_out_ && key == left_out_ && inner.is_array();
      if (auto found = (*this)(empty ? kEmpty : inner, *own)) {
        found->place.insert(0, pointer_step(key));
        return found;
      }
    }
    if (const Json* required = member(rules, "required")) {
      for (const Json& key : *required) {
        if (!value.contains(key.get_ref<const std::string&>())) {
          return violation(value, rules, "required");
        }
      }
    }
    return {};
  }

  std::optional<Violation> combinations(const Json& value, const Json& rules) const {
    const auto fits = [&](const Json& alternative) { return !(*this)(value, alternative); };
    const Json* values = member(rules, "enum");
    if (values && std::find(values->begin(), values->end(), value) == values->end()) {
      return violation(value, rules, "enum");
    }
    const Json* all = member(rules, "allOf");
    if (all && !std::all_of(all->begin(), all->end(), fits)) {
      return violation(value, rules, "allOf");
    }
    const Json* any = member(rules, "anyOf");
    if (any && std::none_of(any->begin(), any->end(), fits)) {
      return violation(value, rules, "anyOf");
    }
    return {};
  }

  static inline const Json kEmpty = Json::array();
  const Json& schema_;
  const char* left_out_;
};

std::string describe(const Violation& violation) {
  const std::string place = violation.place.empty() ? "/" : violation.place;
  if (std::string_view(violation.keyword) != "required") {
    return fmt::format("{}: must have \"{}\": {}", place, violation.keyword, violation.rule.dump());
  }
  // "required" alone would send the reader to the schema.
  std::string missing;
  for (const Json& key : violation.rule) {
    const auto& name = key.get_ref<const std::string&>();
    if (violation.value.contains(name)) continue;
    missing += fmt::format("{}\"{}\"", missing.empty() ? "" : ", ", name);
  }
  return fmt::format("{}: without {}", place, missing);
}

class Keywords {
 public:
  explicit Keywords(const Json& schema) : schema_(schema) {}

  Status check(const Json& rules, const std::string& place = "") const {
    if (!rules.is_object()) return refuse(place, "no object");
    for (const auto& [keyword, rule] : rules.items()) {
      if (Status ok = check(keyword, rule, place + pointer_step(keyword)); !ok) return ok;
    }
    return {};
  }

 private:
  static tl::unexpected<Error> refuse(const std::string& place, const char* what) {
    return fail(fmt::format("the report's schema: {}: {} that this check knows", place, what));
  }

  Status check(const std::string& keyword, const Json& rule, const std::string& place) const {
    if (keyword == "$schema" || keyword == "title" || keyword == "description") return {};
    const auto every = [](const Json& list, auto is) {
      return list.is_array() && std::all_of(list.begin(), list.end(), is);
    };
    const auto is_string = [](const Json& value) { return value.is_string(); };
    const auto is_type = [](const Json& value) {
      return value.is_string() &&
             std::ranges::count(kTypes, value.get_ref<const std::string&>()) == 1;
    };
    if (keyword == "type") {
      return is_type(rule) || every(rule, is_type) ? Status() : refuse(place, "no type");
    }
    if (keyword == "required") {
      return every(rule, is_string) ? Status() : refuse(place, "no list of keys");
    }
    if (keyword == "enum") return rule.is_array() ? Status() : refuse(place, "no list");
    if (keyword == "minimum" || keyword == "maximum") {
      return rule.is_number() ? Status() : refuse(place, "no number");
    }
    if (keyword == "minItems" || keyword == "maxItems") {
      return rule.is_number_unsigned() ? Status() : refuse(place, "no size");
    }
    if (keyword == "$ref") return reference(rule, place);
    if (keyword == "items" || keyword == "additionalProperties") return check(rule, place);
    if (keyword == "properties" || keyword == "definitions") {
      return rule.is_object() ? each(rule, place) : refuse(place, "no object");
    }
    if (keyword == "allOf" || keyword == "anyOf") {
      return rule.is_array() ? each(rule, place) : refuse(place, "no list");
    }
    return refuse(place, "no keyword");
  }

  Status each(const Json& rules, const std::string& place) const {
    for (const auto& [key, inner] : rules.items()) {
      if (Status ok = check(inner, place + pointer_step(key)); !ok) return ok;
    }
    return {};
  }

  Status reference(const Json& rule, const std::string& place) const {
    const std::string target = rule.is_string() ? rule.get<std::string>() : "";
    if (!target.starts_with("#/definitions/") ||
        !schema_.contains(Json::json_pointer(target.substr(1)))) {
      return refuse(place, "no definition");
    }
    return {};
  }

  const Json& schema_;
};

}  // namespace

Status check_keywords(std::string_view text) {
  const Json schema = Json::parse(text, nullptr, false);
  return Keywords(schema).check(schema);
}

std::vector<std::string> check_schema(const Json& document) {
  static const Json schema = Json::parse(kSchema);
  static const Status known = Keywords(schema).check(schema);
  if (!known) return {known.error().message};
  static const Json& run_rules = schema.at("definitions").at("run");
  static const std::string runs = "runs";

  std::vector<std::string> violations;
  // Each run is checked on its own, and what is around the runs without them.
  if (auto violation = Check(schema, runs.c_str())(document, schema)) {
    violations.push_back(printable(describe(*violation)));
  }
  const auto cells = document.find("cells");
  if (cells == document.end() || !cells->is_array()) return violations;
  for (size_t c = 0; c < cells->size(); ++c) {
    const Json& cell = (*cells)[c];
    if (!cell.is_object() || !cell.contains(runs) || !cell[runs].is_array()) continue;
    for (size_t r = 0; r < cell[runs].size(); ++r) {
      if (auto violation = Check(schema, nullptr)(cell[runs][r], run_rules)) {
        violation->place.insert(0, fmt::format("/cells/{}/runs/{}", c, r));
        violations.push_back(printable(describe(*violation)));
      }
    }
  }
  return violations;
}

}  // namespace gilscope
