#include <cmath>
#include <nlohmann/json.hpp>

#include "userspace/report/facts_json.h"
#include "userspace/report/fields.h"
#include "userspace/report/json.h"

namespace gilscope {
namespace {

using Json = nlohmann::ordered_json;

class Writer {
 public:
  template <typename T>
  void operator()(const char* key, const T& value) {
    object_[key] = json_of(value);
  }

  template <typename T>
  void derived(const char* key, const T& value) {
    object_[key] = json_of(value);
  }

  template <typename T>
  void known_if(bool known, const char* key, const T& value) {
    object_[key] = known ? json_of(value) : Json(nullptr);
  }

  template <typename T>
  void if_any(const char* key, const T& value) {
    if (!value.empty()) object_[key] = json_of(value);
  }

  template <typename T>
  void if_any(const char* key, const std::optional<T>& value) {
    if (value) object_[key] = json_of(*value);
  }

  template <typename Body>
  void object(const char* key, Body body) {
    Writer inner;
    body(inner);
    object_[key] = std::move(inner.object_);
  }

  void environment(const Report& report) {
    Json facts = facts_to_json(report.environment);
    facts["before"] = facts_to_json(report.environment_before);
    facts["after"] = facts_to_json(report.environment_after);
    object_["environment"] = std::move(facts);
  }

  template <typename Model>
  static Json write(const Model& model) {
    Writer writer;
    fields(writer, model);
    return std::move(writer.object_);
  }

 private:
  static Json json_of(bool value) { return value; }
  static Json json_of(const std::integral auto& value) { return value; }
  static Json json_of(const std::string& value) { return value; }
  static Json json_of(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }
  static Json json_of(const Facts& facts) { return facts_to_json(facts); }
  static Json json_of(const Histogram::Bucket& bucket) {
    return Json::array({bucket.low_ns, bucket.high_ns, bucket.count});
  }
  static Json json_of(const std::map<std::string, double>& map) {
    Json object = Json::object();
    for (const auto& [key, value] : map) object[key] = json_of(value);
    return object;
  }
  template <typename T>
  static Json json_of(const std::optional<T>& value) {
    return value ? json_of(*value) : Json(nullptr);
  }
  template <typename T>
  static Json json_of(const std::vector<T>& values) {
    Json array = Json::array();
    for (const T& value : values) array.push_back(json_of(value));
    return array;
  }
  template <typename Model>
  static Json json_of(const Model& model) {
    return write(model);
  }

  Json object_ = Json::object();
};

// JSON is UTF-8, and the kernel takes any bytes for a thread's name.
std::string compact(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Everything deeper is written on one line, so that a line is a run, for grep and diff.
constexpr int kRunDepth = 4;

void append(std::string& out, const Json& value, int depth) {
  const bool list_of_objects = value.is_array() && !value.empty() && value.front().is_object();
  const bool members = value.is_object() && !value.empty();
  if (depth >= kRunDepth || !(list_of_objects || members)) {
    out += compact(value);
    return;
  }
  const std::string indent(2 * size_t(depth) + 2, ' ');
  out += members ? "{" : "[";
  const char* separator = "\n";
  for (const auto& [key, child] : value.items()) {
    out += separator;
    out += indent;
    if (members) out += compact(Json(key)) + ": ";
    append(out, child, depth + 1);
    separator = ",\n";
  }
  out += "\n" + indent.substr(2) + (members ? "}" : "]");
}

}  // namespace

std::string to_json(const Report& report) {
  std::string out;
  append(out, Writer::write(report), 0);
  out += "\n";
  return out;
}

}  // namespace gilscope
