// One effect of several boxes. Their blocks are never pooled: each box is estimated apart, and the
// boxes are taken as a sample of all boxes (random effects).
//
// How far the boxes themselves lie apart is estimated by Paule and Mandel (1982, J. Res. NBS
// 87:377; Veroniki et al. 2016, Res. Synth. Methods 7:55 compare it with others). The interval is
// Hartung's and Knapp's (2001, Stat. Med. 20:3875), of Student's t with one degree less than there
// are boxes, and never narrower than the boxes' own errors allow (Roever, Knapp, Friede 2015, BMC
// Med. Res. Methodol. 15:99). Two boxes give a wide one, since two boxes say little of a third.
#pragma once

#include <string>
#include <vector>

#include "tools/analysis/effect.h"

namespace gilscope {

struct BoxEffect {
  std::string box;
  double value = 0;           // on the effect's scale
  double standard_error = 0;  // of it
  Interval interval;          // on this box
};

struct CombinedEffect {
  double value = 0;            // on the scale of the boxes' effects
  Interval interval;           // 95 %
  double p = 1;                // two-sided, of Student's t
  double between = 0;          // standard deviation of the boxes' true effects
  bool signs_differ = false;   // B is above A on one box and below it on another
  bool contradictory = false;  // and the intervals of both exclude 0
};

// An error where the box has too few blocks for an interval.
Result<BoxEffect> box_effect(const std::string& box, const Effect& effect);

// At least two boxes.
Result<CombinedEffect> combine(std::vector<BoxEffect> boxes);

}  // namespace gilscope
