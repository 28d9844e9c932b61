// The cost of comparing many reports: synthetic ones of about 50 KB, the same number for each of
// two kernels, all from one boot and so compared block by block. docs/methodology.md names the
// command.
//   build/bench_compare [GILSCOPE [MOST]]     GILSCOPE: the program; MOST: reports
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "tests/bench/cost.h"
#include "tests/unit/sample_report.h"
#include "userspace/report/json.h"

namespace gilscope {
namespace {

Report made_up(std::mt19937_64& random, int number) {
  std::normal_distribution<double> noise(0, 0.02);
  Report report = sample::report(8, 1);
  report.id = fmt::format("{:08x}-0b5d-4b8e-9c55-0d5a7c1f2e3b", number);
  std::erase_if(report.environment, [](const Fact& fact) { return fact.key == "kernel.release"; });
  report.environment.push_back({"kernel.release", std::string(number % 2 ? "6.12" : "6.1"), ""});
  report.environment.push_back({"host.name", std::string("alpha"), ""});
  report.environment.push_back({"host.boot_id", std::string("one"), ""});
  std::erase_if(report.cells, [](const Cell& cell) {
    return cell.policy != "check-interval:100" || cell.cpus != "2";
  });
  for (Cell& cell : report.cells) {
    for (gilscope::Run& run : cell.runs) {
      run.wall_ns = uint64_t(double(run.wall_ns) * std::exp(noise(random)));
      if (run.window_ns) run.window_ns = run.wall_ns;
      run.threads.clear();
      for (CpuTrace& cpu : run.cpus) cpu.histograms = {};
      run.segments_file.clear(), run.samples_file.clear();
      run.segment_records = 0;
    }
  }
  return report;
}

int run(const std::string& gilscope, int most) {
  const std::string directory = fmt::format("/var/tmp/gilscope-bench.{}", getpid());
  std::mt19937_64 random(7);
  fmt::print("{:>8} {:>10} {:>9} {:>9} {:>13}\n", "reports", "KB each", "wall, s", "CPU, s",
             "max RSS, MiB");
  int written = 0;
  bool done = true;
  for (int reports = most / 100 * 10; reports <= most && done; reports += most / 100 * 30) {
    for (; written < reports; ++written) {
      const std::string place = fmt::format("{}/{}", directory, written);
      std::filesystem::create_directories(place);
      const Status status = write_report(made_up(random, written), place + "/report.json");
      if (!status) {
        fmt::print(stderr, "bench_compare: {}\n", status.error().message);
        return 2;
      }
    }
    const double bytes = double(std::filesystem::file_size(directory + "/0/report.json"));
    const Cost cost = cost_of({gilscope, "compare", directory, "--by", "kernel"}, 0b11);
    fmt::print("{:>8} {:>10.1f} {:>9.2f} {:>9.2f} {:>13.1f}{}\n", reports, bytes / 1e3, cost.wall_s,
               cost.cpu_s, double(cost.max_rss_kib) / 1024, cost.done ? "" : "  FAILED");
    done = cost.done;
  }
  std::filesystem::remove_all(directory);
  return done ? 0 : 1;
}

}  // namespace
}  // namespace gilscope

int main(int count, char** arguments) {
  return gilscope::run(count > 1 ? arguments[1] : "build/gilscope",
                       count > 2 ? std::atoi(arguments[2]) : 1000);
}
