// Finds the GIL of real interpreters in every way that there is, and holds the ways against each
// other, against nm, and against what the interpreter was told.
#include <elf.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>

#include "tests/interpreters/interpreter.h"
#include "tests/kernel/program.h"
#include "userspace/subject/holder.h"
#include "userspace/subject/observe.h"
#include "userspace/subject/process_memory.h"
#include "userspace/subject/subject.h"
#include "userspace/subject/thread_block.h"

namespace gilscope {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

const FindOptions kNoSymbols{.symbols = false};
const FindOptions kObservation{.symbols = false, .scan = false, .observe_ms = 10'000};

std::string script_for(const RealInterpreter& interpreter, int threads = 3) {
  return interpreter.kind == "ruby" ? computing_threads_of_ruby(threads)
                                    : computing_threads(threads);
}

std::vector<pid_t> tids_of(pid_t pid) {
  std::vector<pid_t> tids;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
    tids.push_back(std::stoi(entry.path().filename()));
  }
  return tids;
}

// The holder, as it is read now, is one of the process's threads, within some looks.
void expect_holder(const Subject& subject) {
  ASSERT_FALSE(subject.gils.empty());
  const std::vector<pid_t> tids = tids_of(subject.pid);
  for (int i = 0; i < 1000; ++i) {
    const auto holder = holder_of(subject, subject.gils[0]);
    ASSERT_TRUE(holder) << holder.error().message;
    if (holder->tid != 0) {
      EXPECT_THAT(tids, ::testing::Contains(holder->tid));
      return;
    }
    usleep(1000);
  }
  ADD_FAILURE() << "nobody was seen to hold it";
}

// The same GIL, whichever way it was found.
void expect_same(const Subject& one, const Subject& other) {
  ASSERT_EQ(one.gils.size(), 1U);
  ASSERT_EQ(other.gils.size(), 1U);
  const gilscope_gil& a = one.gils[0].gil;
  const gilscope_gil& b = other.gils[0].gil;
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.condition, b.condition);
  EXPECT_EQ(a.mutex, b.mutex);
  EXPECT_EQ(a.switch_condition, b.switch_condition);
  EXPECT_EQ(a.switch_mutex, b.switch_mutex);
  EXPECT_EQ(a.words, b.words);
  EXPECT_EQ(a.holder_at, b.holder_at);
  EXPECT_EQ(a.number_at, b.number_at);
  EXPECT_EQ(a.waits_at, b.waits_at);
  EXPECT_EQ(a.current, b.current);
  EXPECT_EQ(a.thread_id_at, b.thread_id_at);
  EXPECT_EQ(a.ticks_at, b.ticks_at);
  EXPECT_EQ(a.node_at, b.node_at);
}

// The address of a symbol in the process, by nm and /proc/PID/maps.
uint64_t address_by_nm(pid_t pid, const std::string& root, const std::string& object,
                       const std::string& symbol) {
  const std::string file = "'" + root + object + "'";
  const std::string found =
      shell("(nm " + file + "; nm -D " + file + ") 2>/dev/null | sed -nE 's/^([0-9a-f]+) . " +
            symbol + "(@.*)?$/\\1/p' | head -n 1")
          .out;
  if (found.empty()) return 0;
  const uint64_t value = std::stoull(found, nullptr, 16);
  const bool fixed = shell("readelf -h " + file).out.find("EXEC (") != std::string::npos;
  if (fixed) return value;
  std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.ends_with(object)) return value + std::stoull(line, nullptr, 16);
  }
  return 0;
}

class FindInterpreter : public ::testing::TestWithParam<RealInterpreter> {
 protected:
  bool python() const { return GetParam().kind == "python"; }
  bool python3() const { return python() && GetParam().major == 3; }
};

TEST_P(FindInterpreter, SaysWhatItIs) {
  const RealInterpreter& interpreter = GetParam();
  RunningScript script(interpreter, script_for(interpreter));
  ASSERT_EQ(script.line(), "ready") << script.errors();
  const auto subject = find_subject(script.pid());
  ASSERT_TRUE(subject) << subject.error().message;
  EXPECT_EQ(subject->kind, interpreter.kind);
  EXPECT_EQ(subject->pid, script.pid());
  EXPECT_EQ(subject->executable, interpreter.path);
  EXPECT_EQ(interpreter_kind(script.pid()), interpreter.kind);
  if (interpreter.kind != "pypy") {
    EXPECT_TRUE(subject->version.starts_with(std::to_string(interpreter.major) + "." +
                                             std::to_string(interpreter.minor) + "."))
        << subject->version;
  }
  ASSERT_EQ(subject->gils.size(), 1U);
  if (python3()) EXPECT_EQ(subject->gils[0].interval_us, 5000U);
  EXPECT_FALSE(subject->gils[0].confirmed_by.empty());
  expect_holder(*subject);
  const std::string id =
      shell("readelf -n '" + interpreter.root + subject->gils[0].object + "'").out;
  EXPECT_THAT(id, HasSubstr("Build ID: " + subject->build_id));
}

