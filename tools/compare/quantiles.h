// Quantiles of the two distributions that intervals and sample sizes are made of.
#pragma once

namespace gilscope {

// Whose share `probability` of all values lies below; 0 < probability < 1.
double normal_quantile(double probability);

// Student's t with a whole number of degrees of freedom, at least 1.
double student_quantile(double probability, int degrees);

// The probability of being further from 0 than t, on either side.
double student_two_sided(double t, int degrees);

}  // namespace gilscope
