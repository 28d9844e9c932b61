#include "userspace/descriptor/policy.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "userspace/base/quote.h"
#include "userspace/base/term.h"
#include "userspace/descriptor/program.h"

namespace gilscope {

#define GILSCOPE_POLICY(name) PolicyDescriptor policy_##name();
#include "userspace/descriptor/policies.def"
#undef GILSCOPE_POLICY

namespace {

std::string text_of(const PolicyValue& value, uint64_t number) {
  return value.is_time() ? format_duration_ns(number) : fmt::format("{}", number);
}

Result<uint64_t> read_value(const PolicyDescriptor& policy, const std::string& text) {
  const PolicyValue& value = *policy.value;
  const auto number = value.is_time() ? parse_duration_ns(text) : parse_count(text);
  if (number && *number >= value.lowest && *number <= value.highest) return *number;
  return fail(
      fmt::format("policy {}: {} {} is not a {} from {} to {}, as in {}", in_quotes(policy.name),
                  value.what, in_quotes(text), value.is_time() ? "time" : "count of " + value.unit,
                  text_of(value, value.lowest), text_of(value, value.highest), policy.example()));
}

// The value comes first; options come in any order.
Result<PolicyArguments> read_arguments(const PolicyDescriptor& policy, const Term& term) {
  PolicyArguments arguments;
  if (policy.value) arguments.value = policy.value->fallback;
  for (const Argument& argument : term.arguments) {
    const std::string given =
        argument.key.empty() ? argument.value : argument.key + "=" + argument.value;
    if (std::ranges::find(policy.options, given, &PolicyOption::word) != policy.options.end()) {
      arguments.options.push_back(given);
    } else if (policy.value && argument.key.empty() && &argument == term.arguments.data()) {
      const auto number = read_value(policy, argument.value);
      if (!number) return fail(number.error());
      arguments.value = *number;
    } else {
      const std::string parameters = policy.parameters();
      return fail(fmt::format("policy {} has no parameter {}; it takes {}", in_quotes(policy.name),
                              in_quotes(given), parameters.empty() ? "none" : parameters));
    }
  }
  return arguments;
}

std::string canonical_of(const PolicyDescriptor& policy, const PolicyArguments& arguments) {
  std::string text = policy.with(arguments.value);
  for (const PolicyOption& option : policy.options) {
    if (arguments.has(option.word)) text += "," + option.word;
  }
  return text;
}

}  // namespace

std::string PolicyDescriptor::with(uint64_t number) const {
  return value ? fmt::format("{}:{}", name, text_of(*value, number)) : name;
}

std::string PolicyDescriptor::example() const {
  return with(value ? value->fallback : 0);
}

std::string PolicyDescriptor::parameters() const {
  std::vector<std::string> shown;
  if (value) shown.push_back(value->shown);
  for (const PolicyOption& option : options) {
    shown.push_back(option.word + (option.remark.empty() ? "" : " (" + option.remark + ")"));
  }
  return fmt::format("{}", fmt::join(shown, ", "));
}

std::vector<std::string> PolicyDescriptor::forms() const {
  std::vector<std::string> all;
  if (value && value->reference) all.push_back(with(*value->reference));
  all.push_back(example());
  for (const PolicyOption& option : options) all.push_back(example() + "," + option.word);
  return all;
}

const std::vector<PolicyDescriptor>& policies() {
  static const std::vector<PolicyDescriptor> list = {
#define GILSCOPE_POLICY(name) policy_##name(),
#include "userspace/descriptor/policies.def"
#undef GILSCOPE_POLICY
  };
  return list;
}

bool PolicyArguments::has(std::string_view option) const {
  return std::ranges::find(options, option) != options.end();
}

Result<PolicyText> read_policy(std::string_view text) {
  const auto term = parse_term(text);
  if (!term) return fail(fmt::format("policy {}: {}", in_quotes(text), term.error().message));
  const auto& all = policies();
  const auto policy = std::ranges::find(all, term->name, &PolicyDescriptor::name);
  if (policy == all.end()) {
    std::vector<std::string> names;
    for (const PolicyDescriptor& one : all) names.push_back(one.name);
    const std::string near = nearest(term->name, names);
    return fail(
        fmt::format("unknown policy {}{}; `gilscope list` names them", in_quotes(term->name),
                    near.empty() ? "" : fmt::format(": did you mean {}?", in_quotes(near))));
  }
  const auto arguments = read_arguments(*policy, *term);
  if (!arguments) return fail(arguments.error());
  return PolicyText{&*policy, *arguments, canonical_of(*policy, *arguments),
                    policy->pace(arguments->value)};
}

Result<std::string> canonical_policy(std::string_view text) {
  if (names_program(text)) {
    auto program = read_program(text);
    if (!program) return fail(program.error());
    return program->canonical;
  }
  const auto read = read_policy(text);
  if (!read) return fail(read.error());
  return read->canonical;
}

Result<PolicyPace> policy_pace(std::string_view text) {
  if (names_program(text)) {
    const auto program = read_program(text);
    if (!program) return fail(program.error());
    return pace_of(*program);
  }
  const auto read = read_policy(text);
  if (!read) return fail(read.error());
  return read->pace;
}

bool has_one_owner(std::string_view text) {
  const auto pace = policy_pace(text);
  return !pace || pace->holders == 1;
}

}  // namespace gilscope
