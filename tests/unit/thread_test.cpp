// Threads behave like those of Python's threading module.
#include "userspace/threading/thread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "userspace/experiment/run/start_barrier.h"

namespace gilscope::threading {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// A thread that runs until it is released. It shares ownership of its disturbance limits, so it may
// outlive the test's object.
struct Running {
  struct Barriers {
    StartBarrier begun, go, done;
    std::atomic<pid_t> tid{0};
  };

  explicit Running(std::string name = "", std::optional<bool> daemon = std::nullopt)
      : thread(
            [barriers = barriers] {
              barriers->tid = gettid();
              barriers->begun.open();
              barriers->go.wait();
              barriers->done.open();
            },
            std::move(name), daemon) {
    EXPECT_TRUE(thread.start());
    barriers->begun.wait();
  }
  ~Running() { let_go(); }

  void let_go() {
    barriers->go.open();
    barriers->done.wait();
  }

  std::shared_ptr<Barriers> barriers = std::make_shared<Barriers>();
  Thread thread;
};

// The kernel's name for a thread of this process.
std::string comm_of(pid_t tid) {
  std::ifstream file("/proc/self/task/" + std::to_string(tid) + "/comm");
  std::string name;
  std::getline(file, name);
  return name;
}

std::string error_of(const Status& status) {
  return status ? "no error" : status.error().message;
}

// --- names --------------------------------------------------------------------------------------

int number_in(const std::string& name) {
  EXPECT_TRUE(name.starts_with("Thread-")) << name;
  return std::stoi(name.substr(7));
}

TEST(ThreadName, IsGeneratedCountingUp) {
  const int first = number_in(Thread([] {}).name());
  EXPECT_GE(first, 1);
  EXPECT_EQ(number_in(Thread([] {}).name()), first + 1);
  EXPECT_EQ(Thread([] {}, "given").name(), "given");
  EXPECT_EQ(number_in(Thread([] {}).name()), first + 2) << "a given name uses up no number";
}

TEST(ThreadName, MayBeChangedAtAnyTime) {
  std::string seen_inside;
  StartBarrier begun, go;
  Thread thread([&] {
    begun.open();
    go.wait();
    seen_inside = current_thread_name();
  });
  thread.set_name("before");
  EXPECT_EQ(thread.name(), "before");
  ASSERT_TRUE(thread.start());
  begun.wait();
  EXPECT_EQ(thread.name(), "before");
  thread.set_name("while");
  EXPECT_EQ(thread.name(), "while");
  go.open();
  ASSERT_TRUE(thread.join());
  EXPECT_EQ(seen_inside, "while");
  thread.set_name("after");
  EXPECT_EQ(thread.name(), "after");
}

TEST(ThreadName, IsGivenToTheKernel) {
  const std::string own = comm_of(gettid());
  Running running("worker");
  EXPECT_EQ(comm_of(running.barriers->tid), "worker");
  running.thread.set_name("renamed");
  EXPECT_EQ(comm_of(running.barriers->tid), "renamed");
  EXPECT_EQ(comm_of(gettid()), own) << "the renaming thread took the name itself";
}

TEST(ThreadName, IsCutToWhatTheKernelKeeps) {
  const std::string name = "0123456789abcdefghij";
  Running running(name);
  EXPECT_EQ(running.thread.name(), name);
  EXPECT_EQ(comm_of(running.barriers->tid), name.substr(0, 15));
  for (const size_t length : {14, 15, 16}) {
    running.thread.set_name(name.substr(0, length));
    EXPECT_EQ(comm_of(running.barriers->tid), name.substr(0, std::min<size_t>(length, 15)));
  }
}

TEST(ThreadName, IsTheKernelsFromTheFirstInstruction) {
  std::string inside;
  Thread thread([&] { inside = comm_of(gettid()); }, "early");
  ASSERT_TRUE(thread.start());
  ASSERT_TRUE(thread.join());
  EXPECT_EQ(inside, "early");
}

TEST(ThreadName, OfMainIsMainThread) {
  EXPECT_EQ(current_thread_name(), "MainThread");
}

TEST(ThreadName, MayBeReadAndChangedFromSeveralThreads) {
  std::atomic<bool> stop = false;
  Thread thread([&] {
    while (!stop) EXPECT_FALSE(current_thread_name().empty());
  });
  ASSERT_TRUE(thread.start());
  for (int i = 0; i < 1000; ++i) thread.set_name("name-" + std::to_string(i));
  stop = true;
  ASSERT_TRUE(thread.join());
  EXPECT_EQ(thread.name(), "name-999");
}

// --- starting, living, joining ------------------------------------------------------------------

TEST(ThreadLife, IsAliveFromStartToEnd) {
  StartBarrier go;
  bool ran = false;  // join() makes it visible here
  Thread thread([&] {
    go.wait();
    ran = true;
  });
  EXPECT_FALSE(thread.is_alive());
  ASSERT_TRUE(thread.start());
  EXPECT_TRUE(thread.is_alive());
  go.open();
  ASSERT_TRUE(thread.join());
  EXPECT_FALSE(thread.is_alive());
  EXPECT_TRUE(ran);
}

TEST(ThreadLife, StartsOnce) {
  std::atomic<int> runs = 0;
  Thread thread([&] { ++runs; }, "twice");
  ASSERT_TRUE(thread.start());
  EXPECT_THAT(error_of(thread.start()), AllOf(HasSubstr("twice"), HasSubstr("once")));
  ASSERT_TRUE(thread.join());
  EXPECT_FALSE(thread.start());
  EXPECT_EQ(runs, 1);
}

TEST(ThreadJoin, IsAnErrorBeforeStart) {
  Thread thread([] {}, "early");
  EXPECT_THAT(error_of(thread.join()), AllOf(HasSubstr("early"), HasSubstr("before")));
  EXPECT_FALSE(thread.join_for(std::chrono::nanoseconds(0)));
}

TEST(ThreadJoin, IsAnErrorForTheThreadItself) {
  std::string message, message_with_timeout;
  std::unique_ptr<Thread> thread;
  StartBarrier made;
  thread = std::make_unique<Thread>([&] {
    made.wait();
    message = error_of(thread->join());
    message_with_timeout = error_of(thread->join_for(std::chrono::hours(1)));
  });
  ASSERT_TRUE(thread->start());
  made.open();
  ASSERT_TRUE(thread->join());
  EXPECT_THAT(message, HasSubstr("current thread"));
  EXPECT_THAT(message_with_timeout, HasSubstr("current thread"));
}

TEST(ThreadJoin, MayBeDoneAgainAndBySeveral) {
  Running running;
  std::atomic<int> joined = 0;
  std::vector<std::thread> others;
  for (int i = 0; i < 3; ++i) {
    others.emplace_back([&] { joined += running.thread.join().has_value(); });
  }
  running.let_go();
  for (std::thread& other : others) other.join();
  EXPECT_EQ(joined, 3);
  EXPECT_TRUE(running.thread.join());
  EXPECT_TRUE(running.thread.join());
}

TEST(ThreadJoin, GivesUpWhenItsTimeIsOver) {
  Running running;
  for (const auto timeout : {std::chrono::milliseconds(-5), std::chrono::milliseconds(0),
                             std::chrono::milliseconds(2)}) {
    EXPECT_TRUE(running.thread.join_for(timeout)) << "running out of time is no error";
    EXPECT_TRUE(running.thread.is_alive());
  }
  running.let_go();
  EXPECT_TRUE(running.thread.join_for(std::chrono::hours(1)));
  EXPECT_FALSE(running.thread.is_alive());
}

TEST(ThreadJoin, WaitsWithAnyTimeoutUntilTheEnd) {
  // The longest timeouts reach beyond the end of the clock.
  using std::chrono::nanoseconds;
  for (const nanoseconds timeout : {nanoseconds(std::chrono::hours(1)), nanoseconds::max() / 2,
                                    nanoseconds::max() - nanoseconds(1), nanoseconds::max()}) {
    Thread thread([] { std::this_thread::sleep_for(std::chrono::milliseconds(20)); });
    ASSERT_TRUE(thread.start());
    EXPECT_TRUE(thread.join_for(timeout));
    EXPECT_FALSE(thread.is_alive()) << timeout.count();
    ASSERT_TRUE(thread.join());
  }
}

TEST(ThreadLife, DoesNotDependOnTheObject) {
  auto barriers = std::make_shared<Running::Barriers>();
  std::string name;
  {
    Thread thread(
        [barriers, &name] {
          barriers->go.wait();
          name = current_thread_name();
          barriers->done.open();
        },
        "orphan");
    ASSERT_TRUE(thread.start());
  }
  barriers->go.open();
  barriers->done.wait();
  EXPECT_EQ(name, "orphan");
}

TEST(ThreadLife, GoesWithAMovedObject) {
  Running running("moved");
  Thread other = std::move(running.thread);
  EXPECT_EQ(other.name(), "moved");
  EXPECT_TRUE(other.is_alive());
  running.let_go();
  EXPECT_TRUE(other.join());
}

TEST(ThreadLife, MayBeManyAtOnce) {
  std::vector<std::unique_ptr<Running>> many;
  for (int i = 0; i < 200; ++i) many.push_back(std::make_unique<Running>());
  for (const auto& running : many) EXPECT_TRUE(running->thread.is_alive());
  for (const auto& running : many) running->let_go();
  for (const auto& running : many) EXPECT_TRUE(running->thread.join());
}

// --- daemons ------------------------------------------------------------------------------------

TEST(ThreadDaemon, IsSetBeforeStartAndNotAfter) {
  StartBarrier go;
  Thread thread([&] { go.wait(); }, "helper");
  EXPECT_FALSE(thread.daemon());
  ASSERT_TRUE(thread.set_daemon(true));
  EXPECT_TRUE(thread.daemon());
  ASSERT_TRUE(thread.set_daemon(false));
  ASSERT_TRUE(thread.start());
  EXPECT_THAT(error_of(thread.set_daemon(true)), AllOf(HasSubstr("helper"), HasSubstr("daemon")));
  EXPECT_FALSE(thread.daemon());
  go.open();
  ASSERT_TRUE(thread.join());
  EXPECT_FALSE(thread.set_daemon(true)) << "not even after it has ended";
}

TEST(ThreadDaemon, IsInheritedFromTheThreadThatCreates) {
  EXPECT_FALSE(current_thread_daemon());
  EXPECT_FALSE(Thread([] {}).daemon());
  EXPECT_TRUE(Thread([] {}, "", true).daemon());
  for (const bool daemon : {false, true}) {
    bool self = !daemon, child = !daemon, notified = false, not_notified = true;
    Thread parent(
        [&] {
          self = current_thread_daemon();
          child = Thread([] {}).daemon();
          notified = Thread([] {}, "", true).daemon();
          not_notified = Thread([] {}, "", false).daemon();
        },
        "", daemon);
    ASSERT_TRUE(parent.start());
    ASSERT_TRUE(parent.join());
    EXPECT_EQ(self, daemon);
    EXPECT_EQ(child, daemon);
    EXPECT_TRUE(notified);
    EXPECT_FALSE(not_notified);
  }
}

// --- the end of main ----------------------------------------------------------------------------

// Each of these tests runs in its own process, started anew rather than forked from one with
// threads. It reports events on standard error; if it waits for a thread that it should not wait
// for, an alarm ends it.
class EndOfMainDeathTest : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

