#include "userspace/base/uuid.h"

#include <fstream>

namespace gilscope {

Result<std::string> new_uuid() {
  std::ifstream file("/proc/sys/kernel/random/uuid");
  std::string uuid;
  if (!(file >> uuid)) return fail("cannot read /proc/sys/kernel/random/uuid: is /proc mounted?");
  return uuid;
}

}  // namespace gilscope
