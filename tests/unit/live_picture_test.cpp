// The pictures of `gilscope top`: rates, the room that a terminal has, and what is not known.
#include "tools/text/live_picture.h"

#include <gtest/gtest.h>

#include "tests/unit/live_run.h"
#include "tools/live/lock_watch.h"
#include "tools/text/table.h"
#include "userspace/live/budget.h"
#include "userspace/live/top_model.h"

namespace gilscope {
namespace {

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

Picture sample(size_t threads = 3, size_t cpus = 2) {
  Picture picture;
  picture.span_ns = 2'000'000'000;
  picture.running_ns = 12'000'000'000;
  picture.own_share = 0.0123;
  picture.command = "python3 app.py";
  Picture::Process process;
  process.pid = 42;
  process.subject = CellSubject{};
  process.subject->interpreter = "CPython";
  process.subject->version = "3.11.2";
  process.subject->gil = SubjectGil{};
  process.holder = Picture::Holder{{"worker-0", 100}, true, 3'100'000};
  process.counts.failed = 824;
  for (size_t i = 0; i < cpus; ++i) {
    process.cpus.push_back({static_cast<int>(i), {.on_cpu_ns = 1'000'000'000, .failed = 412}});
  }
  for (size_t i = 0; i < threads; ++i) {
    Picture::Thread thread;
    thread.name = {"worker-" + std::to_string(i), static_cast<uint32_t>(100 + i)};
    thread.being = i ? Picture::Being::waits : Picture::Being::holds;
    thread.waited_ns = i * 500'000'000;
    thread.counts.on_cpu_ns = (threads - i) * 1'000'000;
    process.threads.push_back(thread);
  }
  process.since = LockWatch::Since{};
  process.since->handoffs = 380;
  process.since->handoff.buckets = {{5'000'000, 5'100'000, 100}};
  process.since->handoff.max_ns = 5'050'000;
  process.since->pairs = {
      {{"worker-1", 101}, {"worker-0", 100}, 1'024'000'000, 0, 1'000'000'000, 24'000'000, 0}};
  picture.processes.push_back(process);
  return picture;
}

TEST(LivePicture, SaysWhoHoldsAndWhoWaitsForWhom) {
  const std::string text = joined(draw_picture(sample(), {}));
  for (const char* part :
       {"process 42 (CPython 3.11.2)", "python3 app.py", "held by worker-0 (100) for 3.10 ms",
        "waiting   2", "412/s failed", "p50 5.05 ms", "190/s",
        "worker-1 (101) waited 512 ms a second for\n          worker-0 (100): it ran 500 ms",
        "preempted 12.0 ms, asleep 0 ns", "own CPU time: 1.2 %"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  }
}

TEST(LivePicture, FitsTheTerminal) {
  for (const int width : {40, 60, 80, 132, 300}) {
    for (const int height : {12, 24, 60}) {
      const PictureLayout layout{.width = width, .height = height, .keys = true, .utf8 = true};
      const auto lines = draw_picture(sample(200, 64), layout);
      EXPECT_LE(lines.size(), static_cast<size_t>(height)) << width;
      for (const std::string& line : lines) {
        EXPECT_LE(columns(line), static_cast<size_t>(width)) << line;
      }
      EXPECT_EQ(lines.back(), "q quit  p pause  s sort  n next process");
    }
  }
  const std::string text = joined(draw_picture(sample(200, 64), {.width = 80, .height = 24}));
  EXPECT_NE(text.find(" more"), std::string::npos) << text;  // what was left out is said
}

TEST(LivePicture, SortsThreads) {
  const auto first = [](PictureLayout::Order order) {
    const auto lines = draw_picture(sample(), {.order = order});
    for (size_t i = 0; i < lines.size(); ++i) {
      if (lines[i].find("THREAD") != lines[i].npos) return lines[i + 1].substr(0, 8);
    }
    return std::string();
  };
  EXPECT_EQ(first(PictureLayout::Order::waited), "worker-2");
  EXPECT_EQ(first(PictureLayout::Order::on_cpu), "worker-0");
}

TEST(LivePicture, SaysWhySegmentsAreNotRead) {
  Picture picture = sample();
  picture.processes[0].since.reset();
  for (auto& thread : picture.processes[0].threads) thread.waited_ns.reset();
  picture.not_read = "reading 90000 switches a second would take more than 3 % of a CPU";
  const std::string text = joined(draw_picture(picture, {}));
  EXPECT_NE(text.find("hand-offs and pairs are not shown: reading 90000"), std::string::npos)
      << text;
  EXPECT_EQ(text.find("p50"), std::string::npos);
  EXPECT_EQ(text.find("0 ns"), std::string::npos) << text;  // unknown is not nothing
}

TEST(LivePicture, KeepsToWhatTheTerminalCanShow) {
  Picture picture = sample();
  picture.processes[0].threads[1].name.name =
      "f\xc3\xa4"
      "den";
  picture.processes[0].since.reset();
  EXPECT_NE(joined(draw_picture(picture, {.utf8 = true}))
                .find("f\xc3\xa4"
                      "den"),
            std::string::npos);
  const std::string plain = joined(draw_picture(picture, {.utf8 = false}));
  EXPECT_NE(plain.find("f?den"), std::string::npos);
  for (const char c : plain) EXPECT_TRUE(c == '\n' || (c >= ' ' && c <= '~'));
}

TEST(LivePicture, ShowsTheChosenProcess) {
  Picture picture = sample();
  picture.processes.push_back(picture.processes[0]);
  picture.processes[1].pid = 43;
  EXPECT_NE(joined(draw_picture(picture, {})).find("process 42"), std::string::npos);
  EXPECT_NE(joined(draw_picture(picture, {.process = 43})).find("process 43"), std::string::npos);
  EXPECT_EQ(joined(draw_picture({}, {})).find("process 0"), std::string::npos);
}

TEST(TopModel, CountsWhatCameSinceThePictureBefore) {
  TopModel model(make_lock_watch);
  gilscope_thread threads[2]{};
  gilscope_waiter waiters[2]{};
  LiveState state;
  threads[0].tid = kHolderTid;
  threads[1].tid = kWaiterTid;
  threads[0].entered_ns = threads[1].entered_ns = 1;
  threads[1].wakeups = 30;
  state.threads = {{0, 0, "holder", &threads[0], &waiters[0]},
                   {1, 0, "waiter", &threads[1], &waiters[1]}};
  LiveProcess process;
  process.subject = CellSubject{};
  process.cpus.resize(1);
  process.cpus[0].failed.contended = 5;
  process.cpus[0].segments = 100;
  state.processes = {process};
  state.ns = 1'000'000'000;
  model.segments(0, run_of_two(1'000'000));
  model.settled(2'000'000, state.threads);
  Picture picture = model.picture(state, 500'000'000);
  EXPECT_EQ(picture.span_ns, 500'000'000u);
  EXPECT_EQ(model.segments_per_s(), 200);
  ASSERT_EQ(picture.processes.size(), 1u);
  EXPECT_EQ(picture.processes[0].counts.failed, 5u);
  EXPECT_EQ(picture.processes[0].threads[1].counts.wakeups, 30u);
  EXPECT_EQ(picture.processes[0].threads[1].waited_ns, 3100u);

  threads[1].wakeups = 34;
  state.processes[0].cpus[0].failed.contended = 6;
  state.ns += 1'000'000'000;
  model.settled(3'000'000, state.threads);
  picture = model.picture(state, 500'000'000);
  EXPECT_EQ(picture.processes[0].counts.failed, 1u);
  EXPECT_EQ(picture.processes[0].threads[1].counts.wakeups, 4u);
  EXPECT_EQ(picture.processes[0].threads[1].waited_ns, 0u);

  // Another thread in the same place begins anew.
  threads[1] = {};
  threads[1].tid = 99;
  threads[1].entered_ns = 7;
  threads[1].wakeups = 3;
  picture = model.picture(state, 500'000'000);
  EXPECT_EQ(picture.processes[0].threads[1].counts.wakeups, 3u);

  model.read_segments(false);
  picture = model.picture(state, 500'000'000);
  EXPECT_FALSE(picture.processes[0].since);
  EXPECT_FALSE(picture.processes[0].threads[1].waited_ns);
}

TEST(LiveBudget, GivesUpOnlyWhereItStaysOverAndComesBackBelow) {
  Budget budget(0.03);
  EXPECT_TRUE(budget.reads(0.10, 50'000));  // one interval may be anything
  EXPECT_TRUE(budget.reads(0.01, 5'000));
  EXPECT_TRUE(budget.reads(0.06, 60'000));
  EXPECT_FALSE(budget.reads(0.06, 60'000));
  EXPECT_EQ(budget.gave_up_at(), 30'000);
  // Without reading it takes next to nothing, which says nothing about reading.
  EXPECT_FALSE(budget.reads(0.001, 60'000));
  EXPECT_FALSE(budget.reads(0.001, 25'000));
  EXPECT_FALSE(budget.reads(0.001, 20'000));
  EXPECT_TRUE(budget.reads(0.001, 20'000));
}

}  // namespace
}  // namespace gilscope
