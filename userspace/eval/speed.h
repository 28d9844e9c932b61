// The speed of the eval loop on this machine, so that opcodes and ticks can be read as time.
#pragma once

namespace gilscope {

struct LoopSpeed {
  double ns_per_opcode;
  double ns_per_iteration;
  double check_every_ns;  // between two checks of check-interval:100
};
LoopSpeed measure_loop();

}  // namespace gilscope
