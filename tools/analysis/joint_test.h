// Many tests at once, from one set of arrangements for all of them.
//
// An arrangement flips whole blocks (paired) or deals whole units out to the two sides (unpaired:
// blocks of different reports, or boots), with everything that was measured in them. Tests that
// move together therefore move together here, and are not paid for one by one. Each arrangement
// gives the largest studentized difference of all tests, and the tests are stepped down from the
// largest observed one (Westfall and Young 1993, Resampling-Based Multiple Testing; Nichols and
// Holmes 2002, Hum. Brain Mapp. 15:1, is the readable account). The chance of even one false
// difference in a family is at most the significance, as with Holm's adjustment of single p, and
// the smallest possible p is one arrangement among all, however many tests there are.
//
// It assumes that units are independent. Without a true difference, paired differences must lie as
// often as far above 0 as below it, and unpaired units must be exchangeable between the sides; the
// latter holds nearly with different spreads, too, because differences are studentized.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gilscope {

enum class Design {
  paired,    // both sides ran in the same blocks of one report
  unpaired,  // the sides ran in blocks of different reports, or in different boots
};

struct UnitValue {
  int unit = 0;  // the same number is the same block, or boot, in every test
  double value = 0;
};

// The values of one test, on a scale where differences add up: logarithms for ratios. A unit that
// did not measure this number is missing here, and takes part in the tests that it has values for.
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
  bool exact = true;  // all there are; otherwise drawn, with the observed one among them
  uint64_t seed = 0;  // of the draw
};

struct JointOutcome {
  std::vector<JointP> tests;  // in the order of the samples
  // By family: the value that its largest statistic exceeds in 5 % of the arrangements, as a normal
  // deviate. 0 where there is no test.
  std::vector<double> critical;
  Arrangements arrangements;
};

struct JointLimits {
  uint64_t most = 65'536;     // arrangements; where there are more, as many are drawn
  uint64_t fewest = 2'048;    // drawn arrangements, however many units there are
  double additions = 0x1p28;  // the work beyond which fewer than `most` are drawn
  uint64_t seed = 1993;
};

// Neither the order of samples and units nor swapping the sides changes the outcome.
JointOutcome joint_test(const std::vector<JointSample>& samples, const JointLimits& limits = {});

}  // namespace gilscope
