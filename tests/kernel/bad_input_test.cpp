// Bad input causes one line on standard error that names the culprit, and the right exit code; it
// changes nothing.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "tests/kernel/program.h"

namespace gilscope {
namespace {

void expect_refused(const Ended& ended, int status, const std::string& named) {
  EXPECT_EQ(ended.status, status) << ended.err;
  EXPECT_NE(ended.err.find(named), std::string::npos)
      << "does not name " << named << ": " << ended.err;
  EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
  EXPECT_EQ(ended.out, "");
}

struct Bad {
  std::vector<std::string> arguments;
  int status;
  std::string named;
};

class BadInput : public ::testing::TestWithParam<Bad> {};

TEST_P(BadInput, IsRefusedInOneLineAndChangesNothing) {
  Scratch scratch;
  std::string out = scratch.path("out");
  std::vector<std::string> arguments = GetParam().arguments;
  if (arguments[0] == "run") arguments.insert(arguments.end(), {"--out", out});
  expect_refused(gilscope_run(arguments), GetParam().status, GetParam().named);
  EXPECT_FALSE(std::filesystem::exists(out));
}

const std::vector<Bad> kBad = {
    {{"run", "--policy", "chek-interval:100"}, 2, "check-interval"},
    {{"run", "--policy", "gil"}, 2, "gil"},
    {{"run", "--policy", "check-interval:-1"}, 2, "-1"},
    {{"run", "--policy", "check-interval:100,speed=9"}, 2, "speed"},
    {{"run", "--policy", "switch-interval:5parsecs"}, 2, "5parsecs"},
    {{"run", "--workload", "cont:n=1"}, 2, "count"},
    {{"run", "--workload", "count:m=1"}, 2, "'m'"},
    {{"run", "--workload", "count:n=0"}, 2, "n=0"},
    {{"run", "--arrangement", "sideways"}, 2, "sideways"},
    {{"run", "--threads", "0"}, 2, "0"},
    {{"run", "--threads", "100000"}, 2, "100000"},
    {{"run", "--threads", "two"}, 2, "two"},
    {{"run", "--cpus", "cpu:4095"}, 2, "4095"},
    {{"run", "--cpus", "9999"}, 2, "9999"},
    {{"run", "--cpus", "0"}, 2, "0"},
    {{"run", "--cpus", "cpu:"}, 2, "cpu:"},
    {{"run", "--cpus-by", "magic"}, 2, "magic"},
    {{"run", "--cpu-order", "random"}, 2, "random"},
    {{"restore", "everything"}, 2, "everything"},
    {{"run", "--trace", "some"}, 2, "some"},
    {{"run", "--blocks", "0"}, 2, "blocks"},
    {{"run", "--main-exit", "explode"}, 2, "explode"},
    {{"run", "dmeo"}, 2, "demo"},
    {{"run", "/nonexistent/spec.toml"}, 2, "spec.toml"},
    {{"run", "--polcy", "none"}, 2, "--polcy"},
    {{"validate", "/nonexistent/report.json"}, 2, "/nonexistent/report.json"},
    {{"show", "/nonexistent"}, 2, "/nonexistent"},
    {{"frobnicate"}, 2, "frobnicate"},
    {{"run", "--policy", "fifo:-1"}, 2, "fifo"},
    {{"run", "--policy", "pypy:x"}, 2, "pypy"},
    {{"run", "--policy", "gvl:0ms"}, 2, "gvl"},
    {{"run", "--policy", "gvl-handoff:forever"}, 2, "gvl-handoff"},
    {{"run", "--policy", "bfs:5"}, 2, "bfs"},
    {{"run", "--policy", "priority:0s"}, 2, "priority"},
    {{"run", "--policy", "sharded:0"}, 2, "sharded"},
    {{"run", "--policy", "sharded:5000"}, 2, "sharded"},
    {{"run", "--policy", "none", "--policy", "none"}, 2, "twice"},
    {{"run", "--workload", "echo:port=70000"}, 2, "port=70000"},
    {{"run", "--workload", "file:dir=../etc"}, 2, "dir=../etc"},
    {{"run", "--workload", "file:dir=/nonexistent"}, 2, "/nonexistent"},
    {{"run", "--workload", "latency:port=65535", "--threads", "2"}, 2, "port=65535"},
    {{"run", "--workload", "echo", "--arrangement", "sequential"}, 2, "sequential"},
    {{"run", "--workload", "echo:seconds=86400", "--blocks", "2"}, 2, "--yes"},
    {{"run", "--threads", "5000x"}, 2, "5000"},
    {{"run", "--cpus", "4..1"}, 2, "4..1"},
};
INSTANTIATE_TEST_SUITE_P(Every, BadInput, ::testing::ValuesIn(kBad));

// More cells than anybody asks for on purpose, in one short spec.
TEST(BadSpec, OfTenThousandCellsAsksForConfirmation) {
  Scratch scratch;
  std::string threads;
  for (int count = 1; count <= 2600; ++count) threads += std::to_string(count) + ", ";
  const std::string spec =
      scratch.file("many.toml",
                   "policies = [\"none\", \"fifo\"]\nworkloads = \"count:n=1\"\nblocks = 1\n"
                   "warmup = 0\nthreads = [" +
                       threads + "]\n");
  expect_refused(gilscope_run({"run", spec, "--trace", "off"}), 2, "10400 cells");
}

TEST(DryRun, PrintsThePlanAndRunsNothing) {
  Scratch scratch;
  const Ended ended = gilscope_run({"run", "policies", "--dry-run", "--out", scratch.path("out")});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_NE(ended.out.find("gvl-handoff:100ms  echo:background=1"), std::string::npos) << ended.out;
  EXPECT_NE(ended.out.find(" minutes\n"), std::string::npos) << ended.out;
  EXPECT_FALSE(std::filesystem::exists(scratch.path("out")));
}

TEST(BadSpec, IsRefusedWithItsPlace) {
  Scratch scratch;
  expect_refused(gilscope_run({"run", scratch.file("a.toml", "policies = [\"none\"\n")}), 2,
                 "a.toml");
  expect_refused(
      gilscope_run(
          {"run", scratch.file("b.toml", "polices = [\"none\"]\nworkloads = [\"count\"]\n")}),
      2, "did you mean 'policies'");
  expect_refused(gilscope_run({"run", scratch.file("c.toml", std::string(5000, '\x01'))}), 2,
                 "c.toml");
}

TEST(BadOut, AnotherSpecIsRefusedAndKept) {
  Scratch scratch;
  std::string out = scratch.path("out");
  std::vector<std::string> run = {"run", "--trace",  "off", "--workload", "count:n=10k", "--blocks",
                                  "1",   "--warmup", "0",   "--quiet",    "--out",       out};
  ASSERT_EQ(gilscope_run(run).status, 0);
  std::string before = shell("cat " + out + "/report.json").out;
  run[4] = "count:n=20k";
  expect_refused(gilscope_run(run), 2, "another spec");
  EXPECT_EQ(shell("cat " + out + "/report.json").out, before);
}

TEST(BadOut, PlacesThatAreNoDirectoryOfItsOwn) {
  Scratch scratch;
  auto run_into = [](const std::string& out) {
    return gilscope_run({"run", "--trace", "off", "--workload", "count:n=10k", "--blocks", "1",
                         "--warmup", "0", "--quiet", "--out", out});
  };
  expect_refused(run_into(scratch.file("file", "mine")), 2, "file");
  std::filesystem::create_directory(scratch.path("full"));
  scratch.file("full/mine", "mine");
  expect_refused(run_into(scratch.path("full")), 2, "not empty");
  std::filesystem::create_directory(scratch.path("real"));
  std::filesystem::create_directory_symlink(scratch.path("real"), scratch.path("link"));
  expect_refused(run_into(scratch.path("link")), 2, "symbolic link");
  expect_refused(run_into("/proc/no/such"), 2, "/proc/no/such");
  expect_refused(run_into("/sys/gilscope"), 2, "/sys/gilscope");
}

TEST(BadOut, FullDiskKeepsWhatWasMeasured) {
  Scratch scratch;
  std::string mount = scratch.path("disk");
  std::filesystem::create_directory(mount);
  // Uses its own mount namespace, so that nothing is left mounted. 400 KB hold some blocks.
  Ended ended =
      shell("unshare --mount sh -c 'mount -t tmpfs -o size=400k tmpfs " + mount + " && " +
            program() + " run --workload count:n=300k --blocks 200 --warmup 0 --quiet --out " +
            mount + "/out; s=$?; " + program() + " validate " + mount + "/out >&2; exit $s'");
  EXPECT_EQ(ended.status, 2) << ended.err;
  EXPECT_NE(ended.err.find("No space left on device"), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("valid gilscope report"), std::string::npos) << ended.err;
}

TEST(BadReport, TruncatedForeignOrOfAnotherMajor) {
  Scratch scratch;
  std::string out = scratch.path("out");
  ASSERT_EQ(gilscope_run({"run", "--trace", "off", "--workload", "count:n=10k", "--blocks", "1",
                          "--warmup", "0", "--quiet", "--out", out})
                .status,
            0);
  std::string good = shell("cat " + out + "/report.json").out;
  ASSERT_EQ(gilscope_run({"validate", scratch.file("good.json", good)}).status, 0);
  expect_refused(
      gilscope_run({"validate", scratch.file("half.json", good.substr(0, good.size() / 2))}), 3,
      "half.json");
  expect_refused(gilscope_run({"validate", scratch.file("other.json", "{\"a\": 1}")}), 3,
                 "other.json");
  expect_refused(gilscope_run({"show", scratch.file("text.json", "hello")}), 3, "text.json");
  std::string major = good;
  size_t at = major.find("\"major\": 1");
  ASSERT_NE(at, std::string::npos);
  major.replace(at, 10, "\"major\": 9");
  expect_refused(gilscope_run({"validate", scratch.file("major.json", major)}), 3, "9");
}

TEST(NotRoot, IsToldSoWithTheFix) {
  Scratch scratch;
  chmod(scratch.path("").c_str(), 0777);
  // A copy, because other users may lack access to the build tree.
  std::string copy = scratch.path("gilscope");
  shell("cp " + program() + " " + copy + " && chmod 755 " + copy);
  Ended ended = shell("setpriv --reuid 65534 --regid 65534 --clear-groups " + copy +
                      " run --workload count:n=10k --blocks 1 --out " + scratch.path("out"));
  expect_refused(ended, 4, "root");
  EXPECT_FALSE(std::filesystem::exists(scratch.path("out")));
  // Commands that need no privilege work without it.
  ended = shell("setpriv --reuid 65534 --regid 65534 --clear-groups " + copy +
                " run --trace off --workload count:n=10k --blocks 1 --warmup 0 --quiet");
  EXPECT_EQ(ended.status, 0) << ended.err;
}

TEST(NoBtf, IsToldSo) {
  // Unreadable kernel types, in a mount namespace of its own.
  Ended ended = shell("unshare --mount sh -c 'mount -t tmpfs tmpfs /sys/kernel/btf && " +
                      program() + " run --workload count:n=10k --blocks 1'");
  expect_refused(ended, 4, "BTF");
}

}  // namespace
}  // namespace gilscope