TEST_P(FindInterpreter, IsTheSameInEveryWay) {
  RunningScript script(GetParam(), script_for(GetParam()));
  ASSERT_EQ(script.line(), "ready") << script.errors();
  const auto subject = find_subject(script.pid());
  ASSERT_TRUE(subject) << subject.error().message;
  const GilPlace& place = subject->gils.at(0);
  if (!place.symbol.empty() && place.gil.kind == GILSCOPE_GIL_CONDITION) {
    EXPECT_EQ(
        place.gil.words,
        address_by_nm(script.pid(), GetParam().root, place.object, place.symbol) + place.offset);
  }
  const auto stripped = find_subject(script.pid(), kNoSymbols);
  ASSERT_TRUE(stripped) << stripped.error().message;
  expect_same(*subject, *stripped);
  EXPECT_TRUE(stripped->gils[0].symbol.empty());
  const auto observed = find_subject(script.pid(), kObservation);
  ASSERT_TRUE(observed) << observed.error().message;
  expect_same(*subject, *observed);
  if (GetParam().kind != "ruby") EXPECT_EQ(observed->gils[0].found_by, "observation");
}

TEST_P(FindInterpreter, IsFoundAtAnotherSwitchInterval) {
  if (!python3()) GTEST_SKIP() << "has no switch interval";
  RunningScript script(GetParam(), script_for(GetParam()));
  ASSERT_EQ(script.line(), "ready") << script.errors();
  for (const unsigned interval_us : {1000U, 12'345U, 100'000U}) {
    script.tell("sys.setswitchinterval(" + std::to_string(interval_us) + "e-6)");
    ASSERT_EQ(script.line(), "done") << script.errors();
    std::optional<Subject> first;
    for (const FindOptions& options : {FindOptions{}, kNoSymbols, kObservation}) {
      const auto subject = find_subject(script.pid(), options);
      ASSERT_TRUE(subject) << subject.error().message;
      if (!first) first = *subject;
      expect_same(*first, *subject);
      // 3.6 has it elsewhere, and only symbols tell where.
      if (GetParam().at_least(3, 7) || options.symbols) {
        EXPECT_EQ(subject->gils[0].interval_us, interval_us);
      }
    }
  }
}

TEST_P(FindInterpreter, IsFoundInAPidNamespace) {
  RunningScript script(GetParam(), script_for(GetParam()),
                       {.prefix = {"unshare", "-pf", "--mount-proc"}});
  ASSERT_EQ(script.line(), "ready") << script.errors();
  for (const FindOptions& options : {FindOptions{}, kObservation}) {
    const auto subject = find_subject(script.pid(), options);
    ASSERT_TRUE(subject) << subject.error().message;
    expect_holder(*subject);
  }
}

TEST_P(FindInterpreter, IsFoundBelowAChroot) {
  const Scratch scratch;
  std::filesystem::create_directory(scratch.path("root"));
  RunningScript script(
      GetParam(), script_for(GetParam()),
      {.prefix = {"unshare", "-m", "sh", "-c", "mount --bind / \"$0\" && exec chroot \"$0\" \"$@\"",
                  scratch.path("root")}});
  ASSERT_EQ(script.line(), "ready") << script.errors();
  const auto subject = find_subject(script.pid());
  ASSERT_TRUE(subject) << subject.error().message;
  EXPECT_EQ(subject->executable, GetParam().path);
  EXPECT_FALSE(subject->build_id.empty());
  if (python3()) EXPECT_FALSE(subject->gils.at(0).symbol.empty());
  expect_holder(*subject);
}

