// The USDT probes, which other tools attach to, counted by bpftrace: they fire as often as the
// threads failed, acquired, released and requested a drop.
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/kernel/kernel_test.h"
#include "tests/kernel/witness.h"
#include "tests/unit/temporary_directory.h"

namespace gilscope {
namespace {

// bpftrace's counts, by thread.
using CountsByTid = std::map<uint32_t, GilCounts>;

// bpftrace, counting in every process that executes `program`.
class ProbeCounter {
 public:
  static Result<ProbeCounter> start(const std::string& program, const std::string& directory) {
    // The output of BEGIN is read from its buffer only once every probe is attached.
    std::string script = "BEGIN { printf(\"attached\\n\"); }";
    for (const char* probe : {"acquired", "released", "drop_request"}) {
      script +=
          fmt::format(" usdt:{}:gilscope:{} {{ @{}[tid] = count(); }}", program, probe, probe);
    }
    script += fmt::format(" usdt:{}:gilscope:acquire_failed {{ @failed[tid, arg0] = count(); }}",
                          program);
    auto command =
        witness::Command::start({"bpftrace", "-B", "none", "-e", script}, directory + "/bpftrace");
    if (!command) return fail(command.error());
    if (!witness::until(*command,
                        [&] { return command->out().find("\nattached\n") != std::string::npos; })) {
      return fail(Exit::unable, "bpftrace cannot count: " + command->err());
    }
    return ProbeCounter(std::move(*command));
  }

  Result<CountsByTid> stop() {
    bpftrace_.interrupt();
    CountsByTid counts;
    std::istringstream lines(bpftrace_.out());
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with('@')) continue;
      if (!add(line, counts)) return fail("bpftrace printed an unknown line: " + line);
    }
    return counts;
  }

 private:
  explicit ProbeCounter(witness::Command bpftrace) : bpftrace_(std::move(bpftrace)) {}

  // "@acquired[1234]: 56" or "@failed[1234, 0]: 56".
  static bool add(const std::string& line, CountsByTid& counts) {
    char name[32];
    unsigned tid = 0, kind = 0;
    unsigned long count = 0;
    if (std::sscanf(line.c_str(), "@failed[%u, %u]: %lu", &tid, &kind, &count) == 3) {
      GilCounts& of_thread = counts[tid];
      uint64_t* kinds[] = {&of_thread.contended, &of_thread.woken_lost, &of_thread.timed_out};
      if (kind > 2) return false;
      *kinds[kind] += count;
      return true;
    }
    if (std::sscanf(line.c_str(), "@%31[a-z_][%u]: %lu", name, &tid, &count) != 3) return false;
    GilCounts& of_thread = counts[tid];
    const std::string_view probe = name;
    if (probe == "acquired") *of_thread.acquires += count;
    if (probe == "released") *of_thread.releases += count;
    if (probe == "drop_request") *of_thread.drop_requests += count;
    return true;
  }

  witness::Command bpftrace_;
};

std::string this_program() {
  char path[4096];
  ssize_t length = readlink("/proc/self/exe", path, sizeof(path));
  return std::string(path, static_cast<size_t>(std::max<ssize_t>(length, 0)));
}

auto numbers(const GilCounts& counts) {
  return std::vector<std::optional<uint64_t>>{counts.acquires,  counts.releases,
                                              counts.contended, counts.woken_lost,
                                              counts.timed_out, counts.drop_requests};
}

// The counts without their tids, which an untraced run does not know.
auto sorted(const CountsByTid& by_tid) {
  std::vector<std::vector<std::optional<uint64_t>>> list;
  for (const auto& [tid, counts] : by_tid) list.push_back(numbers(counts));
  std::sort(list.begin(), list.end());
  return list;
}

struct Case {
  const char* policy;
  bool traced;
};

class UsdtProbes : public KernelTest, public ::testing::WithParamInterface<Case> {};

