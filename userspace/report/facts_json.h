// Facts as nested JSON objects: the dots of a key are the nesting, and the reasons of what could
// not be had stand beside them in "missing", under the whole key.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string_view>

#include "userspace/report/model.h"

namespace gilscope {

nlohmann::ordered_json facts_to_json(const Facts& facts);

// `except` names members of `object` that are no facts.
Facts facts_from_json(const nlohmann::ordered_json& object,
                      std::initializer_list<std::string_view> except = {});

}  // namespace gilscope
