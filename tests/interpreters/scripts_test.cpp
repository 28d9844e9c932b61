// The kit's scripts of workloads on real interpreters, held to their protocol
// (userspace/experiment/scripts/scripts.h): python3 of this machine always, and every interpreter
// with GILSCOPE_EVERY_PROGRAM.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "tests/interpreters/driven_script.h"
#include "userspace/base/time.h"
#include "userspace/subject/subject.h"

namespace gilscope {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;
using testing::StartsWith;

std::vector<Installed> with_scripts() {
  std::vector<Installed> list;
  const bool thorough = std::getenv("GILSCOPE_EVERY_PROGRAM") != nullptr;
  std::set<std::string> paths;
  for (const Installed& one : installed()) {
    if (!thorough && one.name != "python3") continue;
    if (paths.insert(one.path).second) list.push_back(one);
  }
  for (const char* path : {"/usr/bin/pypy3", "/usr/bin/ruby", "/usr/bin/jython"}) {
    if (!thorough || ::access(path, X_OK) != 0) continue;
    list.push_back({std::filesystem::path(path).filename().string() + "_here", path});
  }
  return list;
}

std::string name_of(const ::testing::TestParamInfo<Installed>& info) {
  std::string name = info.param.name;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

std::string first_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// How long a thread has been on a CPU, by the kernel; 0: there is no such thread.
uint64_t on_cpu_ns(pid_t pid, const json& tid) {
  const std::string line =
      first_line(fmt::format("/proc/{}/task/{}/schedstat", pid, tid.get<pid_t>()));
  return std::strtoull(line.c_str(), nullptr, 10);
}

// The kernel's names of its threads.
std::multiset<std::string> thread_names(pid_t pid) {
  std::multiset<std::string> names;
  std::error_code error;
  for (const auto& task :
       std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid), error)) {
    names.insert(first_line(task.path() / "comm"));
  }
  return names;
}