TEST_P(FindInterpreter, IsFoundWhereItsThreadsSleep) {
  if (!python()) GTEST_SKIP() << "needs threads that contend, or is found by walking";
  RunningScript script(GetParam(), R"(import sys, threading, time
thread = threading.Thread(target=time.sleep, args=(1000,))
thread.daemon = True
thread.start()
sys.stdout.write('ready\n')
sys.stdout.flush()
time.sleep(1000)
)");
  ASSERT_EQ(script.line(), "ready") << script.errors();
  const auto subject = find_subject(script.pid());
  if (!subject && !GetParam().at_least(3, 0)) {
    // Debian's is stripped of the symbol.
    EXPECT_THAT(subject.error().message, HasSubstr("try again while two threads contend"));
    return;
  }
  ASSERT_TRUE(subject) << subject.error().message;
  EXPECT_EQ(subject->gils.size(), 1U);
  EXPECT_NE(subject->gils.at(0).gil.thread_id_at, 0);
}

// Before its first thread CPython 2.7 and 3.6 have no GIL, and the others have.
TEST_P(FindInterpreter, SaysWhereThereIsNoneYet) {
  if (!python()) GTEST_SKIP() << "is as any that sleeps";
  RunningScript script(GetParam(),
                       "import sys; sys.stdout.write('ready\\n'); sys.stdout.flush(); "
                       "sys.stdin.readline()");
  ASSERT_EQ(script.line(), "ready") << script.errors();
  const auto subject = find_subject(script.pid());
  if (GetParam().at_least(3, 7)) {
    ASSERT_TRUE(subject) << subject.error().message;
    return;
  }
  ASSERT_FALSE(subject);
  EXPECT_EQ(subject.error().code, Exit::error);
  EXPECT_THAT(subject.error().message,
              AnyOf(HasSubstr("when it starts its first thread"), HasSubstr("its only thread")));
}

TEST_P(FindInterpreter, SaysThatAFreeThreadedOneHasNone) {
  if (!GetParam().free_threaded) GTEST_SKIP() << "has a GIL";
  RealInterpreter without = GetParam();
  without.free_threaded = false;
  RunningScript script(without, computing_threads(2), {.prefix = {"env", "PYTHON_GIL=0"}});
  ASSERT_EQ(script.line(), "ready") << script.errors();
  for (const FindOptions& options : {FindOptions{}, kNoSymbols}) {
    const auto subject = find_subject(script.pid(), options);
    ASSERT_TRUE(subject) << subject.error().message;
    EXPECT_FALSE(subject->has_gil);
    EXPECT_TRUE(subject->gils.empty());
    EXPECT_EQ(subject->interpreter, "CPython");
  }
}

// A JVM, which its command line tells from others.
TEST(FindJython, HasNoGil) {
  RealInterpreter jython;
  jython.path = "/usr/bin/jython";
  if (!std::filesystem::exists(jython.path)) GTEST_SKIP() << "no jython";
  RunningScript script(jython, computing_threads(1));
  ASSERT_EQ(script.line(), "ready") << script.errors();
  const auto subject = find_subject(script.pid());
  ASSERT_TRUE(subject) << subject.error().message;
  EXPECT_EQ(subject->kind, "jython");
  EXPECT_EQ(interpreter_kind(script.pid()), "jython");
  EXPECT_FALSE(subject->has_gil);
  EXPECT_TRUE(subject->gils.empty());
}

// Interpreters within the process that do not share the main one's GIL.
TEST_P(FindInterpreter, FindsSubInterpreters) {
  const RealInterpreter& interpreter = GetParam();
  if (!python() || !interpreter.at_least(3, 12)) GTEST_SKIP() << "they share its GIL";
  RunningScript script(interpreter, computing_threads(2));
  ASSERT_EQ(script.line(), "ready") << script.errors();
  const bool old = !interpreter.at_least(3, 13);
  script.tell(old ? "import _xxsubinterpreters as interpreters"
                  : "import _interpreters as interpreters");
  ASSERT_EQ(script.line(), "done") << script.errors();
  script.tell(std::string("own = [interpreters.create(") + (old ? "isolated=True" : "'isolated'") +
              ") for _ in range(3)]");
  ASSERT_EQ(script.line(), "done") << script.errors();
  script.tell(std::string("shares = interpreters.create(") + (old ? "isolated=False" : "'legacy'") +
              ")");
  ASSERT_EQ(script.line(), "done") << script.errors();
  // Each does something, so that its GIL is used.
  script.tell("for each in own: interpreters.run_string(each, 'x = 1')");
  ASSERT_EQ(script.line(), "done") << script.errors();
  const auto subject = find_subject(script.pid());
  ASSERT_TRUE(subject) << subject.error().message;
  EXPECT_EQ(subject->gils.size(), 4U);
  std::set<uint64_t> words;
  for (const GilPlace& place : subject->gils) {
    words.insert(place.gil.words);
    EXPECT_EQ(place.interval_us, 5000U);
    EXPECT_NE(place.gil.thread_id_at, 0);
  }
  EXPECT_EQ(words.size(), 4U);
  EXPECT_FALSE(subject->gils[0].symbol.empty());
}

