#include "userspace/live/budget.h"

namespace gilscope {
namespace {

constexpr int kPatience = 2;          // intervals
constexpr double kComfortable = 0.7;  // of the rate that was too much

}  // namespace

bool Budget::reads(double own_share, double segments_per_s) {
  if (reading_) {
    over_ = own_share > share_ ? over_ + 1 : 0;
    if (over_ >= kPatience) {
      reading_ = false;
      over_ = under_ = 0;
      gave_up_at_ = segments_per_s * share_ / own_share;
    }
  } else {
    under_ = segments_per_s < gave_up_at_ * kComfortable ? under_ + 1 : 0;
    if (under_ >= kPatience) {
      reading_ = true;
      under_ = 0;
    }
  }
  return reading_;
}

}  // namespace gilscope
