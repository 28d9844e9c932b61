// How fast the eval loop runs on this box, so that opcodes and ticks can be read as time.
#pragma once

namespace gilscope {

struct LoopSpeed {
  double ns_per_opcode;
  double ns_per_iteration;
  double check_every_ns;  // how far apart the checks of check-interval:100 fall
};
LoopSpeed measure_loop();

}  // namespace gilscope
