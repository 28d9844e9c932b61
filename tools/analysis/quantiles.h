// Quantiles of the normal and of Student's distribution.
#pragma once

namespace gilscope {

// The p-quantile, 0 < p < 1.
double normal_quantile(double probability);

// The same of Student's t, with at least one degree of freedom.
double student_quantile(double probability, int degrees);

// The probability that Student's t is farther from 0 than `t`, on either side.
double student_two_sided(double t, int degrees);

// From the square of Student's t to the square of the normal deviate with the same tail
// probability, and from that deviate back to t (Wallace 1959, Ann. Math. Statist. 30:1124; good to
// two digits).
double squared_normal_score(double t_squared, double degrees);
double t_of_normal_score(double z, double degrees);

}  // namespace gilscope
