// Facts as nested JSON objects: each dot of a key is a level. "missing" has the reasons of null
// facts, under their whole keys.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string_view>

#include "userspace/report/facts.h"

namespace gilscope {

nlohmann::ordered_json facts_to_json(const Facts& facts);

// `except` names members of `object` that are not facts.
Facts facts_from_json(const nlohmann::ordered_json& object,
                      std::initializer_list<std::string_view> except = {});

}  // namespace gilscope