  static void say(const char* what) {
    const std::string line = std::string("[") + what + "]";
    if (write(STDERR_FILENO, line.data(), line.size()) < 0) _exit(9);
  }
  static constexpr unsigned kAlarm = 120;  // seconds; only a failure takes that long
};

TEST_F(EndOfMainDeathTest, NamesStartAtOne) {
  EXPECT_EXIT(
      {
        say(Thread([] {}).name().c_str());
        _exit(0);
      },
      testing::ExitedWithCode(0), "\\[Thread-1\\]");
}

TEST_F(EndOfMainDeathTest, JoinsThreadsAndThoseThatTheyStartMeanwhile) {
  EXPECT_EXIT(
      {
        alarm(kAlarm);
        StartBarrier ending;
        Thread first([&] {
          ending.wait();
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
          Thread second([] {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            Thread third([] {
              std::this_thread::sleep_for(std::chrono::milliseconds(20));
              say("third");
            });
            if (!third.start()) _exit(8);
            say("second");
          });
          if (!second.start()) _exit(8);
          say("first");
        });
        if (!first.start()) _exit(8);
        ending.open();
        join_all_non_daemon_threads();
        say("main");
        _exit(0);
      },
      testing::ExitedWithCode(0),
      testing::ResultOf(
          [](const std::string& message) {
            // Each message comes before main's; their order among each other is arbitrary.
            const size_t end = message.find("[main]");
            return message.find("[first]") < end && message.find("[second]") < end &&
                   message.find("[third]") < end && end != message.npos;
          },
          true));
}

