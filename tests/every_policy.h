// Every policy, as tests parametrised by policy run it. A new one is in them as soon as it is in
// userspace/descriptor/policies.def.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "userspace/descriptor/policy.h"

namespace gilscope {

// How long a holder keeps the GIL at most, where the policy lets a test choose.
struct Turn {
  uint64_t opcodes;
  uint64_t ns;
};

// Each policy with this turn, as good as its bounds allow, and with each of its options.
inline std::vector<std::string> every_policy(const Turn& turn) {
  std::vector<std::string> all;
  for (PolicyDescriptor policy : policies()) {
    if (policy.value && (policy.value->is_time() || policy.value->unit == "opcodes")) {
      policy.value->fallback = std::clamp(policy.value->is_time() ? turn.ns : turn.opcodes,
                                          policy.value->lowest, policy.value->highest);
    }
    for (std::string& form : policy.forms()) all.push_back(std::move(form));
  }
  return all;
}

// Each policy as experiments on every policy run it.
inline std::vector<std::string> every_policy() {
  std::vector<std::string> all;
  for (const PolicyDescriptor& policy : policies()) {
    for (std::string& form : policy.forms()) all.push_back(std::move(form));
  }
  return all;
}

// `more`, and those of `texts` that are not in it.
inline std::vector<std::string> joined(std::vector<std::string> more,
                                       const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    if (std::ranges::find(more, text) == more.end()) more.push_back(text);
  }
  return more;
}

inline std::vector<std::string> with_one_owner(std::vector<std::string> texts) {
  std::erase_if(texts, [](const std::string& text) { return !has_one_owner(text); });
  return texts;
}

// Those whose descriptor has this property.
template <typename Property>
std::vector<std::string> with(std::vector<std::string> texts, Property property) {
  std::erase_if(texts,
                [&](const std::string& text) { return !property(*read_policy(text)->policy); });
  return texts;
}

inline const PolicyDescriptor& descriptor_of(const std::string& text) {
  return *read_policy(text)->policy;
}

// GoogleTest wants names of letters and digits.
inline std::string name_of_test(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return text;
}
inline std::string name_of_policy(const testing::TestParamInfo<std::string>& info) {
  return name_of_test(info.param);
}

}  // namespace gilscope
