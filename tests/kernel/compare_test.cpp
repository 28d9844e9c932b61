// Real reports compared: a report with itself, and with one measured beside a hog.
#include <gmock/gmock.h>

#include "tests/kernel/hog.h"
#include "tests/kernel/kernel_test.h"
#include "tests/kernel/program.h"

namespace gilscope {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// Without limits no block is missing, whatever else the machine is doing.
constexpr const char* kNoLimits = "[gates]\nforeign = false\nsteal = false\n";
// Of three that want a CPU, the hog gets a third.
constexpr const char* kStrict = "[gates]\nforeign = 0.1\n";

class Comparing : public testing::Test {
 protected:
  // Six blocks of one cell on one CPU; the tracer says exactly who else had it.
  std::string report(const std::string& name, const std::string& disturbances) const {
    const std::string spec = scratch_.file(
        "spec.toml",
        fmt::format(
            "policies = \"check-interval:100\"\nworkloads = "
            "\"count:n=1M\"\narrangements = \"threaded\"\ncpus = "
            "\"cpu:{}\"\nblocks = 6\nwarmup = 0\ntrace = \"counters\"\nuntraced = false\n{}",
            cpu_, disturbances));
    const Ended ended = gilscope_run({"run", spec, "--quiet", "--out", scratch_.path(name)});
    EXPECT_EQ(ended.status, 0) << ended.err;
    return scratch_.path(name);
  }

  const int cpu_ = all_cpus().back();
  Scratch scratch_;
};

TEST_F(Comparing, AReportAgainstItselfDiffersInNothing) {
  const std::string one = report("one", kNoLimits);
  const Ended ended = gilscope_run({"compare", one, one, "--all"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_THAT(ended.out, AllOf(HasSubstr("threaded: same with one (2) as with one"),
                               Not(HasSubstr(" slower")), Not(HasSubstr(" faster"))));
}

TEST_F(Comparing, RunsBesideAHogAreDisturbedAndNoDifferenceOfWhatWasRun) {
  const std::string quiet = report("quiet", kStrict);
  std::string disturbed;
  {
    const Hog hog(cpu_);
    ASSERT_TRUE(hog.works());
    disturbed = report("disturbed", kStrict);
  }
  const Ended ended = gilscope_run({"compare", quiet, disturbed, "--all"});
  EXPECT_EQ(ended.status, 3) << ended.out;
  EXPECT_EQ(ended.out, "");
  EXPECT_THAT(ended.err, HasSubstr("limits have left out all"));
}

TEST_F(Comparing, AHogThatNoDisturbanceLimitStopsIsSaidBeforeAnyNumber) {
  const std::string quiet = report("quiet", kNoLimits);
  std::string disturbed;
  {
    const Hog hog(cpu_);
    ASSERT_TRUE(hog.works());
    disturbed = report("disturbed", kNoLimits);
  }
  const Ended ended = gilscope_run({"compare", quiet, disturbed, "--all"});
  EXPECT_THAT(ended.out, HasSubstr("CPU time of other processes: "));
  EXPECT_LT(ended.out.find("CPU time of other processes: "), ended.out.find("primary metrics:"));
}

}  // namespace
}  // namespace gilscope