// Each ractor has a lock of its own, but where its threads share threads of the kernel.
TEST_P(FindInterpreter, FindsRactors) {
  if (GetParam().kind != "ruby") GTEST_SKIP() << "has none";
  RunningScript script(GetParam(), R"($stdout.sync = true
2.times { Ractor.new { Thread.new { loop { } }; loop { } } }
2.times { Thread.new { loop { } } }
puts 'ready'
$stdin.gets
)");
  ASSERT_EQ(script.line(), "ready") << script.errors();
  const auto subject = find_subject(script.pid());
  ASSERT_TRUE(subject) << subject.error().message;
  if (GetParam().at_least(3, 3)) {
    ASSERT_EQ(subject->gils.size(), 1U);
    EXPECT_THAT(subject->gils[0].confirmed_by, HasSubstr("2 other ractors are left out"));
  } else {
    ASSERT_EQ(subject->gils.size(), 3U);
    EXPECT_NE(subject->gils[1].gil.words, subject->gils[2].gil.words);
  }
}

// A thread of Ruby's that sleeps for the lock is in the list of waiters; one that sleeps for
// anything else is not.
TEST_P(FindInterpreter, TellsWaitersFromSleepers) {
  if (GetParam().kind != "ruby") GTEST_SKIP() << "its waiters share a condition";
  RunningScript script(GetParam(), R"($stdout.sync = true
3.times { Thread.new { Thread.current.name = 'computes'; loop { } } }
queue = Queue.new
2.times { Thread.new { Thread.current.name = 'sleeps'; queue.pop } }
sleep 0.2
puts 'ready'
$stdin.gets
)");
  ASSERT_EQ(script.line(), "ready") << script.errors();
  const auto subject = find_subject(script.pid());
  ASSERT_TRUE(subject) << subject.error().message;
  const auto process = ProcessMemory::open(script.pid());
  ASSERT_TRUE(process) << process.error().message;
  const gilscope_gil& gil = subject->gils.at(0).gil;
  std::map<std::string, std::set<bool>> waits;  // of the threads by their names: in the list or not
  std::map<pid_t, std::string> names;
  for (const ProcessThread& thread : process->threads()) names[thread.tid] = thread.name;
  for (int i = 0; i < 300; ++i) {
    for (const auto& [tid, name] : names) {
      const auto wait = parse_futex_wait(process->file("task/" + std::to_string(tid) + "/syscall"));
      if (!wait) continue;
      const uint64_t condition = wait->address - wait->address % 8 - gil.signals_at;
      uint64_t state = condition - gil.condition_at;
      const auto self = process->get<uint64_t>(state + gil.thread_id_at);
      const ProcessThread* own = self ? thread_of(*process, process->threads(), *self) : nullptr;
      if (!own) continue;  // a mutex
      if (gil.state_at != GILSCOPE_NOWHERE) {
        state = process->get<uint64_t>(state + gil.state_at).value_or(0);
        if (state == 0 && tid == script.pid()) state = gil.main_state;
      }
      const uint64_t node = state + gil.node_at;
      // It may have been woken meanwhile.
      const auto still =
          parse_futex_wait(process->file("task/" + std::to_string(tid) + "/syscall"));
      const bool listed = process->get<uint64_t>(node) != node;
      if (still && still->address == wait->address) waits[name].insert(listed);
    }
    usleep(1000);
  }
  EXPECT_EQ(waits["sleeps"], std::set<bool>{false});
  EXPECT_TRUE(waits["computes"].contains(true));
}

std::string name_of(const ::testing::TestParamInfo<RealInterpreter>& info) {
  return info.param.name;
}
INSTANTIATE_TEST_SUITE_P(Interpreters, FindInterpreter, ::testing::ValuesIn(interpreters()),
                         name_of);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(FindInterpreter);

// A CPython whose GIL has a switch interval; its path is empty where there is none.
RealInterpreter any_python3() {
  for (const RealInterpreter& each : interpreters()) {
    if (each.kind == "python" && each.root.empty() && each.at_least(3, 7)) return each;
  }
  return {};
}

