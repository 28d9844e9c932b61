// Names of compared cells: only the keys that tell them apart.
#pragma once

#include <string>
#include <vector>

#include "tools/compare/sides.h"

namespace gilscope {

// A key's value as a sentence names it: "all CPUs", "2 threads", "check-interval:100".
std::string value_name(const std::string& key, const std::string& value);

class CellNames {
 public:
  explicit CellNames(const std::vector<Contrast>& contrasts);

  // "check-interval:100, threaded on 2 CPUs, host a"
  std::string of(const CellPair& pair) const;

 private:
  std::map<std::string, bool> varies_;  // by key
};

}  // namespace gilscope