void sleep_ms(int ms) {
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

class Scripts : public ::testing::TestWithParam<Installed> {
 protected:
  void start(const std::string& workload, const DrivenScriptOptions& options = {}) {
    run_.reset();
    auto started = DrivenScript::start(GetParam(), workload, options);
    ASSERT_TRUE(started) << started.error().message;
    run_ = std::move(*started);
    const json said = run_->next();
    ASSERT_TRUE(said.contains("ready")) << said << run_->printed();
    threads_ = said["ready"]["threads"];
    EXPECT_EQ(said["ready"]["clock"], "monotonic");
  }

  // Lets it go; what it says when it is done.
  json go() {
    begun_ns_ = monotonic_ns();
    run_->begin();
    run_->say("go");
    json said = run_->next();
    EXPECT_TRUE(said.contains("done")) << said << run_->printed();
    if (said.contains("done")) return said["done"];
    // So that a test goes on to its end, where it has failed.
    json none = {{"wall_ns", 0}, {"threads", json::array()}};
    for (size_t i = 1; i < threads_.size(); ++i) {
      none["threads"].push_back({{"name", ""}, {"operations", 0}, {"active_ns", 0}});
    }
    return none;
  }

  // Its samples, by thread, until it has ended well.
  std::map<int, size_t> end() {
    run_->say("end");
    std::map<int, size_t> samples;
    for (json said = run_->next(); !said.is_null(); said = run_->next()) {
      EXPECT_EQ(said["samples_ns"].size(), said["sent_ns"].size());
      EXPECT_LE(said["samples_ns"].size(), 2048u);
      samples[said["thread"].get<int>()] += said["samples_ns"].size();
      for (size_t i = 0; i < said["samples_ns"].size(); ++i) {
        const json &latency = said["samples_ns"][i], &sent = said["sent_ns"][i];
        if (!latency.is_number_unsigned() || !sent.is_number_unsigned()) {
          ADD_FAILURE() << "a latency of " << latency << " from " << sent;
          continue;
        }
        EXPECT_GE(sent.get<uint64_t>(), begun_ns_);
        EXPECT_LE(sent.get<uint64_t>() + latency.get<uint64_t>(), monotonic_ns());
      }
    }
    EXPECT_EQ(run_->wait(), 0);
    EXPECT_EQ(run_->printed(), "");
    return samples;
  }

  // They have the names that they gave, and wait: no CPU time passes.
  void expect_at_rest() {
    std::vector<uint64_t> before;
    for (int tries = 0; tries < 100; ++tries) {
      std::vector<uint64_t> now;
      for (const json& thread : threads_) now.push_back(on_cpu_ns(run_->pid(), thread["tid"]));
      if (now == before) break;
      before = now;
      sleep_ms(10);
    }
    for (size_t i = 1; i < threads_.size(); ++i) {
      const json& tid = threads_[i]["tid"];
      EXPECT_EQ(first_line(fmt::format("/proc/{}/task/{}/comm", run_->pid(), tid.get<pid_t>())),
                threads_[i]["name"].get<std::string>());
      EXPECT_EQ(on_cpu_ns(run_->pid(), tid), before[i]) << threads_[i];
    }
    EXPECT_FALSE(run_->says_something(0));
  }

  std::unique_ptr<DrivenScript> run_;
  json threads_;
  uint64_t begun_ns_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Interpreters, Scripts, ::testing::ValuesIn(with_scripts()), name_of);

struct Bounded {
  std::string workload;
  uint64_t operations;  // of each thread
};

TEST_P(Scripts, DoAsMuchAsTheyAreTold) {
  const Bounded kBounded[] = {{"count:n=100k", 100'000},
                              {"count:n=100k,background=2", 100'000},
                              {"mixed:n=20,compute=1k,block=100us", 20},
                              {"throughput:task=pidigits,n=3", 3},
                              {"throughput:task=regex,n=20,background=1", 20},
                              {"throughput:task=compress,n=20", 20},
                              {"throughput:task=count,n=20,background=1", 20}};
  for (const auto& [workload, operations] : kBounded) {
    SCOPED_TRACE(workload);
    start(workload);
    if (HasFatalFailure()) return;
    expect_at_rest();
    const json done = go();
    ASSERT_EQ(done["threads"].size() + 1, threads_.size());
    uint64_t longest = 0;
    for (size_t i = 0; i < done["threads"].size(); ++i) {
      const json& thread = done["threads"][i];
      EXPECT_EQ(thread["name"], threads_[i + 1]["name"]);
      if (i >= 2) {
        EXPECT_FALSE(thread.contains("active_ns")) << "the thread goes on";
        continue;
      }
      EXPECT_EQ(thread["operations"], operations);
      longest = std::max(longest, thread["active_ns"].get<uint64_t>());
    }
    EXPECT_GE(done["wall_ns"].get<uint64_t>(), longest);
    EXPECT_TRUE(end().empty());
  }
}

TEST_P(Scripts, DoForAsLongAsTheyAreTold) {
  for (const std::string name : {"mixed", "file", "convoy"}) {
    SCOPED_TRACE(name);
    start(name + ":background=1,seconds=200ms" + (name == "mixed" ? ",n=1G" : ""));
    if (HasFatalFailure()) return;
    expect_at_rest();
    const json done = go();
    EXPECT_GE(done["wall_ns"].get<uint64_t>(), 200'000'000u);
    // Java has not compiled its thousand iterations by then.
    if (kind_of(GetParam()) != "jython") EXPECT_GT(done["threads"][2]["operations"], 0);
    const auto samples = end();
    for (int i = 0; i < 2; ++i) {
      EXPECT_GT(done["threads"][i]["operations"], 0);
      if (name == "mixed") continue;
      ASSERT_TRUE(samples.contains(i + 1));
      EXPECT_EQ(samples.at(i + 1), done["threads"][i]["operations"].get<size_t>());
    }
  }
}

TEST_P(Scripts, AnswerTheirClients) {
  for (const std::string name : {"echo", "latency", "bandwidth"}) {
    for (const size_t threads : {1, 3}) {
      SCOPED_TRACE(fmt::format("{} {}", name, threads));
      start(name + ":background=1,seconds=100ms", {.threads = threads});
      if (HasFatalFailure()) return;
      expect_at_rest();
      const json done = go();
      const auto samples = end();
      uint64_t sum = 0;
      for (size_t i = 0; i < threads; ++i) {
        const auto operations = done["threads"][i]["operations"].get<uint64_t>();
        EXPECT_GT(operations, 0u);
        sum += operations;
        if (name == "latency")
          EXPECT_EQ(
              samples.count(static_cast<int>(i) + 1) ? samples.at(static_cast<int>(i) + 1) : 0,
              operations);
      }
      const auto sent = static_cast<uint64_t>(run_->sent());
      EXPECT_LE(sum, sent);
      if (name == "echo") {
        // No answer is missing but to the last requests, which the client does not wait for.
        EXPECT_GE(sum + threads, sent);
        EXPECT_GE(run_->samples_of_client() + threads, sent);
      }
    }
  }
}

TEST_P(Scripts, GoOneAfterTheOther) {
  start("count:n=300k", {.threads = 3, .threaded = false});
  if (HasFatalFailure()) return;
  expect_at_rest();
  const json done = go();
  uint64_t sum = 0;
  for (const json& thread : done["threads"]) {
    EXPECT_EQ(thread["operations"], 300'000);
    sum += thread["active_ns"].get<uint64_t>();
  }
  EXPECT_LE(sum, done["wall_ns"].get<uint64_t>()) << "no two at once";
  end();
}

TEST_P(Scripts, ContendUntilToldToRest) {
  start("count:n=1k");
  if (HasFatalFailure()) return;
  for (int round = 0; round < 2; ++round) {
    run_->say("contend");
    EXPECT_EQ(run_->next(), json({{"contending", true}}));
    EXPECT_FALSE(run_->says_something(20));
    EXPECT_THAT(thread_names(run_->pid()), IsSupersetOf({"spare-1", "spare-2"}));
    run_->say("rest");
    EXPECT_EQ(run_->next(), json({{"resting", true}}));
    // A thread that Python has joined has yet to leave the kernel.
    const auto spare = [&] {
      const auto names = thread_names(run_->pid());
      return names.count("spare-1") + names.count("spare-2");
    };
    for (int tries = 0; tries < 500 && spare() > 0; ++tries) sleep_ms(10);
    EXPECT_THAT(thread_names(run_->pid()), Not(Contains(StartsWith("spare"))));
    expect_at_rest();
  }
  for (const json& thread : go()["threads"]) EXPECT_EQ(thread["operations"], 1'000);
  end();
}

TEST_P(Scripts, EndWithTheirGate) {
  // Before the run, while spare threads contend, and in the middle of it.
  for (const std::string last : {"", "contend", "go"}) {
    SCOPED_TRACE(last);
    start("count:n=1000G,background=1");
    if (HasFatalFailure()) return;
    if (!last.empty()) run_->say(last);
    if (last == "contend") run_->next();
    if (last == "go") sleep_ms(50);
    run_->close_gate();
    EXPECT_EQ(run_->wait(), 1);
  }
  start("count:n=1k");
  if (HasFatalFailure()) return;
  go();
  run_->close_gate();
  EXPECT_EQ(run_->wait(), 0) << "it was done";
}

TEST_P(Scripts, AreKilledByMainsEnd) {
  start("count:n=1000G,seconds=100ms", {.join_at_end = false});
  if (HasFatalFailure()) return;
  const json done = go();
  EXPECT_GE(done["wall_ns"].get<uint64_t>(), 100'000'000u);
  for (const json& thread : done["threads"]) EXPECT_FALSE(thread.contains("active_ns"));
  end();
}

TEST_P(Scripts, SayWhyTheyFail) {
  auto started = DrivenScript::start(GetParam(), "file:seconds=50ms", {.broken = true});
  ASSERT_TRUE(started) << started.error().message;
  (*started)->say("go");
  json said;
  do {
    said = (*started)->next();
  } while (said.contains("ready"));
  ASSERT_TRUE(said.contains("failed")) << said;
  EXPECT_THAT(said["failed"].get<std::string>(), HasSubstr("ad file descriptor"));
  EXPECT_EQ((*started)->wait(), 1);

  start("count:n=1k");
  if (HasFatalFailure()) return;
  run_->say("dance");
  EXPECT_THAT(run_->next()["failed"].get<std::string>(), HasSubstr("dance"));
  EXPECT_EQ(run_->wait(), 1);
}

// The finder reads the interval in the interpreter itself.
TEST_P(Scripts, SetTheirIntervals) {
  const std::string name = GetParam().name;
  if (name == "python2.7") {
    start("count:n=1k", {.check_interval = 7});
    if (HasFatalFailure()) return;
    EXPECT_EQ(go()["threads"][0]["operations"], 1'000);
  } else if (name == "python3") {
    start("count:n=1k", {.switch_interval_ns = 1'000'000});
    if (HasFatalFailure()) return;
    const auto subject = find_subject(run_->pid());
    ASSERT_TRUE(subject) << subject.error().message;
    EXPECT_EQ(subject->gils.at(0).interval_us, 1'000u);
  }
}

}  // namespace
}  // namespace gilscope
