// One effect of several machines. Their blocks are never pooled: each machine is estimated by
// itself, and the machines are taken as a sample of all machines (random effects).
//
// The variance between machines is estimated by Paule's and Mandel's method (1982, J. Res. NBS
// 87:377; Veroniki et al. 2016, Res. Synth. Methods 7:55 compare it with others). The interval is
// Hartung's and Knapp's (2001, Stat. Med. 20:3875), by Student's t with one degree of freedom less
// than there are machines, and never narrower than the machines' own errors allow (Roever, Knapp,
// Friede 2015, BMC Med. Res. Methodol. 15:99). Two machines give a wide interval, since two say
// little of a third.
#pragma once

#include <string>
#include <vector>

#include "tools/analysis/effect.h"

namespace gilscope {

struct MachineEffect {
  std::string machine;
  double value = 0;           // on the effect's scale
  double standard_error = 0;  // of it
  Interval interval;          // on this machine
};

struct CombinedEffect {
  double value = 0;            // on the scale of the machines' effects
  Interval interval;           // 95 %
  double p = 1;                // two-sided, of Student's t
  double between = 0;          // standard deviation of the machines' true effects
  bool signs_differ = false;   // B is above A on one machine and below it on another
  bool contradictory = false;  // and the intervals of both exclude 0
};

// Fails where the machine has too few blocks for an interval.
Result<MachineEffect> machine_effect(const std::string& machine, const Effect& effect);

// At least two machines.
Result<CombinedEffect> combine(std::vector<MachineEffect> machines);

}  // namespace gilscope
