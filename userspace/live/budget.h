// Keeps this program's own CPU time in bounds: where threads switch too often for every segment to
// be read, none is, and the counters alone are shown.
#pragma once

#include <cstdint>

namespace gilscope {

class Budget {
 public:
  explicit Budget(double share) : share_(share) {}

  // Whether to read segments from here on, after an interval in which this program took that share
  // of a CPU and the traced threads had so many segments a second. One interval alone decides
  // nothing: programs start, and screens are resized.
  bool reads(double own_share, double segments_per_s);
  // The rate at which it gave up; 0: never.
  double gave_up_at() const { return gave_up_at_; }

 private:
  double share_;
  bool reading_ = true;
  int over_ = 0, under_ = 0;
  double gave_up_at_ = 0;  // segments per second that took the whole share, as far as is known
};

}  // namespace gilscope