Result<Subject> find_at(const std::string& command) {
  const Process process({"sh", "-c", "exec " + command});
  usleep(200'000);
  return find_subject(process.pid());
}

void expect_refused(const Result<Subject>& subject, const std::string& why) {
  ASSERT_FALSE(subject);
  EXPECT_EQ(subject.error().code, Exit::error) << subject.error().message;
  EXPECT_THAT(subject.error().message, HasSubstr(why));
  EXPECT_EQ(subject.error().message.find('\n'), std::string::npos);
}

TEST(FindRefuses, WhatIsNoInterpreter) {
  expect_refused(find_at("sleep 100"), "runs no interpreter");
  expect_refused(find_subject(0x7fffffff), "there is no process");
  expect_refused(find_subject(2), "is a thread of the kernel");
  expect_refused(find_subject(getpid()), "is gilscope itself");
}

TEST(FindRefuses, AThreadAndAZombie) {
  if (any_python3().path.empty()) GTEST_SKIP() << "no python3";
  RunningScript script(any_python3(), computing_threads(2));
  ASSERT_EQ(script.line(), "ready") << script.errors();
  const std::vector<pid_t> tids = tids_of(script.pid());
  expect_refused(find_subject(*std::ranges::max_element(tids)),
                 "its process is " + std::to_string(script.pid()));
  const pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t ended;
  waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT);
  expect_refused(find_subject(child), "has ended");
  waitpid(child, nullptr, 0);
}

