// The unpaired half of the joint test: an arrangement deals units out to the two sides, the same
// units to the same side in every test.
#pragma once

#include <vector>

#include "tools/analysis/choices.h"
#include "tools/analysis/joint_test.h"
#include "tools/analysis/unit_rows.h"

namespace gilscope {

class Deal {
 public:
  // `sample` must outlive this; `test` is its place among all tests.
  void add(size_t test, const JointSample& sample);
  bool shares_a_unit(const JointSample& sample) const;
  void take_over(const Deal& other);
  // Lays out the table, after the last add().
  void finish();

  size_t units() const { return rows_.size(); }
  size_t chosen() const { return chosen_; }  // units of the side that choices are of
  double additions() const { return double((rows_.size() + 7) / 8) * double(columns_); }
  const UnitRows& rows() const { return rows_; }

  void choose_as_seen(Choices& choices, size_t choice) const;

  // Writes each test's squared Welch t for each choice to out[choice * tests + test].
  void statistics(const Choices& choices, size_t tests, std::vector<double>& out) const;

 private:
  struct Test {
    size_t test;
    const JointSample* sample;
    size_t column;
    double count, sum, squares;  // of all units
    bool missing;                // some units did not measure it
  };

  void fill(Test& test);
  double squared_welch(const Test& test, const double* chosen) const;

  UnitRows rows_;
  std::vector<Test> tests_;
  size_t columns_ = 0, chosen_ = 0;
  bool chosen_is_b_ = false;
  std::vector<double> table_;
};

// Tests of one contrast that share a unit are dealt out together. Tests of different machines, or
// of different values of a key that is held fixed, share none and are dealt out apart.
std::vector<Deal> deals_of(const std::vector<JointSample>& samples);

}  // namespace gilscope
