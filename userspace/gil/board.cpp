#include "userspace/gil/board.h"

namespace gilscope {

[[gnu::noinline]] void BoardSlot::failed(__u64& counter, int kind) {
  add(counter);
  DTRACE_PROBE1(gilscope, acquire_failed, kind);
}

}  // namespace gilscope
