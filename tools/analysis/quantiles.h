// Quantiles of the two distributions that intervals and sample sizes are made of.
#pragma once

namespace gilscope {

// Whose share `probability` of all values lies below; 0 < probability < 1.
double normal_quantile(double probability);

// Student's t with a whole number of degrees of freedom, at least 1.
double student_quantile(double probability, int degrees);

// The probability of being further from 0 than t, on either side.
double student_two_sided(double t, int degrees);

// The square of the normal deviate that is as far out as Student's t, of its square, and back
// (Wallace 1959, Ann. Math. Statist. 30:1124; good to two digits).
double squared_normal_score(double t_squared, double degrees);
double t_of_normal_score(double z, double degrees);

}  // namespace gilscope