// The smallest program of 32 bits: it calls pause() again and again.
TEST(FindRefuses, A32BitProgram) {
  const Scratch scratch;
  const unsigned char code[] = {0xb8, 29, 0, 0, 0, 0xcd, 0x80, 0xeb, 0xf7};
  Elf32_Ehdr header{};
  std::copy_n(ELFMAG, SELFMAG, header.e_ident);
  header.e_ident[EI_CLASS] = ELFCLASS32;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = header.e_version = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = EM_386;
  header.e_phoff = header.e_ehsize = sizeof header;
  header.e_phentsize = sizeof(Elf32_Phdr);
  header.e_phnum = 1;
  Elf32_Phdr segment{};
  segment.p_type = PT_LOAD;
  segment.p_vaddr = 0x08048000;
  segment.p_filesz = segment.p_memsz = sizeof header + sizeof segment + sizeof code;
  segment.p_flags = PF_R | PF_X;
  segment.p_align = 4096;
  header.e_entry = segment.p_vaddr + sizeof header + sizeof segment;
  std::string file(reinterpret_cast<const char*>(&header), sizeof header);
  file.append(reinterpret_cast<const char*>(&segment), sizeof segment);
  file.append(reinterpret_cast<const char*>(code), sizeof code);
  const std::string path = scratch.file("program", file);
  ASSERT_EQ(chmod(path.c_str(), 0755), 0);
  Process process({path});
  usleep(100'000);
  if (!std::filesystem::exists("/proc/" + std::to_string(process.pid()) + "/exe") ||
      std::filesystem::read_symlink("/proc/" + std::to_string(process.pid()) + "/exe") != path) {
    GTEST_SKIP() << "this kernel runs no 32-bit programs";
  }
  expect_refused(find_subject(process.pid()), "runs a 32-bit program");
}

// A library that is called like musl's, and executed.
TEST(FindRefuses, MuslByItsName) {
  if (any_python3().path.empty()) GTEST_SKIP() << "no python3";
  const Scratch scratch;
  const std::string path = scratch.path("ld-musl-x86_64.so.1");
  std::filesystem::copy_file("/bin/true", path);
  RunningScript script(any_python3(),
                       "import mmap, sys\n"
                       "file = open('" +
                           path +
                           "', 'rb')\n"
                           "kept = mmap.mmap(file.fileno(), 0, mmap.MAP_PRIVATE, "
                           "mmap.PROT_READ | mmap.PROT_EXEC)\n"
                           "print('ready', flush=True)\n"
                           "sys.stdin.readline()\n");
  ASSERT_EQ(script.line(), "ready") << script.errors();
  expect_refused(find_subject(script.pid()), "uses the C library musl");
}

// The outcome for a child without privileges: its exit code, and whether the message has the text.
int as_nobody(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    if (setgid(65534) != 0 || setuid(65534) != 0) _exit(100);
    _exit(body());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(FindRefuses, WhatTheUserMayNotLookAt) {
  if (any_python3().path.empty()) GTEST_SKIP() << "no python3";
  RunningScript script(any_python3(), computing_threads(2));
  ASSERT_EQ(script.line(), "ready") << script.errors();
  EXPECT_EQ(as_nobody([&] {
              const auto subject = find_subject(script.pid());
              if (subject) return 99;
              if (subject.error().message.find("run gilscope as root") == std::string::npos)
                return 98;
              return static_cast<int>(subject.error().code);
            }),
            static_cast<int>(Exit::unable));
}

// At no moment of a process's life does a look at it do anything but find its GIL or say why not.
TEST(FindSurvives, ProcessesThatEnd) {
  if (any_python3().path.empty()) GTEST_SKIP() << "no python3";
  int found = 0;
  for (int i = 0; i < 60; ++i) {
    RunningScript script(any_python3(),
                         "import threading, time\n"
                         "t = threading.Thread(target=time.sleep, args=(0.001,))\n"
                         "t.start(); t.join()\n");
    usleep(static_cast<useconds_t>(i) * 700);
    FindOptions options;
    options.observe_ms = 20;
    const auto subject = find_subject(script.pid(), options);
    if (subject) {
      ++found;
    } else {
      EXPECT_EQ(subject.error().message.find('\n'), std::string::npos);
      EXPECT_EQ(subject.error().code, Exit::error) << subject.error().message;
    }
    script.wait();
  }
  EXPECT_GT(found, 0);
}

// The file that has the program's name now is another: its symbols are not the process's.
TEST(FindSurvives, AProgramThatWasReplaced) {
  const auto fixed = std::ranges::find_if(interpreters(), [](const RealInterpreter& each) {
    return each.path.starts_with("/usr/bin/python3") && each.root.empty();
  });
  if (fixed == interpreters().end()) GTEST_SKIP() << "no python3 of Debian's";
  const Scratch scratch;
  RealInterpreter copy = *fixed;
  copy.path = scratch.path("python3");
  std::filesystem::copy_file(fixed->path, copy.path);
  RunningScript script(copy, computing_threads(2));
  ASSERT_EQ(script.line(), "ready") << script.errors();
  const auto before = find_subject(script.pid());
  ASSERT_TRUE(before) << before.error().message;
  std::filesystem::remove(copy.path);
  std::filesystem::copy_file("/bin/true", copy.path);
  const auto after = find_subject(script.pid());
  ASSERT_TRUE(after) << after.error().message;
  expect_same(*before, *after);
  EXPECT_EQ(after->build_id, before->build_id);
  EXPECT_EQ(after->gils[0].symbol, "_PyRuntime");
  // Without the right to the kernel's own link to it, by what the process's memory tells.
  const pid_t child = fork();
  if (child == 0) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{};
    data[0].effective = data[0].permitted = 1U << CAP_SYS_PTRACE | 1U << CAP_DAC_OVERRIDE;
    if (syscall(SYS_capset, &header, data) != 0) _exit(100);
    const auto subject = find_subject(script.pid());
    if (!subject) _exit(99);
    if (subject->build_id != before->build_id) _exit(97);
    _exit(subject->gils[0].gil.words == before->gils[0].gil.words ? 0 : 98);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << WEXITSTATUS(status);
}

TEST(FindCommand, PrintsOneScreenOrAnObject) {
  if (any_python3().path.empty()) GTEST_SKIP() << "no python3";
  RunningScript script(any_python3(), computing_threads(2));
  ASSERT_EQ(script.line(), "ready") << script.errors();
  const std::string pid = std::to_string(script.pid());
  const Ended text = gilscope_run({"find", pid});
  EXPECT_EQ(text.status, 0) << text.err;
  EXPECT_EQ(text.err, "");
  EXPECT_THAT(text.out, HasSubstr(any_python3().path));
  EXPECT_THAT(text.out, HasSubstr("  interval    5000 us"));
  const Ended json = gilscope_run({"find", pid, "--json"});
  EXPECT_EQ(json.status, 0) << json.err;
  EXPECT_THAT(json.out, HasSubstr("\"kind\": \"python\""));
  EXPECT_THAT(json.out, HasSubstr("\"pid\": " + pid));
  const Ended none = gilscope_run({"find", "2147483647"});
  EXPECT_EQ(none.status, 2);
  EXPECT_EQ(none.out, "");
  EXPECT_EQ(none.err, "gilscope: there is no process 2147483647\n");
}

}  // namespace
}  // namespace gilscope
