// A process that is attached to again and again, while it works: it does not notice, and nothing is
// left.
#include <bpf/bpf.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "tests/interpreters/subjects.h"
#include "tests/interpreters/witness.h"
#include "tests/kernel/program.h"
#include "userspace/subject/subject.h"

namespace gilscope {
namespace {

// The kernel's BPF objects, by kind and id.
std::set<std::string> bpf_objects() {
  std::set<std::string> found;
  __u32 id = 0;
  while (bpf_prog_get_next_id(id, &id) == 0) found.insert(fmt::format("program {}", id));
  id = 0;
  while (bpf_map_get_next_id(id, &id) == 0) found.insert(fmt::format("map {}", id));
  id = 0;
  while (bpf_link_get_next_id(id, &id) == 0) found.insert(fmt::format("link {}", id));
  return found;
}

// Those that were not there before. The kernel frees them a little later than their last user ends.
std::string left_since(const std::set<std::string>& before) {
  std::string left;
  for (int tries = 0; tries < 100; ++tries) {
    left.clear();
    for (const std::string& object : bpf_objects()) {
      if (!before.contains(object)) left += object + " ";
    }
    if (left.empty()) break;
    ::usleep(50'000);
  }
  return left;
}

// Pages of code that are not those of the files any more, as a breakpoint leaves them.
uint64_t changed_code_kb(pid_t pid) {
  std::ifstream smaps(fmt::format("/proc/{}/smaps", pid));
  uint64_t sum = 0;
  bool code = false;
  for (std::string line; std::getline(smaps, line);) {
    if (line.find(" r-xp ") != std::string::npos) code = line.find('/') != std::string::npos;
    if (line.find(" r--p ") != std::string::npos || line.find(" rw-p ") != std::string::npos)
      code = false;
    if (code && line.starts_with("Anonymous:"))
      sum += std::strtoull(line.c_str() + 10, nullptr, 10);
  }
  return sum;
}

int rounds() {
  const char* given = std::getenv("GILSCOPE_ATTACH_ROUNDS");
  return given ? std::atoi(given) : 12;
}

TEST(Attach, IsNotNoticedAndLeavesNothing) {
  const auto interpreter = installed("python3");
  ASSERT_TRUE(interpreter) << "no python3 here";
  auto at_work = AtWork::start(*interpreter, "living.py");
  ASSERT_TRUE(at_work) << at_work.error().message;
  const std::set<std::string> before = bpf_objects();
  const std::string pid = std::to_string(at_work->pid());
  uint64_t last = 0;
  int round = 0;
  while (round < rounds()) {
    // The gate is opened anew now and then, for the process to say how far it has come.
    ASSERT_TRUE(at_work->go(3));
    for (int i = 0; i < 6 && round < rounds(); ++i, ++round) {
      Process attach({program(), "attach", pid, "--for", "50ms", "--quiet"});
      EXPECT_EQ(changed_code_kb(at_work->pid()), 0u);
      const Ended ended = attach.wait();
      ASSERT_EQ(ended.status, 0) << "round " << round << ": " << ended.err;
      EXPECT_EQ(ended.err, "");
    }
    EXPECT_EQ(changed_code_kb(at_work->pid()), 0u);
    const auto work = at_work->done();
    ASSERT_TRUE(work) << work.error().message;
    EXPECT_GT(*work, last);
    last = *work;
  }
  EXPECT_EQ(left_since(before), "");
  EXPECT_EQ(at_work->end(), 0) << "it was traced, or got a signal";
}

// The looks above can see something: a process with probes in its code.
TEST(Attach, ProbesWouldBeNoticed) {
  const auto interpreter = installed("python3");
  ASSERT_TRUE(interpreter) << "no python3 here";
  auto at_work = AtWork::start(*interpreter, "count.py");
  ASSERT_TRUE(at_work) << at_work.error().message;
  const auto subject = find_subject(at_work->pid());
  ASSERT_TRUE(subject) << subject.error().message;
  const std::set<std::string> before = bpf_objects();
  EXPECT_EQ(changed_code_kb(at_work->pid()), 0u);
  {
    auto witness = witness::GilWitness::attach(at_work->pid(), subject->gils.front().gil);
    ASSERT_TRUE(witness) << witness.error().message;
    EXPECT_GT(changed_code_kb(at_work->pid()), 0u);
    EXPECT_GT(bpf_objects().size(), before.size());
  }
  EXPECT_EQ(left_since(before), "");
}

}  // namespace
}  // namespace gilscope
