// Reads and writes a spec as TOML. Types and keys are checked here, where line numbers are known;
// values are checked in spec.cpp, as those of flags are.
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "userspace/base/quote.h"
#include "userspace/base/term.h"
#include "userspace/base/toml.h"
#include "userspace/experiment/plan/spec.h"

namespace gilscope {
namespace {

const std::vector<std::string>& known_keys() {
  static const std::vector<std::string> keys = {
      "name",     "policies",  "workloads", "arrangements", "threads", "cpus",
      "cpus_by",  "cpu_order", "blocks",    "warmup",       "seed",    "trace",
      "untraced", "perf",      "main_exit", "claim",        "metrics", "gates"};
  return keys;
}

class SpecReader {
 public:
  SpecReader(const toml::table& table, const std::string& origin)
      : table_(table), origin_(printable(origin)) {}

  Result<Spec> read() {
    if (Status status = check_keys(); !status) return fail(status.error());
    Spec spec;
    const Status steps[] = {
        read_one("name", spec.name, to_text),
        read_list("policies", spec.policies, to_text),
        read_list("workloads", spec.workloads, to_text),
        read_list("arrangements", spec.arrangements, to_text),
        read_list("threads", spec.threads, to_threads),
        read_list("cpus", spec.cpus, to_cpus),
        read_one("cpus_by", spec.cpus_by, to_text),
        read_one("cpu_order", spec.cpu_order, to_text),
        read_one("blocks", spec.blocks, to_int),
        read_one("warmup", spec.warmup, to_int),
        read_one("seed", spec.seed, to_seed),
        read_one("trace", spec.trace, to_text),
        read_one("untraced", spec.untraced, to_bool),
        read_one("perf", spec.perf, to_bool),
        read_one("main_exit", spec.main_exit, to_text),
        read_one("claim", spec.claim, to_text),
        read_list("metrics", spec.metrics, to_text),
        read_limits(spec.limits),
    };
    for (const Status& status : steps) {
      if (!status) return fail(status.error());
    }
    auto result = checked(std::move(spec));
    if (!result) return fail(result.error().code, origin_ + ": " + result.error().message);
    return result;
  }

 private:
  // A converter that does not get what it wants says what that is.
  static Result<std::string> to_text(const toml::node& node) {
    if (const auto* text = node.as_string(); text != nullptr && !is_blank(text->get())) {
      return text->get();
    }
    return fail("a string is wanted");
  }

  static Result<bool> to_bool(const toml::node& node) {
    if (const auto* value = node.as_boolean()) return value->get();
    return fail("true or false is wanted");
  }

  static Result<int> to_int(const toml::node& node) {
    const auto* number = node.as_integer();
    if (number == nullptr) return fail("an integer is wanted");
    if (number->get() < std::numeric_limits<int>::min() ||
        number->get() > std::numeric_limits<int>::max()) {
      return fail(fmt::format("{} is out of range", number->get()));
    }
    return static_cast<int>(number->get());
  }

  static Result<ThreadCount> to_threads(const toml::node& node) {
    if (const auto* text = node.as_string()) return ThreadCount::parse(text->get());
    auto count = to_int(node);
    if (!count) return fail(count.error());
    return ThreadCount(*count);
  }

  static Result<std::string> to_cpus(const toml::node& node) {
    if (const auto* number = node.as_integer()) return std::to_string(number->get());
    if (const auto* text = node.as_string()) return text->get();
    return fail("a count or a string is wanted");
  }

  // TOML's integers have 63 bits and a sign; a seed has 64 bits. A larger one is a string.
  static Result<uint64_t> to_seed(const toml::node& node) {
    if (const auto* number = node.as_integer(); number != nullptr && number->get() >= 0) {
      return static_cast<uint64_t>(number->get());
    }
    if (const auto* text = node.as_string()) {
      if (const auto seed = parse_count(text->get())) return *seed;
    }
    return fail("a whole number from 0 to 2^64-1 is wanted (as a string from 2^63)");
  }

  static const char* type_name(const toml::node& node) {
    switch (node.type()) {
      case toml::node_type::table:
        return "a table";
      case toml::node_type::array:
        return "a list";
      case toml::node_type::string:
        return "a string";
      case toml::node_type::integer:
        return "an integer";
      case toml::node_type::floating_point:
        return "a number with a point";
      case toml::node_type::boolean:
        return "true or false";
      default:
        return "a date or time";
    }
  }

  std::string at(const char* key, const toml::source_region& region) const {
    return fmt::format("{} in {} line {}", key, origin_, region.begin.line);
  }

  tl::unexpected<Error> refuse(const char* key, const toml::node& node, const Error& why) const {
    // A blank string mostly comes from a script whose variable is not set.
    const auto* text = node.as_string();
    const bool blank = text != nullptr && is_blank(text->get());
    return fail(
        fmt::format("{}: {}, this is {}", at(key, node.source()), why.message,
                    blank ? "a blank one: leave the key out for its default" : type_name(node)));
  }

  Status check_keys() const {
    for (const auto& [key, node] : table_) {
      const auto& known = known_keys();
      if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
      const std::string near = nearest(key.str(), known);
      return fail(fmt::format("unknown key {} in {} line {}: {}", in_quotes(key.str()), origin_,
                              key.source().begin.line,
                              near.empty() ? fmt::format("there are {}", fmt::join(known, ", "))
                                           : fmt::format("did you mean '{}'?", near)));
    }
    return {};
  }

