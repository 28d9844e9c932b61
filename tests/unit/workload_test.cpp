// The spellings of workloads, which are a contract, and the behaviour of workloads.
#include "userspace/workload/workload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <set>
#include <thread>

#include "tests/unit/under_gil.h"
#include "userspace/base/time.h"

namespace gilscope {
namespace {

using testing::HasSubstr;

std::string canonical(const std::string& text) {
  auto result = canonical_workload(text);
  return result ? *result : "refused: " + result.error().message;
}

// An argument that is accepted without effect would name a second cell equal to the first.
TEST(Workloads, RefuseATaskForNoBackground) {
  for (const char* text :
       {"count:task=regex", "count:n=5,task=count", "echo:background=0,task=regex",
        "mixed:task=compress", "native:background=0,task=count"}) {
    const auto refused = canonical_workload(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_NE(refused.error().message.find("task= is what background threads compute"),
              std::string::npos)
        << refused.error().message;
  }
  EXPECT_EQ(canonical("count:background=1,n=5,task=regex"), "count:background=1,n=5,task=regex");
  EXPECT_EQ(canonical("throughput:task=regex"), "throughput:task=regex,n=100");
}

TEST(Workloads, HaveOneCanonicalForm) {
  EXPECT_EQ(canonical("count"), "count:n=20M");
  EXPECT_EQ(canonical("count:n=20000000"), "count:n=20M");
  EXPECT_EQ(canonical("count:n=1500"), "count:n=1500");
  EXPECT_EQ(canonical("count:n=1"), "count:n=1");
  EXPECT_EQ(canonical("count:n=9223372036854775807"), "count:n=9223372036854775807");
  EXPECT_EQ(canonical("count:seconds=2"), "count:n=20M,seconds=2s");
  EXPECT_EQ(canonical("count:seconds=0.5"), "count:n=20M,seconds=500ms");
  EXPECT_EQ(canonical("count:seconds=250ms,n=1k"), "count:n=1k,seconds=250ms");
  EXPECT_EQ(canonical("count:seconds=86400"), "count:n=20M,seconds=86400s");
}

TEST(Workloads, ReadTheirCanonicalFormAsItself) {
  for (const char* text : {"count:n=20M", "count:n=1500", "count:n=1k,seconds=1.5s"}) {
    EXPECT_EQ(canonical(text), text);
  }
}

TEST(Workloads, AllOfTheListCanBeMade) {
  std::set<std::string> names;
  for (const WorkloadDescriptor& workload : workloads()) {
    SCOPED_TRACE(workload.name);
    EXPECT_TRUE(names.insert(workload.name).second);
    EXPECT_EQ(find_workload(workload.brief), &workload);
    for (const std::string& text : {workload.name, workload.example(), workload.brief}) {
      auto made = make_workload(text);
      ASSERT_TRUE(made) << made.error().message;
      EXPECT_NE(*made, nullptr);
      EXPECT_EQ((*made)->takes_samples(), !workload.latency.empty());
      EXPECT_EQ((*made)->background().threads > 0, workload.background > 0);
    }
    EXPECT_EQ(canonical(workload.name), workload.example());
    EXPECT_EQ(canonical(workload.example()), workload.example());
  }
}

TEST(Workloads, DescribeThemselves) {
  for (const WorkloadDescriptor& workload : workloads()) {
    SCOPED_TRACE(workload.name);
    for (const std::string& text : {workload.summary, workload.operation.done,
                                    workload.operation.noun, workload.operation.one}) {
      EXPECT_FALSE(text.empty());
      EXPECT_EQ(text.find_first_of("\n|"), std::string::npos) << text << " is no cell of a table";
    }
    EXPECT_EQ(workload.ends == WorkloadDescriptor::Ends::by_time,
              lasts_a_set_time(workload.example()));
  }
  EXPECT_FALSE(lasts_a_set_time("mixed"));
  EXPECT_TRUE(lasts_a_set_time("mixed:seconds=1"));
  EXPECT_FALSE(lasts_a_set_time("no such workload"));
}

TEST(Workloads, TakeWhatTheyAreBoundedBy) {
  for (const WorkloadDescriptor& workload : workloads()) {
    const auto made = make_workload(workload.brief);
    ASSERT_TRUE(made) << made.error().message;
    // Plans go by one or the other.
    EXPECT_EQ((*made)->work("none").has_value(), !lasts_a_set_time(workload.brief))
        << workload.brief;
    EXPECT_EQ((*made)->bound_ns().has_value(), lasts_a_set_time(workload.brief)) << workload.brief;
  }
}

TEST(Workloads, NameTheOneThatWasMeant) {
  EXPECT_THAT(canonical("cuont:n=5"), HasSubstr("did you mean 'count'?"));
  EXPECT_THAT(canonical("sleep"),
              testing::AllOf(HasSubstr("'sleep'"), testing::Not(HasSubstr("did you mean"))));
  EXPECT_THAT(canonical("count:m=5"), testing::AllOf(HasSubstr("'m'"), HasSubstr("n=COUNT")));
  EXPECT_THAT(canonical("count:n=0"), HasSubstr("n=0"));
}

class BadWorkload : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(
    Workloads, BadWorkload,
    testing::Values("", ":", "Count", "counts:n=1:", "unknown", "count:", "count:5", "count:n",
                    "count:n=", "count:n=0", "count:n=-1", "count:n=1.5", "count:n=ten",
                    "count:n=5ms", "count:n=9223372036854775808", "count:n=18446744073709551616",
                    "count:n=10G0", "count:n=5,n=5", "count:N=5", "count:n=5,seconds=0",
                    "count:n=5,seconds=0ms", "count:n=5,seconds=-1", "count:n=5,seconds=86401",
                    "count:n=5,seconds=25h", "count:n=5,seconds=forever",
                    // "2m" is refused: it could mean minutes or milliseconds.
                    "count:seconds=2m", "count:seconds=2n", "count:seconds=2u", "count:n=5\n",
                    "\x1b[2Jcount", "count\xff", std::string("count\0", 6),
                    std::string(100'000, 'c'), "count:n=" + std::string(900, '9'),
                    "count:" + std::string(900, 'n') + "=5"));

TEST_P(BadWorkload, IsRefusedInOneLine) {
  auto workload = make_workload(GetParam());
  ASSERT_FALSE(workload);
  auto text = canonical_workload(GetParam());
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, Exit::error);
  EXPECT_EQ(text.error().message, workload.error().message);
  EXPECT_FALSE(text.error().message.empty());
  for (const char c : text.error().message) {
    EXPECT_TRUE(c >= ' ' && c <= '~') << "a control character, or not ASCII";
  }
}

TEST(Workloads, AreOfTheirOwnNames) {
  for (const char* name : {"count", "mixed", "throughput", "latency", "bandwidth", "echo", "file",
                           "native", "convoy", "ping-pong", "yield"}) {
    EXPECT_TRUE(make_workload(name)) << name;
  }
  EXPECT_EQ(canonical("echo:seconds=2,background=1"), "echo:background=1,seconds=2s");
  EXPECT_EQ(canonical("echo:background=0,size=128"), "echo:background=0,seconds=2s,size=128");
  EXPECT_EQ(canonical("latency:task=regex"), "latency:background=1,seconds=2s,task=regex");
  EXPECT_EQ(canonical("count:n=1,background=2"), "count:background=2,n=1");
  EXPECT_EQ(canonical("throughput"), "throughput:task=pidigits,n=100");
}

INSTANTIATE_TEST_SUITE_P(OutOfRange, BadWorkload,
                         testing::Values("echo:port=65536", "echo:size=0", "echo:size=2M",
                                         "echo:background=1025", "echo:seconds=0",
                                         "latency:interval=1us", "latency:task=fft",
                                         "bandwidth:size=4", "bandwidth:window=0", "file:dir=tmp",
                                         "file:dir=/tmp/../etc", "file:dir=", "native:length=0ms",
                                         "convoy:burst=-1", "mixed:block=0", "throughput:n=0"));

// One thread that runs a workload alone.
struct Alone {
  explicit Alone(const std::string& policy) : gil(std::move(*make_gil(policy))) {
    gil->acquire(self.thread);
  }
  ~Alone() { gil->release(self.thread); }

  Status run(Workload& workload, SampleWriter samples = {}) {
    return workload.run({interpreter, 0, samples, operations});
  }

  std::unique_ptr<Gil> gil;
  UnderGil self;
  Interpreter interpreter{*gil, self.thread};
  uint64_t operations = 0;
};

TEST(Count, DoesAsManyOperationsAsItWasAskedFor) {
  Alone alone("check-interval:0");
  auto workload = make_workload("count:n=1234");
  ASSERT_TRUE(alone.run(**workload));
  EXPECT_EQ(alone.operations, 1234u);
  EXPECT_EQ(alone.self.slot.acquires, 2u + 3 * 1234 + 3)
      << "it did not count as often as it reports";
}

TEST(Throughput, DoesItsTaskNTimes) {
  for (const char* task : {"count", "pidigits", "regex", "compress"}) {
    Alone alone("switch-interval:5ms");
    auto workload = make_workload(fmt::format("throughput:task={},n=3", task));
    ASSERT_TRUE(alone.run(**workload));
    EXPECT_EQ(alone.operations, 3u) << task;
    // Only compression lets others have the GIL.
    EXPECT_EQ(alone.self.slot.acquires, std::string_view(task) == "compress" ? 1u + 3 : 1u) << task;
  }
}

TEST(Native, HoldsTheGilForItsLength) {
  Alone alone("switch-interval:5ms");
  auto workload = make_workload("native:n=3,length=2ms");
  const uint64_t start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
  ASSERT_TRUE(alone.run(**workload));
  EXPECT_GE(clock_ns(CLOCK_THREAD_CPUTIME_ID) - start, 6'000'000u);
  EXPECT_EQ(alone.operations, 3u);
  EXPECT_EQ(alone.self.slot.acquires, 1u);
}

TEST(Mixed, ComputesAndBlocksInTurn) {
  Alone alone("switch-interval:5ms");
  auto workload = make_workload("mixed:n=5,compute=10,block=1ms");
  const uint64_t start = monotonic_ns();
  ASSERT_TRUE(alone.run(**workload));
  EXPECT_GE(monotonic_ns() - start, 5'000'000u);
  EXPECT_EQ(alone.operations, 5u);
  EXPECT_EQ(alone.self.slot.acquires, 1u + 5) << "one for each call that blocked";
}

TEST(Mixed, EndsWhenItsTimeIsUp) {
  Alone alone("switch-interval:5ms");
  auto workload = make_workload("mixed:n=1G,compute=10,block=1ms,seconds=20ms");
  ASSERT_TRUE(alone.run(**workload));
  EXPECT_GT(alone.operations, 0u);
  EXPECT_LE(alone.operations, 20u);
}

TEST(File, WritesAndSyncsUntilItsTimeIsUp) {
  Alone alone("switch-interval:5ms");
  auto workload = make_workload("file:seconds=20ms,dir=/tmp");
  ASSERT_TRUE((*workload)->prepare(1));
  auto book = SampleBook::make(1, 100'000);
  ASSERT_TRUE(alone.run(**workload, book->writer(0)));
  EXPECT_GT(alone.operations, 0u);
  EXPECT_EQ(book->samples(0).size(), alone.operations);
  EXPECT_EQ(alone.self.slot.acquires, 1 + 2 * alone.operations);
}

TEST(File, SaysWhichDirectoryTakesNoFile) {
  auto status = (*make_workload("file:dir=/proc/none"))->prepare(1);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, testing::AllOf(HasSubstr("/proc/none"), HasSubstr("dir=")));
}

TEST(Convoy, ExchangesUntilItsTimeIsUp) {
  Alone alone("switch-interval:5ms");
  auto workload = make_workload("convoy:burst=10,seconds=20ms");
  ASSERT_TRUE((*workload)->prepare(1));
  auto book = SampleBook::make(1, 1'000'000);
  ASSERT_TRUE(alone.run(**workload, book->writer(0)));
  EXPECT_GT(alone.operations, 0u);
  EXPECT_EQ(book->samples(0).size(), alone.operations);
  EXPECT_EQ(alone.self.slot.acquires, 1 + 2 * alone.operations);
}

TEST(PingPong, GoesRoundUntilItsTimeIsUp) {
  auto workload = make_workload("ping-pong:seconds=20ms");
  for (const char* policy : {"switch-interval:5ms", "none"}) {
    ASSERT_TRUE((*workload)->prepare(3));
    (*workload)->begin();
    auto gil = std::move(*make_gil(policy));
    uint64_t operations[3] = {};
    std::vector<std::thread> ring;
    for (size_t i = 0; i < 3; ++i) {
      ring.emplace_back([&, i] {
        UnderGil self;
        gil->acquire(self.thread);
        Interpreter interpreter(*gil, self.thread);
        EXPECT_TRUE((*workload)->run({interpreter, i, {}, operations[i]}));
        gil->release(self.thread);
      });
    }
    for (std::thread& thread : ring) thread.join();
    // The token passes all of them, and ends once.
    EXPECT_GT(operations[2], 0u);
    for (uint64_t one : operations) EXPECT_LE(one - operations[2], 1u);
  }
}

TEST(Yield, LetsOthersRunUntilItsTimeIsUp) {
  auto workload = make_workload("yield:seconds=20ms");
  Alone alone("switch-interval:5ms");
  ASSERT_TRUE((*workload)->prepare(1));
  ASSERT_TRUE(alone.run(**workload));
  EXPECT_GT(alone.operations, 0u);
  // Each call releases the GIL, also the one that finds the time is up.
  EXPECT_EQ(alone.self.slot.acquires, 2 + alone.operations);
}

// A workload with a client, here a process forked by the test.
class WithClient : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Workloads, WithClient, testing::Values("echo", "latency", "bandwidth"));

TEST_P(WithClient, AnswersItsClient) {
  Alone alone("switch-interval:5ms");
  auto workload = make_workload(std::string(GetParam()) + ":background=0,seconds=30ms");
  ASSERT_TRUE((*workload)->has_client());
  ASSERT_TRUE((*workload)->prepare(1));
  auto book = SampleBook::make(1, 1'000'000);
  // The goodbyes of the datagram workloads only end with their process.
  const pid_t client = fork();
  if (client == 0) _exit((*workload)->converse(*book) ? 0 : 1);
  (*workload)->begin();
  ASSERT_TRUE(alone.run(**workload, book->writer(0)));
  kill(client, SIGKILL);
  waitpid(client, nullptr, 0);
  EXPECT_GT(alone.operations, 5u);
  if ((*workload)->takes_samples()) {
    EXPECT_NEAR(static_cast<double>(book->samples(0).size()), static_cast<double>(alone.operations),
                1);
    for (const Sample& sample : book->samples(0)) EXPECT_LT(sample.latency_ns, 10'000'000'000u);
  }
  std::map<std::string, double> results = {{"operations", static_cast<double>(alone.operations)},
                                           {"operations_per_s", 1000}};
  (*workload)->add_results(results);
  EXPECT_EQ(results["sent"], results["operations"]);
  EXPECT_EQ(results["unanswered"], 0);
}

TEST(WithClient, NamesAPortThatIsInUse) {
  for (const char* name : {"echo", "latency"}) {
    auto first = make_workload(std::string(name) + ":port=47113");
    ASSERT_TRUE((*first)->prepare(2));
    auto second = (*make_workload(std::string(name) + ":port=47114"))->prepare(1);
    if (std::string_view(name) == "echo") {
      EXPECT_TRUE(second) << "one listening socket serves all of its connections";
    } else {
      ASSERT_FALSE(second);
      EXPECT_THAT(second.error().message, testing::AllOf(HasSubstr("47114"), HasSubstr("in use")));
    }
  }
  auto beyond = (*make_workload("latency:port=65535"))->prepare(2);
  ASSERT_FALSE(beyond);
  EXPECT_THAT(beyond.error().message, HasSubstr("port=65535"));
}

TEST(Samples, CountWhatTheyHaveNoRoomFor) {
  auto book = SampleBook::make(2, 3);
  const SampleWriter writer = book->writer(1);
  for (uint64_t i = 0; i < 5; ++i) writer.add(i, i + 10);
  EXPECT_EQ(book->samples(0).size(), 0u);
  EXPECT_EQ(book->samples(1).size(), 3u);
  EXPECT_EQ(book->lost(), 2u);
  EXPECT_EQ(book->samples(1)[2].latency_ns, 10u);
}

TEST(Samples, AreNotKeptWhereThereIsNoBook) {
  const SampleBook none;
  none.writer(3).add(1, 2);
  EXPECT_EQ(none.writers(), 0u);
  EXPECT_EQ(none.lost(), 0u);
}

TEST(Count, SaysHowLongMainSleeps) {
  EXPECT_EQ((*make_workload("count:n=1"))->main_sleep_ns(), std::nullopt);
  EXPECT_EQ((*make_workload("count:n=1,seconds=2"))->main_sleep_ns(), 2'000'000'000u);
  EXPECT_EQ((*make_workload("count:n=1,seconds=500ms"))->main_sleep_ns(), 500'000'000u);
}

}  // namespace
}  // namespace gilscope
