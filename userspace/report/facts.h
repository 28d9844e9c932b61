// Facts about a machine, as a report holds them.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace gilscope {

// Keys are dotted paths ("kernel.release"); a fact that could not be had is null with its reason.
struct Fact {
  std::string key;
  std::variant<std::monostate, bool, int64_t, double, std::string, std::vector<int64_t>,
               std::vector<std::string>>
      value;
  std::string reason;

  bool operator==(const Fact&) const = default;
};
using Facts = std::vector<Fact>;

}  // namespace gilscope
