#include "userspace/gil/policies.h"

namespace gilscope {

// Each is defined beside its algorithm, in NAME.cpp.
#define GILSCOPE_POLICY(name) std::unique_ptr<Gil> make_##name(const PolicyArguments& arguments);
#include "userspace/descriptor/policies.def"
#undef GILSCOPE_POLICY

namespace {

using Make = std::unique_ptr<Gil> (*)(const PolicyArguments& arguments);

// In the order of policies(), which is made from the same list.
constexpr Make kMakes[] = {
#define GILSCOPE_POLICY(name) make_##name,
#include "userspace/descriptor/policies.def"
#undef GILSCOPE_POLICY
};

}  // namespace

Result<std::unique_ptr<Gil>> make_gil(std::string_view text) {
  const auto read = read_policy(text);
  if (!read) return fail(read.error());
  return kMakes[read->policy - policies().data()](read->arguments);
}

}  // namespace gilscope
