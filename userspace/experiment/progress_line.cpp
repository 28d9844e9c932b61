#include "userspace/experiment/progress_line.h"

#include <algorithm>
#include <span>

namespace gilscope {
namespace {

std::string bar(const Progress& p, size_t columns) {
  const size_t done = std::min(p.run * columns / std::max<size_t>(p.runs, 1), columns);
  return std::string(done, '#') + std::string(columns - done, '.');
}

std::string time_left(double seconds) {
  const auto s = static_cast<long>(seconds + 0.5);
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} min {:02} s", s / 60, s % 60);
  return fmt::format("{} h {:02} min", s / 3600, s / 60 % 60);
}

std::string block_of(const Progress& p) {
  return fmt::format("block {}/{}{}", p.block + 1, p.blocks, p.warmup ? " (warm-up)" : "");
}

// The first form that fits, of forms in descending length; empty if none does.
std::string longest(std::span<const std::string> forms, int columns) {
  for (const std::string& form : forms) {
    if (columns > 0 && form.size() <= static_cast<size_t>(columns)) return form;
  }
  return "";
}

}  // namespace

std::string progress_line(const Progress& p, int columns) {
  constexpr size_t kBar = 20, kShortBar = 10;
  const std::string left = time_left(p.seconds_left);
  const std::string run = fmt::format("run {}/{}", p.run, p.runs);
  const std::string forms[] = {
      fmt::format("[{}] {}, {}, {} left", bar(p, kBar), block_of(p), run, left),
      fmt::format("{}, {}, {} left", block_of(p), run, left),
      fmt::format("[{}] {}/{}, {} left", bar(p, kShortBar), p.run, p.runs, left),
      fmt::format("{}/{}, {} left", p.run, p.runs, left),
      fmt::format("{}/{}", p.run, p.runs),
      fmt::format("{}%", 100 * p.run / std::max<size_t>(p.runs, 1)),
  };
  return longest(forms, columns - 1);
}

std::string block_line(const Progress& p, std::optional<int> columns) {
  const std::string left = time_left(p.seconds_left);
  const std::string count = fmt::format("{}/{}", p.block + 1, p.blocks);
  const std::string forms[] = {
      fmt::format("{}, {} left", block_of(p), left),
      fmt::format("block {}, {} left", count, left),
      fmt::format("{}, {} left", count, left),
      count,
  };
  return columns ? longest(forms, *columns) : forms[0];
}

}  // namespace gilscope
