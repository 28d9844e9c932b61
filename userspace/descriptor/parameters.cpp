#include "userspace/descriptor/parameters.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "userspace/base/quote.h"

namespace gilscope {
namespace {

using Kind = Parameter::Kind;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

Result<uint64_t> read_number(const Parameter& parameter, const std::string& text) {
  if (parameter.kind == Kind::count) return parse_count(text);
  auto ns = parse_duration_ns(text);
  // A number with a unit of its own, such as "2m", stays refused: it must not become 2ms.
  if (!ns && parameter.key == "seconds" && is_digit(text.back()))
    ns = parse_duration_ns(text + "s");
  return ns;
}

std::string number_text(const Parameter& parameter, uint64_t value) {
  return parameter.kind == Kind::count ? format_count(value) : format_duration_ns(value);
}

std::string range_text(const Parameter& parameter) {
  const std::string low = number_text(parameter, parameter.low);
  if (parameter.high == INT64_MAX) return low + " up";
  return fmt::format("{} to {}", low, number_text(parameter, parameter.high));
}

Status check_path(const std::string& path) {
  const bool good = path.starts_with('/') && path.find("..") == path.npos && path.size() < 4096;
  return good ? Status() : fail("not an absolute path without '..'");
}

const Parameter* find(const std::vector<Parameter>& table, const std::string& key) {
  auto at = std::ranges::find(table, key, &Parameter::key);
  return at == table.end() ? nullptr : &*at;
}

}  // namespace

Parameter count_parameter(std::string key, uint64_t fallback, uint64_t low, uint64_t high,
                          bool always) {
  return {std::move(key), Kind::count, fallback, low, high, {}, always};
}

Parameter duration_parameter(std::string key, std::optional<uint64_t> fallback_ns, uint64_t low_ns,
                             uint64_t high_ns, bool always) {
  return {std::move(key), Kind::duration, fallback_ns, low_ns, high_ns, {}, always};
}

Parameter word_parameter(std::string key, std::vector<std::string> words, bool always) {
  return {std::move(key), Kind::word, {}, 0, 0, std::move(words), always};
}

Parameter path_parameter(std::string key, std::string fallback) {
  return {std::move(key), Kind::path, {}, 0, 0, {std::move(fallback)}, false};
}

std::optional<uint64_t> Parameters::optional_number(const std::string& key) const {
  auto at = numbers_.find(key);
  return at == numbers_.end() ? std::nullopt : std::optional(at->second);
}

Result<Parameters> Parameters::read(const std::vector<Parameter>& table, const Term& term) {
  Parameters read;
  for (const Argument& argument : term.arguments) {
    const Parameter* parameter = argument.key.empty() ? nullptr : find(table, argument.key);
    if (parameter == nullptr) {
      return fail(fmt::format("workload {} has no parameter {}; it takes {}", term.name,
                              in_quotes(argument.key.empty() ? argument.value : argument.key),
                              parameters_text(table)));
    }
    const auto refuse = [&](const std::string& what) {
      return fail(fmt::format("workload {}: {}={} is {}", term.name, argument.key,
                              printable(argument.value), what));
    };
    if (parameter->kind == Kind::word) {
      if (std::ranges::find(parameter->words, argument.value) == parameter->words.end()) {
        return refuse(fmt::format("unknown: there are {}", fmt::join(parameter->words, ", ")));
      }
      read.words_[argument.key] = argument.value;
    } else if (parameter->kind == Kind::path) {
      if (Status good = check_path(argument.value); !good) return refuse(good.error().message);
      read.words_[argument.key] = argument.value;
    } else {
      const auto number = read_number(*parameter, argument.value);
      if (!number || *number < parameter->low || *number > parameter->high) {
        return refuse(fmt::format("not a {} from {}",
                                  parameter->kind == Kind::count ? "count" : "time",
                                  range_text(*parameter)));
      }
      read.numbers_[argument.key] = *number;
    }
  }

  std::vector<std::string> shown;
  for (const Parameter& parameter : table) {
    if (parameter.kind == Kind::word || parameter.kind == Kind::path) {
      const auto [at, added] = read.words_.try_emplace(parameter.key, parameter.words[0]);
      if (parameter.always || at->second != parameter.words[0]) {
        shown.push_back(parameter.key + "=" + at->second);
      }
      continue;
    }
    if (!read.numbers_.contains(parameter.key)) {
      if (!parameter.fallback) continue;
      read.numbers_[parameter.key] = *parameter.fallback;
    }
    const uint64_t value = read.numbers_[parameter.key];
    if (parameter.always || value != parameter.fallback) {
      shown.push_back(parameter.key + "=" + number_text(parameter, value));
    }
  }
  read.canonical_ = term.name;
  if (!shown.empty()) read.canonical_ += fmt::format(":{}", fmt::join(shown, ","));
  return read;
}

std::vector<std::string> argument_forms(const std::vector<Parameter>& table) {
  std::vector<std::string> forms;
  for (const Parameter& parameter : table) {
    if (parameter.kind != Kind::word) {
      forms.push_back(parameter.key + "=");
      continue;
    }
    for (const std::string& word : parameter.words) forms.push_back(parameter.key + "=" + word);
  }
  return forms;
}

std::string parameters_text(const std::vector<Parameter>& table) {
  std::vector<std::string> texts;
  for (const Parameter& parameter : table) {
    std::string value;
    switch (parameter.kind) {
      case Kind::count:
        value = "COUNT";
        break;
      case Kind::duration:
        value = "TIME";
        break;
      case Kind::word:
        value = fmt::format("{}", fmt::join(parameter.words, "|"));
        break;
      case Kind::path:
        value = "PATH";
        break;
    }
    texts.push_back(parameter.key + "=" + value);
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

}  // namespace gilscope
