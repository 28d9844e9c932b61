#include "tools/compare/machines.h"

#include <algorithm>
#include <cmath>

#include "tools/analysis/quantiles.h"
#include "tools/compare/standard_error.h"

namespace gilscope {
namespace {

// A machine whose blocks agree to the last digit would outweigh all others: errors are taken to be
// at least this share of the largest effect.
constexpr double kLeastError = 1e-6;

double least_error(const std::vector<MachineEffect>& machines) {
  double largest = 0;
  for (const MachineEffect& machine : machines) {
    largest = std::max({largest, std::fabs(machine.value), machine.standard_error});
  }
  return largest > 0 ? kLeastError * largest : kLeastError;
}

struct Weighted {
  double mean = 0;
  double weights = 0;   // sum of the weights
  double distance = 0;  // weighted squared distances from the mean
};

Weighted weigh(const std::vector<MachineEffect>& machines, double between_squared) {
  Weighted result;
  const double least = least_error(machines);
  const auto weight_of = [&](const MachineEffect& machine) {
    return 1 / (std::pow(std::max(machine.standard_error, least), 2) + between_squared);
  };
  for (const MachineEffect& machine : machines) {
    result.weights += weight_of(machine);
    result.mean += weight_of(machine) * machine.value;
  }
  result.mean /= result.weights;
  for (const MachineEffect& machine : machines) {
    result.distance += weight_of(machine) * std::pow(machine.value - result.mean, 2);
  }
  return result;
}

// The variance between machines at which their distances from the mean are as large as expected.
double paule_mandel(const std::vector<MachineEffect>& machines) {
  const double expected = double(machines.size() - 1);
  if (weigh(machines, 0).distance <= expected) return 0;
  double low = 0, high = least_error(machines) * least_error(machines);
  while (weigh(machines, high).distance > expected) high *= 2;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    (weigh(machines, middle).distance > expected ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

Result<MachineEffect> machine_effect(const std::string& machine, const Effect& effect) {
  const auto error = standard_error(effect);
  if (!error) {
    return fail(
        Exit::no_data,
        fmt::format("{}: its {} blocks are too few for an interval; leave the machine out, or "
                    "run more blocks on it",
                    machine, effect.blocks()));
  }
  return MachineEffect{machine, effect.estimate.value, *error, *effect.estimate.interval};
}

Result<CombinedEffect> combine(std::vector<MachineEffect> machines) {
  if (machines.size() < 2) {
    return fail(Exit::no_data, "one machine cannot be combined with others; compare it alone");
  }
  for (const MachineEffect& machine : machines) {
    if (std::isfinite(machine.value) && std::isfinite(machine.standard_error) &&
        machine.standard_error >= 0) {
      continue;
    }
    return fail(
        fmt::format("{}: an effect of {} with standard error {} cannot be combined; leave the "
                    "machine out",
                    machine.machine, machine.value, machine.standard_error));
  }
  // Sorted, so that the order of the arguments does not even show in the last digit.
  std::sort(machines.begin(), machines.end(), [](const MachineEffect& x, const MachineEffect& y) {
    return std::pair(x.value, x.standard_error) < std::pair(y.value, y.standard_error);
  });
  const double between_squared = paule_mandel(machines);
  const Weighted weighted = weigh(machines, between_squared);
  const int degrees = int(machines.size()) - 1;
  const double error = std::sqrt(std::max(1.0, weighted.distance / degrees) / weighted.weights);
  const double half = student_quantile(0.975, degrees) * error;
  CombinedEffect result;
  result.value = weighted.mean;
  result.interval = {weighted.mean - half, weighted.mean + half};
  result.p = student_two_sided(weighted.mean / error, degrees);
  result.between = std::sqrt(between_squared);
  const auto any = [&](auto says) { return std::any_of(machines.begin(), machines.end(), says); };
  result.signs_differ = machines.front().value < 0 && machines.back().value > 0;
  result.contradictory =
      any([](const MachineEffect& machine) { return machine.interval.high < 0; }) &&
      any([](const MachineEffect& machine) { return machine.interval.low > 0; });
  return result;
}

}  // namespace gilscope
