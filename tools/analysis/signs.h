// The paired half of the joint test: an arrangement flips the sign of some units' differences, the
// same units in every test.
#pragma once

#include <vector>

#include "tools/analysis/choices.h"
#include "tools/analysis/joint_test.h"
#include "tools/analysis/unit_rows.h"

namespace gilscope {

class Signs {
 public:
  // `sample` must outlive this; `test` is its place among all tests.
  void add(size_t test, const JointSample& sample);
  // Lays out the table, after the last add().
  void finish();

  size_t units() const { return rows_.size(); }
  bool empty() const { return tests_.empty(); }
  double additions() const { return double((rows_.size() + 7) / 8) * double(tests_.size()); }

  // Writes each test's squared t for each choice of flipped units to out[choice * tests + test].
  void statistics(const Choices& flipped, size_t tests, std::vector<double>& out) const;

 private:
  struct Test {
    size_t test;
    const JointSample* sample;
    double sum, squares;
  };

  UnitRows rows_;
  std::vector<Test> tests_;
  std::vector<double> table_;
};

}  // namespace gilscope
