// Whether any of many tests shows a difference, from one set of arrangements for all of them.
//
// One arrangement flips whole blocks (paired) or deals out whole units to the two sides (unpaired:
// blocks of different reports, or boots), with everything that was measured in them. So tests that
// move together move together here, and are not paid for one by one. In each arrangement the
// largest studentized difference of all tests is taken, and the tests are stepped down from the
// largest one seen (Westfall and Young 1993, Resampling-Based Multiple Testing; Nichols and Holmes
// 2002, Hum. Brain Mapp. 15:1, is the readable account). The chance of even one false difference in
// a family is at most the significance, as with Holm's adjustment of single p, and p may be as
// small as one arrangement in all, however many tests there are.
//
// What is assumed: units are independent, and where there is no difference, differences are as
// often as far above 0 as below it (paired), or units could have come from either side (unpaired;
// since it is studentized, about so with another spread on each side too).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gilscope {

enum class Design {
  paired,    // both sides were run in the same blocks of one report
  unpaired,  // in blocks of different reports, or boots
};

struct UnitValue {
  int unit = 0;  // the same number is the same block, or boot, in every test
  double value = 0;
};

// What is compared in one test, on the scale where a difference is a difference: logarithms, where
// it is of ratios. A unit that did not measure it is not there, and takes part with what it has.
struct JointSample {
  Design design = Design::paired;
  size_t family = 0;
  std::vector<UnitValue> differences;  // paired
  std::vector<UnitValue> a, b;         // unpaired
  size_t contrast = 0;                 // unpaired: units are dealt out within it
};

struct JointP {
  double p = 1;         // of this test alone
  double adjusted = 1;  // for all tests of its family
};

struct Arrangements {
  uint64_t count = 0;
  bool exact = true;  // all there are; else drawn, the one that was seen included
  uint64_t seed = 0;  // of the drawn ones
};

struct JointOutcome {
  std::vector<JointP> tests;  // as the samples
  // By family: what the largest of its statistics reaches in 5 % of the arrangements, as a normal
  // deviate. 0: no test.
  std::vector<double> critical;
  Arrangements arrangements;
};

struct JointLimits {
  uint64_t most = 65'536;     // arrangements; more than that are drawn
  uint64_t fewest = 2'048;    // drawn, however many units there are
  double additions = 0x1p28;  // what drawing more than these may take
  uint64_t seed = 1993;
};

// The order of samples and of their units changes nothing, nor does swapping the sides.
JointOutcome joint_test(const std::vector<JointSample>& samples, const JointLimits& limits = {});

}  // namespace gilscope
