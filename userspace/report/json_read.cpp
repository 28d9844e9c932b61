#include <limits>
#include <nlohmann/json.hpp>

#include "userspace/report/facts_json.h"
#include "userspace/report/fields.h"
#include "userspace/report/json.h"
#include "userspace/report/json_document.h"

namespace gilscope {
namespace {

using Json = nlohmann::ordered_json;

// Fills the model from a document that keeps the schema. A missing key leaves its member as it is:
// the schema has already checked for the required ones.
class Reader {
 public:
  explicit Reader(const Json& object) : object_(object) {}

  template <typename T>
  void operator()(const char* key, T& value) {
    if (const auto found = object_.find(key); found != object_.end()) read(*found, value);
  }

  template <typename T>
  void derived(const char*, const T&) {}

  template <typename T>
  void known_if(bool, const char* key, T& value) {
    const auto found = object_.find(key);
    if (found == object_.end()) return;
    if (!found->is_null()) return read(*found, value);
    if constexpr (std::is_same_v<T, GilCounts>) value = unseen();
  }

  template <typename T>
  void if_any(const char* key, T& value) {
    (*this)(key, value);
  }

  template <typename Body>
  void object(const char* key, Body body) {
    if (const auto found = object_.find(key); found != object_.end()) {
      Reader inner(*found);
      body(inner);
    }
  }

  void environment(Report& report) {
    const Json& facts = object_.at("environment");
    report.environment = facts_from_json(facts, {"before", "after"});
    report.environment_before = facts_from_json(facts.at("before"));
    report.environment_after = facts_from_json(facts.at("after"));
  }

 private:
  static void read(const Json& json, bool& value) { json.get_to(value); }
  static void read(const Json& json, std::integral auto& value) { json.get_to(value); }
  static void read(const Json& json, std::string& value) { json.get_to(value); }
  static void read(const Json& json, double& value) {
    value = json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
  }
  static void read(const Json& json, Facts& facts) { facts = facts_from_json(json); }
  static void read(const Json& json, Histogram::Bucket& bucket) {
    json.at(0).get_to(bucket.low_ns);
    json.at(1).get_to(bucket.high_ns);
    json.at(2).get_to(bucket.count);
  }
  static void read(const Json& json, std::map<std::string, double>& map) {
    for (const auto& [key, value] : json.items()) read(value, map[key]);
  }
  template <typename T>
  static void read(const Json& json, std::optional<T>& value) {
    if (json.is_null()) {
      value.reset();
    } else {
      read(json, value.emplace());
    }
  }
  template <typename T>
  static void read(const Json& json, std::vector<T>& values) {
    values.clear();
    values.reserve(json.size());
    for (const Json& element : json) read(element, values.emplace_back());
  }
  template <typename Model>
  static void read(const Json& json, Model& model) {
    Reader reader(json);
    fields(reader, model);
  }

  const Json& object_;
};

}  // namespace

Result<Report> from_json(std::string_view text, const std::string& origin) {
  const Result<Json> document = parse_report(text, origin);
  if (!document) return fail(document.error());
  try {
    const std::vector<std::string> violations = check_schema(*document);
    if (!violations.empty()) {
      return fail(Exit::no_data, fmt::format("{}: not a valid report: {} (gilscope validate says "
                                             "all)",
                                             origin, violations.front()));
    }
    Report report;
    Reader reader(*document);
    fields(reader, report);
    return report;
  } catch (const Json::exception& e) {
    return fail(Exit::no_data, fmt::format("{}: not a valid report: {}", origin, e.what()));
  } catch (const std::bad_alloc&) {
    return fail(origin + ": too large for the memory of this machine");
  }
}

Result<std::vector<std::string>> schema_violations(std::string_view text,
                                                   const std::string& origin) {
  const Result<Json> document = parse_report(text, origin);
  if (!document) return fail(document.error());
  try {
    return check_schema(*document);
  } catch (const std::bad_alloc&) {
    return fail(origin + ": too large for the memory of this machine");
  }
}

}  // namespace gilscope