  // A number is the limit, false or "off" turns it off, true is its default.
  static Result<std::optional<double>> to_limit(const toml::node& node,
                                                std::optional<double> standard) {
    if (const auto* value = node.as_boolean()) return value->get() ? standard : std::nullopt;
    if (const auto* text = node.as_string(); text != nullptr && text->get() == "off") {
      return std::optional<double>();
    }
    if (const auto* number = node.as_integer()) return static_cast<double>(number->get());
    if (const auto* number = node.as_floating_point()) return number->get();
    return fail("a limit is wanted, or false");
  }

  Status read_limits(DisturbanceLimits& limits) const {
    const toml::node* node = table_.get("gates");
    if (node == nullptr) return {};
    const toml::table* table = node->as_table();
    if (table == nullptr) return refuse("gates", *node, Error{Exit::error, "a table is wanted"});
    std::vector<std::string> names;
    for (const DisturbanceRule& rule : disturbance_rules()) names.emplace_back(rule.name);
    for (const auto& [key, value] : *table) {
      const auto name = std::find(names.begin(), names.end(), key.str());
      if (name == names.end()) {
        const std::string near = nearest(key.str(), names);
        return fail(fmt::format("unknown limit {} in {} line {}: {}", in_quotes(key.str()), origin_,
                                key.source().begin.line,
                                near.empty() ? fmt::format("there are {}", fmt::join(names, ", "))
                                             : fmt::format("did you mean '{}'?", near)));
      }
      const auto limit = disturbance_rules()[static_cast<size_t>(name - names.begin())].limit;
      const auto read = to_limit(value, DisturbanceLimits().*limit);
      if (!read) return refuse(("gates." + *name).c_str(), value, read.error());
      limits.*limit = *read;
    }
    return {};
  }

  template <typename T, typename Value>
  Status read_one(const char* key, T& into, Result<Value> (*convert)(const toml::node&)) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return {};
    auto value = convert(*node);
    if (!value) return refuse(key, *node, value.error());
    into = std::move(*value);
    return {};
  }

  // Reads one value or a list of them.
  template <typename T>
  Status read_list(const char* key, std::vector<T>& into,
                   Result<T> (*convert)(const toml::node&)) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return {};
    const toml::array* list = node->as_array();
    if (list == nullptr) {
      T value;
      if (Status status = read_one(key, value, convert); !status) return status;
      into.push_back(std::move(value));
      return {};
    }
    if (list->empty()) {
      return fail(fmt::format("{}: the list is empty: name at least one, or leave the key out",
                              at(key, node->source())));
    }
    for (const toml::node& element : *list) {
      auto value = convert(element);
      if (!value) return refuse(key, element, value.error());
      into.push_back(std::move(*value));
    }
    return {};
  }

  const toml::table& table_;
  std::string origin_;
};

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\u{:04X}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string toml_list(const std::vector<std::string>& texts) {
  std::vector<std::string> strings;
  for (const std::string& text : texts) strings.push_back(toml_string(text));
  return fmt::format("[{}]", fmt::join(strings, ", "));
}

std::string toml_threads(const std::vector<ThreadCount>& threads) {
  std::vector<std::string> texts;
  for (const ThreadCount& count : threads) {
    texts.push_back(count.per_cpu ? toml_string(count.text()) : count.text());
  }
  return fmt::format("[{}]", fmt::join(texts, ", "));
}

// Writes only what differs from the default: the text of a spec without disturbance limits is its
// identity when it is resumed, and stays what it was before there were disturbance limits.
std::string toml_limits(const DisturbanceLimits& limits) {
  std::string out;
  for (const DisturbanceRule& rule : disturbance_rules()) {
    const std::optional<double>& limit = limits.*rule.limit;
    if (limit == DisturbanceLimits().*rule.limit) continue;
    out += fmt::format("{} = {}\n", rule.name, limit ? fmt::format("{}", *limit) : "false");
  }
  return out.empty() ? out : "\n[gates]\n" + out;
}

std::string toml_seed(uint64_t seed) {
  const std::string digits = std::to_string(seed);
  return seed > std::numeric_limits<int64_t>::max() ? toml_string(digits) : digits;
}

}  // namespace

Result<Spec> parse_spec(const std::string& text, const std::string& origin) {
  const auto table = parse_toml(text, origin);
  if (!table) return fail(table.error());
  return SpecReader(*table, origin).read();
}

std::string to_toml(const Spec& spec) {
  std::string out;
  const auto line = [&](const char* key, const std::string& value) {
    out += fmt::format("{} = {}\n", key, value);
  };
  line("name", toml_string(spec.name));
  line("policies", toml_list(spec.policies));
  if (!spec.workloads.empty()) line("workloads", toml_list(spec.workloads));
  line("arrangements", toml_list(spec.arrangements));
  line("threads", toml_threads(spec.threads));
  line("cpus", toml_list(spec.cpus));
  line("cpus_by", toml_string(spec.cpus_by));
  line("cpu_order", toml_string(spec.cpu_order));
  line("blocks", std::to_string(spec.blocks));
  line("warmup", std::to_string(spec.warmup));
  if (spec.seed) line("seed", toml_seed(*spec.seed));
  line("trace", toml_string(spec.trace));
  line("untraced", spec.untraced ? "true" : "false");
  line("main_exit", toml_string(spec.main_exit));
  if (spec.perf) line("perf", "true");  // only then, as with disturbance limits
  if (!spec.claim.empty()) line("claim", toml_string(spec.claim));
  if (!spec.metrics.empty()) line("metrics", toml_list(spec.metrics));
  return out + toml_limits(spec.limits);  // last: a table goes on to the end
}

}  // namespace gilscope
