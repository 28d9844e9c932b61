#include "userspace/report/facts_json.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gilscope {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kMissing = "missing";

struct ToJson {
  Json operator()(std::monostate) const { return nullptr; }
  Json operator()(double value) const { return std::isfinite(value) ? Json(value) : Json(nullptr); }
  Json operator()(const auto& value) const { return value; }
};

void insert(Json& root, const std::string& key, Json value) {
  Json* at = &root;
  std::string rest = key;
  for (size_t dot; (dot = rest.find('.')) != std::string::npos; rest.erase(0, dot + 1)) {
    Json& child = (*at)[rest.substr(0, dot)];
    if (child.is_null()) child = Json::object();
    // Where the key of a fact is a prefix of another's, the rest of the longer key keeps its dots.
    if (!child.is_object()) break;
    at = &child;
  }
  Json& place = (*at)[rest];
  (place.is_object() ? place[""] : place) = std::move(value);
}

bool all_of(const Json& array, bool (*holds)(const Json&)) {
  return std::all_of(array.begin(), array.end(), holds);
}

bool is_int64(const Json& value) {
  if (!value.is_number_integer()) return false;
  return !value.is_number_unsigned() ||
         value.get<uint64_t>() <= uint64_t(std::numeric_limits<int64_t>::max());
}

// False for a value that no fact can hold; a later minor version may write one.
bool read_value(const Json& value, Fact& fact) {
  if (value.is_null()) {
    fact.value = std::monostate{};
  } else if (value.is_boolean()) {
    fact.value = value.get<bool>();
  } else if (is_int64(value)) {
    fact.value = value.get<int64_t>();
  } else if (value.is_number()) {
    fact.value = value.get<double>();
  } else if (value.is_string()) {
    fact.value = value.get<std::string>();
  } else if (value.is_array() && all_of(value, [](const Json& v) { return v.is_string(); })) {
    fact.value = value.get<std::vector<std::string>>();
  } else if (value.is_array() && all_of(value, is_int64)) {
    fact.value = value.get<std::vector<int64_t>>();
  } else {
    return false;
  }
  return true;
}

void flatten(const std::string& key, const Json& value, Facts& facts) {
  if (value.is_object()) {
    for (const auto& [name, member] : value.items()) flatten(key + "." + name, member, facts);
  } else {
    Fact fact{key, {}, {}};
    if (read_value(value, fact)) facts.push_back(std::move(fact));
  }
}

}  // namespace

Json facts_to_json(const Facts& facts) {
  Json object = Json::object();
  // Sorted, because nesting changes the order of the facts.
  std::map<std::string, std::string> reasons;
  for (const Fact& fact : facts) {
    insert(object, fact.key, std::visit(ToJson{}, fact.value));
    if (!fact.reason.empty()) reasons[fact.key] = fact.reason;
  }
  if (!reasons.empty()) object[kMissing] = reasons;
  return object;
}

Facts facts_from_json(const Json& object, std::initializer_list<std::string_view> except) {
  Facts facts;
  for (const auto& [name, value] : object.items()) {
    if (name == kMissing || std::find(except.begin(), except.end(), name) != except.end()) continue;
    flatten(name, value, facts);
  }
  if (const auto missing = object.find(kMissing); missing != object.end()) {
    for (Fact& fact : facts) {
      if (const auto reason = missing->find(fact.key); reason != missing->end()) {
        fact.reason = reason->get<std::string>();
      }
    }
  }
  return facts;
}

}  // namespace gilscope