TEST_F(EndOfMainDeathTest, LeavesDaemonsToDieWithTheProcess) {
  EXPECT_EXIT(
      {
        alarm(kAlarm);
        StartBarrier never;
        StartBarrier begun;
        Thread daemon(
            [&] {
              Thread child([&] {  // a daemon by inheritance
                begun.open();
                never.wait();
              });
              if (!child.start()) _exit(8);
              never.wait();
              say("daemon ended");
            },
            "", true);
        Thread worker([] { say("worker"); });
        if (!daemon.start() || !worker.start()) _exit(8);
        begun.wait();
        join_all_non_daemon_threads();
        say(daemon.is_alive() ? "main, daemon alive" : "main, daemon dead");
        _exit(0);
      },
      testing::ExitedWithCode(0),
      AllOf(HasSubstr("[worker]"), HasSubstr("[main, daemon alive]"),
            Not(HasSubstr("daemon ended"))));
}

TEST_F(EndOfMainDeathTest, WaitsForThreadsWhoseObjectIsGone) {
  EXPECT_EXIT(
      {
        alarm(kAlarm);
        {
          Thread orphan([] {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            say("orphan");
          });
          if (!orphan.start()) _exit(8);
        }
        join_all_non_daemon_threads();
        say("main");
        _exit(0);
      },
      testing::ExitedWithCode(0), HasSubstr("[orphan][main]"));
}

TEST(EndOfMain, HasNothingToWaitForWhereAllHaveEnded) {
  Thread thread([] {});
  ASSERT_TRUE(thread.start());
  ASSERT_TRUE(thread.join());
  join_all_non_daemon_threads();
  join_all_non_daemon_threads();
}

}  // namespace
}  // namespace gilscope::threading
