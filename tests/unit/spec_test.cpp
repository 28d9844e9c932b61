#include "userspace/experiment/plan/spec.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/unit/temporary_directory.h"
#include "userspace/descriptor/policy.h"
#include "userspace/experiment/plan/builtin.h"

namespace gilscope {
namespace {

// A valid spec; each test adds the part that it tests.
const std::string kGood = "policies = \"none\"\nworkloads = \"count:n=1M\"\n";

Spec parsed(const std::string& toml) {
  const auto spec = parse_spec(toml, "test.toml");
  EXPECT_TRUE(spec) << spec.error().message;
  return spec.value_or(Spec());
}

Error refused(const std::string& toml) {
  const auto spec = parse_spec(toml, "test.toml");
  if (spec) {
    ADD_FAILURE() << "not refused: " << toml.substr(0, 200);
    return {};
  }
  EXPECT_EQ(spec.error().message.find('\n'), std::string::npos) << spec.error().message;
  EXPECT_NE(spec.error().message.find("test.toml"), std::string::npos) << spec.error().message;
  return spec.error();
}

void expect_says(const std::string& toml, const std::string& words, Exit code = Exit::error) {
  const Error error = refused(toml);
  EXPECT_NE(error.message.find(words), std::string::npos) << error.message;
  EXPECT_EQ(error.code, code);
}

TEST(Spec, TakesEveryKey) {
  const Spec spec = parsed(R"(
    name = "everything"
    policies = ["check-interval:100", "switch-interval:5ms"]
    workloads = ["count:n=5M"]
    arrangements = ["threaded"]
    threads = [1, 4096]
    cpus = [1, "all", "cpu:0,2-3"]
    cpus_by = "hotplug"
    cpu_order = "siblings-first"
    blocks = 12
    warmup = 0
    seed = 42
    trace = "counters"
    untraced = false
    perf = true
    main_exit = "kill"
  )");
  Spec expected;
  expected.name = "everything";
  expected.policies = {"check-interval:100", "switch-interval:5ms"};
  expected.workloads = {"count:n=5M"};
  expected.arrangements = {"threaded"};
  expected.cpus_by = "hotplug";
  expected.cpu_order = "siblings-first";
  expected.threads = {1, 4096};
  expected.cpus = {"1", "all", "cpu:0,2-3"};
  expected.blocks = 12;
  expected.warmup = 0;
  expected.seed = 42;
  expected.trace = "counters";
  expected.untraced = false;
  expected.perf = true;
  expected.main_exit = "kill";
  EXPECT_EQ(spec, expected);
}

TEST(Spec, NeedsOnlyPoliciesAndWorkloads) {
  const Spec spec = parsed(kGood);
  EXPECT_EQ(spec.arrangements, std::vector<std::string>({"sequential", "threaded"}));
  EXPECT_EQ(spec.threads, std::vector{ThreadCount{2}});
  EXPECT_EQ(spec.cpus, std::vector<std::string>({"all"}));
  EXPECT_FALSE(spec.seed);
  EXPECT_EQ(spec.trace, "full");
}

TEST(Spec, TakesOneValueForAList) {
  const Spec spec = parsed(kGood + "threads = 8\ncpus = 2\narrangements = \"sequential\"\n");
  EXPECT_EQ(spec.threads, std::vector{ThreadCount{8}});
  EXPECT_EQ(spec.cpus, std::vector<std::string>({"2"}));
  EXPECT_EQ(spec.arrangements, std::vector<std::string>({"sequential"}));
}

TEST(Spec, NamesTheNearestKey) {
  const Error error = refused("# one\n# two\npolcies = \"none\"\nworkloads = \"count\"\n");
  EXPECT_EQ(error.message, "unknown key 'polcies' in test.toml line 3: did you mean 'policies'?");
}

TEST(Spec, ListsTheKeysWhereNoneIsNear) {
  expect_says(kGood + "colour = 1\n", "unknown key 'colour' in test.toml line 3: there are name,");
  expect_says(kGood + "[threads_and_more]\nx = 1\n", "unknown key 'threads_and_more'");
}

TEST(Spec, SaysWhereItIsNoToml) {
  const Error error = refused("policies = \"none\"\nworkloads = count\n");
  EXPECT_NE(error.message.find("test.toml line 2 column "), std::string::npos) << error.message;
  EXPECT_NE(error.message.find("not TOML"), std::string::npos) << error.message;
}

TEST(Spec, SaysWhatIsOfTheWrongType) {
  expect_says("policies = 5\nworkloads = \"count\"\n",
              "policies in test.toml line 1: a string is wanted, this is an integer");
  expect_says("policies = [\"none\",\n 5]\nworkloads = \"count\"\n",
              "policies in test.toml line 2: a string is wanted, this is an integer");
  expect_says(kGood + "threads = \"two\"\n", "threads in test.toml line 3: 'two' is no number");
  expect_says(kGood + "threads = 2.0\n", "this is a number with a point");
  expect_says(kGood + "threads = [[2]]\n", "this is a list");
  expect_says(kGood + "untraced = 1\n", "true or false is wanted");
  expect_says(kGood + "cpus = true\n", "a count or a string is wanted");
  expect_says(kGood + "blocks = [8]\n", "blocks in test.toml line 3: an integer is wanted");
  expect_says(kGood + "name = 2026-01-01\n", "this is a date or time");
  expect_says(kGood + "[trace]\nfull = true\n", "this is a table");
}

TEST(Spec, RefusesEmptyAndMissingLists) {
  for (const char* key : {"arrangements", "threads", "cpus"}) {
    expect_says(kGood + key + " = []\n", "the list is empty");
  }
  expect_says("policies = []\nworkloads = \"count\"\n", "policies in test.toml line 1");
  expect_says("workloads = \"count\"\n", "no policies: give at least one");
  expect_says("policies = \"none\"\n", "no workloads: give at least one");
  expect_says("", "no policies");
}

TEST(Spec, RefusesTheSameTwice) {
  expect_says(kGood + "threads = [2, 4, 2]\n", "threads: 2 is there twice");
  expect_says(kGood + "cpus = [1, \"1\"]\n", "cpus: '1' is there twice");
  expect_says(kGood + "arrangements = [\"threaded\", \"threaded\"]\n", "is there twice");
  expect_says("policies = [\"none\", \"none\"]\nworkloads = \"count\"\n", "policies: 'none'");
  expect_says("policies = \"none\"\nworkloads = [\"count:n=1M\", \"count:n=1000k\"]\n",
              "'count:n=1000k' is there twice, as 'count:n=1M'");
  expect_says(kGood + "blocks = 1\nblocks = 2\n", "not TOML");
}

TEST(Spec, RefusesNumbersOutOfRange) {
  expect_says(kGood + "threads = 0\n", "threads: 0 is out of range: give 1 to 4096");
  expect_says(kGood + "threads = -1\n", "threads: -1");
  expect_says(kGood + "threads = 100000\n", "threads: 100000 is out of range");
  expect_says(kGood + "threads = 99999999999\n", "99999999999 is out of range");
  expect_says(kGood + "threads = 99999999999999999999\n", "not TOML");
  expect_says(kGood + "blocks = 0\n", "blocks: 0 is out of range");
  expect_says(kGood + "blocks = 10001\n", "blocks: 10001");
  expect_says(kGood + "warmup = -1\n", "warmup: -1");
  expect_says(kGood + "seed = -1\n", "seed in test.toml line 3");
  expect_says(kGood + "seed = \"18446744073709551616\"\n", "seed in test.toml line 3");
  expect_says(kGood + "seed = \"\"\n", "seed");
  expect_says(kGood + "cpus = 0\n", "cpus: '0' is not a choice of CPUs");
  expect_says(kGood + "cpus = \"cpu:3-1\"\n", "cpus: '3-1' is not a list of CPUs");
}

TEST(Spec, RefusesUnknownWordsAndNamesTheNearest) {
  expect_says(kGood + "arrangements = \"threadde\"\n", "did you mean 'threaded'?");
  expect_says(kGood + "trace = \"fulll\"\n", "trace: 'fulll' is unknown (did you mean 'full'?)");
  expect_says(kGood + "trace = \"everything\"\n", "choose from full, counters, off");
  expect_says(kGood + "main_exit = \"explode\"\n", "choose from join, kill");
  expect_says(kGood + "cpus_by = \"afinity\"\n", "did you mean 'affinity'?");
  expect_says(kGood + "cpus_by = \"isolated\"\n", "choose from affinity, cpuset, hotplug");
  expect_says(kGood + "cpu_order = \"cores\"\n", "choose from cores-first, siblings-first");
  expect_says("policies = \"no-such-thing\"\nworkloads = \"count\"\n", "no-such-thing");
  expect_says("policies = \"none\"\nworkloads = \"no-such-thing\"\n", "no-such-thing");
  expect_says("policies = \"\"\nworkloads = \"count\"\n", "policies in test.toml line 1: ");
}

// A script fills in "$NAME", but the variable was not set.
TEST(Spec, RefusesABlankStringOfEachKey) {
  for (const std::string blank : {"", " ", "\\t", "\u00a0"}) {
    for (const char* key : {"name", "arrangements", "threads", "cpus", "cpus_by", "cpu_order",
                            "seed", "trace", "main_exit", "claim", "metrics"}) {
      expect_says(fmt::format("{}{} = \"{}\"\n", kGood, key, blank), key);
    }
    expect_says(fmt::format("{}arrangements = [\"threaded\", \"{}\"]\n", kGood, blank),
                "arrangements in test.toml line 3");
    expect_says(fmt::format("policies = \"{}\"\nworkloads = \"count\"\n", blank),
                "policies in test.toml line 1");
    expect_says(fmt::format("policies = \"none\"\nworkloads = [\"count\", \"{}\"]\n", blank),
                "workloads in test.toml line 2");
  }
  expect_says(kGood + "name = \"\"\n",
              "name in test.toml line 3: a string is wanted, this is a blank one");
}

TEST(Spec, RefusesSecondsThatBoundNothing) {
  const std::string counting = "policies = \"none\"\nworkloads = \"count:n=100M,seconds=60ms\"\n";
  expect_says(counting, "seconds in 'count:n=100M,seconds=60ms' is how long main lives");
  expect_says(counting + "main_exit = \"join\"\n", "bounds nothing with \"join\"");
  EXPECT_TRUE(parse_spec(counting + "main_exit = \"kill\"\n", "test.toml"));
  EXPECT_TRUE(parse_spec("policies = \"none\"\nworkloads = \"mixed:seconds=1\"\n", "test.toml"));
}

TEST(Spec, CountsInDecimal) {
  const auto spec = parse_spec(
      kGood + "threads = [\"010\", \"02x\"]\ncpus = \"010\"\nseed = \"017\"\n", "test.toml");
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->threads[0].count, 10);
  EXPECT_EQ(spec->threads[1].text(), "2x");
  EXPECT_EQ(spec->cpus, std::vector<std::string>({"10"}));
  EXPECT_EQ(spec->seed, 17u);
  expect_says(kGood + "cpus = [\"010\", \"10\"]\n", "cpus: '10' is there twice");
}

TEST(Spec, RefusesNamesThatCouldBeMore) {
  expect_says(kGood + "name = \"../../etc/passwd\"\n", "name: ");
  expect_says(kGood + "name = \"a b\"\n", "name: ");
  expect_says(kGood + "name = \"\\u001b[2J\"\n", "\\x1b[2J");
  expect_says(kGood + "name = \"" + std::string(65, 'a') + "\"\n", "name: ");
}

TEST(Spec, RefusesAMatrixThatWouldNeverEnd) {
  std::string threads = "threads = [1";
  for (int count = 2; count <= 4096; ++count) threads += ", " + std::to_string(count);
  threads += "]\n";
  expect_says(kGood + threads + "blocks = 10000\n", "1000000 is the limit");
}

TEST(Spec, SurvivesTextThatIsNoSpecAtAll) {
  std::string dotted = "a", nested = "policies = ";
  for (int i = 0; i < 100000; ++i) dotted += ".a";
  for (int i = 0; i < 300; ++i) nested += "[\n{a" + dotted.substr(1, 300) + " = ";
  for (const std::string& text : {std::string(1000, '\0'),
                                  std::string("\xff\xfe\x00p", 4),
                                  std::string(100000, '['),
                                  std::string(100000, '='),
                                  "a = " + std::string(50000, '['),
                                  std::string("\x7f"
                                              "ELF\x02"),
                                  std::string("{\"policies\": [\"none\"]}"),
                                  std::string("policies = \"\\q\""),
                                  std::string("policies = \"\x1b[2J"),
                                  "a" + std::string(100000, '.') + "b = 1",
                                  std::string("[=]"),
                                  std::string("[ = ]"),
                                  std::string("[.a]"),
                                  std::string("[["),
                                  std::string("a = {=1}"),
                                  std::string("\""),
                                  std::string("policies"),
                                  std::string("\r"),
                                  dotted + " = 1",
                                  "[" + dotted + "]",
                                  nested}) {
    refused(text);
  }
}

TEST(Spec, KeepsItsOriginPrintable) {
  const auto spec = parse_spec("x", "bad\x1b[2J\nname");
  ASSERT_FALSE(spec);
  EXPECT_EQ(spec.error().message.find('\x1b'), std::string::npos);
  EXPECT_EQ(spec.error().message.find('\n'), std::string::npos);
}

TEST(Spec, WrittenAsTomlIsTheSameSpec) {
  Spec spec = parsed(kGood + "threads = [1, 2]\ncpus = [1, \"cpu:0-1\"]\nuntraced = false\n");
  EXPECT_EQ(parsed(to_toml(spec)), spec);
  EXPECT_EQ(to_toml(spec).find("seed"), std::string::npos);
  for (const uint64_t seed : {uint64_t{0}, uint64_t{1} << 63, ~uint64_t{0}}) {
    spec.seed = seed;
    EXPECT_EQ(parsed(to_toml(spec)), spec);
  }
}

TEST(Spec, TakesDisturbanceLimits) {
  EXPECT_EQ(parsed(kGood).limits, DisturbanceLimits());
  const Spec spec = parsed(kGood + R"(
    [gates]
    steal = 0.5
    foreign = false
    throttled = 3
    offline = "off"
    sched_ext = true
    migrated_off_mask = 1.0
  )");
  DisturbanceLimits expected;
  expected.steal = 0.5;
  expected.foreign.reset();
  expected.throttled = 3;
  expected.offline.reset();
  expected.migrated_off_mask = 1;
  EXPECT_EQ(spec.limits, expected);
  EXPECT_EQ(parsed(kGood + "gates = {steal = 1}\n").limits.steal, 1);
  EXPECT_EQ(parsed(kGood + "gates.steal = 0\n").limits.steal, 0);
}

TEST(Spec, WritesTheDisturbanceLimitsThatAreNotTheDefaults) {
  Spec spec = parsed(kGood);
  EXPECT_EQ(to_toml(spec).find("gates"),
            std::string::npos);  // as before there were disturbance limits
  EXPECT_EQ(to_toml(spec).find("perf"), std::string::npos);
  spec.perf = true;
  EXPECT_NE(to_toml(spec).find("\nperf = true\n"), std::string::npos);
  EXPECT_EQ(parsed(to_toml(spec)), spec);
  spec.limits.steal = 0.125;
  spec.limits.foreign.reset();
  spec.limits.throttled = 1000000;
  const std::string text = to_toml(spec);
  EXPECT_TRUE(text.ends_with("\n[gates]\nsteal = 0.125\nforeign = false\nthrottled = 1000000\n"))
      << text;
  EXPECT_EQ(parsed(text), spec);
  for (const DisturbanceRule& rule : disturbance_rules()) spec.limits.*rule.limit = rule.highest;
  EXPECT_EQ(parsed(to_toml(spec)), spec);
}

TEST(Spec, RefusesDisturbanceLimitsThatAreNone) {
  expect_says(kGood + "[gates]\nstael = 0.1\n",
              "unknown limit 'stael' in test.toml line 4: did you mean 'steal'?");
  expect_says(kGood + "[gates]\nfrobnicate = 0.1\n", "there are steal, foreign,");
  expect_says(kGood + "gates = 5\n", "gates in test.toml line 3: a table is wanted");
  expect_says(kGood + "[gates]\nsteal = \"a lot\"\n", "gates.steal in test.toml line 4: a limit");
  expect_says(kGood + "[gates]\nsteal = [0.1]\n", "this is a list");
  expect_says(kGood + "[gates]\nsteal = 1.5\n",
              "gates.steal: 1.5 is out of range: 0 to 1 can be had, or false for none");
  expect_says(kGood + "[gates]\nforeign = -0.1\n", "gates.foreign: -0.1 is out of range");
  expect_says(kGood + "[gates]\nforeign = nan\n", "gates.foreign: nan is out of range");
  expect_says(kGood + "[gates]\nthrottled = inf\n", "gates.throttled: inf is out of range");
  expect_says(kGood + "[gates]\nthrottled = 0.5\n", "gates.throttled: 0.5 is no count");
  expect_says(kGood + "[gates.steal]\nx = 1\n", "this is a table");
}

TEST(Spec, MadeByHandIsChecked) {
  Spec spec;
  EXPECT_FALSE(checked(spec));
  spec.policies = {"none"};
  spec.workloads = {"count:n=1000k"};
  const auto good = checked(spec);
  ASSERT_TRUE(good) << good.error().message;
  EXPECT_EQ(good->workloads, std::vector<std::string>({"count:n=1M"}));
  EXPECT_EQ(checked(*good).value(), *good);
  spec.threads = {0};
  EXPECT_FALSE(checked(spec));
}

TEST(Spec, TakesThreadsByTheCpu) {
  const Spec spec =
      parsed(kGood + "threads = [1, \"2x\"]\ncpus = \"1..all\"\nclaim = \"slower\"\n");
  ASSERT_EQ(spec.threads.size(), 2u);
  EXPECT_EQ(spec.threads[1].on(4), 8);
  EXPECT_EQ(spec.threads[0].on(4), 1);
  EXPECT_EQ(parsed(to_toml(spec)), spec);
  expect_says(kGood + "threads = \"0x\"\n", "0 is out of range: give 1 to 4096");
  expect_says(kGood + "threads = [\"2x\", \"2x\"]\n", "threads: 2x is there twice");
  expect_says(kGood + "threads = \"0\"\n", "0 is out of range: give 1 to 4096");
  expect_says(kGood + "threads = \"-2x\"\n", "-2 is out of range: give 1 to 4096");
  expect_says(kGood + "threads = \"x\"\n", "no number of threads");
  expect_says(kGood + "cpus = \"2..1\"\n", "not a choice of CPUs");
  expect_says(kGood + "metrics = [\"wall_n\"]\n", "did you mean 'wall_ns'?");
  expect_says(kGood + "metrics = [\"wall_ns\", \"wall_ns\"]\n", "metrics: wall_ns is there twice");
  expect_says(kGood + "metrics = []\n", "the list is empty");
  expect_says(kGood + "claim = \"quicker\"\n", "claim: 'quicker' is unknown");
}

TEST(Spec, RefusesSequentialRunsOfASetTimeAlone) {
  expect_says("policies = \"none\"\nworkloads = \"echo\"\narrangements = \"sequential\"\n",
              "has no sequential arrangement");
}

TEST(Builtin, EachOneIsASpecOfItsOwnName) {
  ASSERT_FALSE(builtin_specs().empty());
  for (const Builtin& builtin : builtin_specs()) {
    const auto text = load_spec_text(builtin.name);
    ASSERT_TRUE(text) << text.error().message;
    EXPECT_EQ(text->first, builtin.toml);
    EXPECT_EQ(text->second, "built-in " + builtin.name);
    const auto spec = parse_spec(text->first, text->second);
    ASSERT_TRUE(spec) << spec.error().message;
    EXPECT_EQ(spec->name, builtin.name);
    EXPECT_FALSE(builtin.summary.empty());
    EXPECT_EQ(builtin.summary.find('\n'), std::string::npos);
  }
}

TEST(Builtin, AreListedByTheirPlaces) {
  std::vector<std::string> names;
  for (const Builtin& builtin : builtin_specs()) names.push_back(builtin.name);
  EXPECT_EQ(names,
            std::vector<std::string>({"demo", "seed-count", "cpu-scaling", "convoy", "ccbench",
                                      "policies", "interval-sweep", "kernels", "originals"}));
}

TEST(Builtin, SayInTheirFirstLinesWhatTheyAre) {
  const std::string toml = "# summary: one: two\n# place: 3\nname = \"x\"\n# place: 4\n# late: 1\n";
  EXPECT_EQ(spec_header(toml, "summary"), "one: two");
  EXPECT_EQ(spec_header(toml, "place"), "3");
  EXPECT_EQ(spec_header(toml, "late"), "");
  EXPECT_EQ(spec_header("# place: 5", "place"), "5");
  EXPECT_EQ(spec_header("", "place"), "");
}

TEST(Builtin, OnEveryPolicyHaveThemAll) {
  std::vector<std::string> all;
  for (const PolicyDescriptor& policy : policies()) {
    for (const std::string& form : policy.forms()) all.push_back(form);
  }
  for (const char* name : {"policies", "cpu-scaling"}) {
    EXPECT_EQ(parsed(load_spec_text(name)->first).policies, all) << name << ": run make generated";
  }
}

TEST(Builtin, DemoShowsTheSeedsQuestion) {
  const auto text = load_spec_text("demo");
  ASSERT_TRUE(text);
  const Spec demo = parsed(text->first);
  EXPECT_EQ(demo.policies,
            std::vector<std::string>({"check-interval:100", "switch-interval:5ms", "none"}));
  EXPECT_EQ(demo.cpus, std::vector<std::string>({"1", "all"}));
  EXPECT_EQ(demo.arrangements, std::vector<std::string>({"sequential", "threaded"}));
  EXPECT_GE(demo.blocks, 6);  // fewer blocks decide nothing
}

TEST(Builtin, UnknownNamesAreToldWhatThereIs) {
  const auto text = load_spec_text("dmeo");
  ASSERT_FALSE(text);
  EXPECT_NE(text.error().message.find("did you mean 'demo'?"), std::string::npos);
  EXPECT_EQ(text.error().code, Exit::error);
  EXPECT_FALSE(load_spec_text(""));
}

TEST(SpecFile, IsRead) {
  const TemporaryDirectory directory;
  directory.write("my.toml", kGood);
  const auto text = load_spec_text(directory / "my.toml");
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(text->first, kGood);
  EXPECT_EQ(text->second, directory / "my.toml");
}

TEST(SpecFile, ThatIsNoneIsRefusedWithoutHanging) {
  const TemporaryDirectory directory;
  directory.write("my.toml", kGood);
  std::filesystem::create_symlink(directory / "my.toml", directory / "link.toml");
  std::filesystem::create_directory(directory / "directory.toml");
  ASSERT_EQ(::mkfifo((directory / "fifo.toml").c_str(), 0600), 0);
  directory.write("large.toml", std::string((1 << 20) + 1, '#'));
  directory.write("limit.toml", std::string(1 << 20, '#'));

  const auto message = [&](const char* name) {
    const auto text = load_spec_text(directory / name);
    EXPECT_FALSE(text) << name;
    return text ? "" : text.error().message;
  };
  EXPECT_NE(message("link.toml").find("symbolic link"), std::string::npos);
  EXPECT_NE(message("directory.toml").find("not a regular file"), std::string::npos);
  EXPECT_NE(message("fifo.toml").find("not a regular file"), std::string::npos);
  EXPECT_NE(message("large.toml").find("1 MiB"), std::string::npos);
  EXPECT_NE(message("missing.toml").find("No such file"), std::string::npos);
  EXPECT_TRUE(load_spec_text(directory / "limit.toml"));
  EXPECT_FALSE(load_spec_text("/dev/zero"));
  EXPECT_FALSE(load_spec_text("/dev/null"));
  EXPECT_FALSE(load_spec_text(std::string(100000, '/') + ".toml"));
}

}  // namespace
}  // namespace gilscope