TEST_P(UsdtProbes, AreHitAsOftenAsTheRunSays) {
  const Case& c = GetParam();
  load({.max_threads = 5});
  TemporaryDirectory directory;
  auto counter = ProbeCounter::start(this_program(), directory.path());
  ASSERT_TRUE(counter) << counter.error().message;
  Cell cell = make_cell(c.policy, "count:n=300k", 4, all_cpus());
  auto run = this->run(cell, {.traced = c.traced});
  auto counted = counter->stop();
  ASSERT_TRUE(run);
  ASSERT_TRUE(counted) << counted.error().message;

  GilCounts total;
  CountsByTid own;
  for (uint32_t slot = 0; slot < run->threads.size(); ++slot) {
    const Thread& thread = run->threads[slot];
    own[c.traced ? thread.trace->tid : slot] = thread.gil;
  }
  for (const auto& [tid, counts] : *counted) total += counts;
  EXPECT_EQ(total.failed(), run->gil.failed());
  EXPECT_EQ(numbers(total), numbers(run->gil));
  EXPECT_EQ(sorted(*counted), sorted(own));
  if (c.traced) {
    EXPECT_EQ(*counted, own);
  }
  EXPECT_GT(total.acquires, 0u);  // it counted something
}

// The program that users run, and the report it writes.
TEST(Usdt, ReportOfTheProgramAgrees) {
  const char* given = std::getenv("GILSCOPE");
  TemporaryDirectory directory;
  // A copy, so that other processes running the program are not counted.
  const std::string program = directory / "gilscope";
  std::error_code error;
  std::filesystem::copy_file(given ? given : "build/gilscope", program, error);
  ASSERT_FALSE(error) << "no program to test (" << error.message()
                      << "): run `make`, or set GILSCOPE";

  auto counter = ProbeCounter::start(program, directory.path());
  ASSERT_TRUE(counter) << counter.error().message;
  auto gilscope = witness::Command::start({program,         "run",
                                           "--policy",      "check-interval:100",
                                           "--policy",      "switch-interval:500us",
                                           "--workload",    "count:n=300k",
                                           "--arrangement", "threaded",
                                           "--threads",     "2",
                                           "--cpus",        "all",
                                           "--blocks",      "2",
                                           "--warmup",      "0",
                                           "--out",         directory / "out"},
                                          directory / "run");
  ASSERT_TRUE(gilscope) << gilscope.error().message;
  // gilscope itself times the policies before the runs, to estimate the remaining time.
  const auto parent = static_cast<unsigned>(gilscope->pid());
  const int status = gilscope->wait();
  auto counted = counter->stop();
  ASSERT_EQ(status, 0) << gilscope->err();
  ASSERT_TRUE(counted) << counted.error().message;

  auto report = nlohmann::json::parse(witness::contents_of(directory / "out/report.json"));
  GilCounts reported, total;
  for (const auto& cell : report.at("cells")) {
    for (const auto& run : cell.at("runs")) {
      const auto& gil = run.at("gil");
      const auto count = [&](const char* key) { return gil.at(key).get<uint64_t>(); };
      reported += {count("acquires"),   count("releases"),  count("contended"),
                   count("woken_lost"), count("timed_out"), count("drop_requests")};
    }
  }
  for (const auto& [tid, counts] : *counted) {
    if (tid != parent) total += counts;
  }
  EXPECT_GT(total.failed(), 0u);
  EXPECT_EQ(numbers(total), numbers(reported));
}

INSTANTIATE_TEST_SUITE_P(Kernel, UsdtProbes,
                         ::testing::Values(Case{"check-interval:100", false},
                                           Case{"check-interval:100", true},
                                           Case{"check-interval:100,lock=condvar", true},
                                           Case{"switch-interval:500us", false},
                                           Case{"switch-interval:500us", true}),
                         [](const auto& info) {
                           std::string name = info.param.policy;
                           name += info.param.traced ? "_traced" : "_untraced";
                           std::replace_if(
                               name.begin(), name.end(),
                               [](unsigned char letter) { return !std::isalnum(letter); }, '_');
                           return name;
                         });

}  // namespace
}  // namespace gilscope
