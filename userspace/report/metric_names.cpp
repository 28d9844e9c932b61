#include "userspace/report/metric_names.h"

#include "userspace/report/numbers.h"

namespace gilscope {

const std::vector<std::string>& metric_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
#define METRIC(name, ...) list.emplace_back(#name);
#define CPU(key, from, since, member, definition, ...) \
  if (GILSCOPE_ROW(__VA_ARGS__).per_s) list.emplace_back(#key "_per_s");
#include "bpf/numbers.def"
    return list;
  }();
  return names;
}

}  // namespace gilscope
