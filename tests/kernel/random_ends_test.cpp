// A random walk through the ends of an experiment: at any instant, by any signal, with its
// descriptors and limits in any state. There are a few rounds here; `make test-ends` runs more. A
// round follows from its seed alone, so that a failure can be repeated:
//   GILSCOPE_ENDS_SEED=N GILSCOPE_ENDS_ROUNDS=1 build/kernel_tests --gtest_filter='RandomEnds.*'
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <cstdio>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <random>

#include "tests/kernel/ends.h"

namespace gilscope {
namespace {

class Draw {
 public:
  explicit Draw(uint64_t seed) : random_(seed) {}
  uint64_t below(uint64_t n) { return std::uniform_int_distribution<uint64_t>(0, n - 1)(random_); }
  template <typename T>
  T one_of(std::initializer_list<T> values) {
    return *(values.begin() + below(values.size()));
  }

 private:
  std::mt19937_64 random_;
};

// A disk of a few KiB.
class SmallDisk {
 public:
  SmallDisk(const std::string& directory, uint64_t kib) : directory_(directory) {
    const std::string options = "size=" + std::to_string(kib) + "k";
    mounted_ = mount("tmpfs", directory.c_str(), "tmpfs", 0, options.c_str()) == 0;
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) umount2(directory_.c_str(), MNT_DETACH);
  }

  explicit operator bool() const { return mounted_; }

 private:
  std::string directory_;
  bool mounted_ = false;
};

enum class Way {
  nothing,
  signal,
  signal_to_all,
  kill,
  kill_of_a_worker,
  closed,
  full,
  pipe_closes,
  pipe_is_stuck,
  terminal_goes,
  session_goes,
  file_size_limit,
  memory_limit,
  small_disk,
};
constexpr const char* kWays[] = {"nothing",
                                 "a signal",
                                 "a signal to all its processes",
                                 "SIGKILL",
                                 "SIGKILL to a worker",
                                 "closed descriptors",
                                 "descriptors on /dev/full",
                                 "a pipe that closes",
                                 "a pipe that nobody reads, and SIGTERM",
                                 "a terminal that goes away",
                                 "a session that goes away",
                                 "a file size limit",
                                 "a memory limit",
                                 "a small disk"};

// One round. Its seed decides everything but the machine's speed.
struct Plan {
  Plan(uint64_t seed, const std::string& out);
  std::string words() const;

  Way way;
  std::vector<std::string> arguments;
  size_t runs_of_a_block;
  int blocks, signal, times, closed;
  uint64_t limit, delay_us;
  bool is_resumed;  // run the same command again, to its end
};

Plan::Plan(uint64_t seed, const std::string& out) {
  Draw draw(seed);
  way = static_cast<Way>(draw.below(std::size(kWays)));
  const std::string method = draw.one_of({"hotplug", "hotplug", "cpuset", "cpuset", "affinity"});
  const std::string trace = draw.one_of({"off", "off", "counters", "full"});
  const int warmup = static_cast<int>(draw.below(2));
  const int measured = static_cast<int>(1 + draw.below(3));
  blocks = measured + warmup;
  arguments = {"run", "--policy",
               draw.one_of({"none", "check-interval:100", "switch-interval:1ms"}), "--workload",
               // A run with little memory gets little work.
               way == Way::memory_limit ? "count:n=1k"
                                        : draw.one_of({"count:n=100k", "count:n=300k", "count:n=1M",
                                                       "echo:background=1,seconds=30ms"}),
               "--arrangement", "threaded", "--trace", trace, "--warmup", std::to_string(warmup),
               "--blocks", std::to_string(measured), "--cpus-by", method, "--cpus",
               "cpu:" + format_cpu_list(chosen()), "--out", out};
  runs_of_a_block = trace == "off" ? 1 : 2;
  if (draw.below(2) == 1) {  // the machine is changed and restored from run to run
    arguments.insert(arguments.end(), {"--cpus", "all"});
    runs_of_a_block *= 2;
  }
  do {
    signal = static_cast<int>(1 + draw.below(64));
  } while (signal == SIGKILL || signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN ||
           signal == SIGTTOU);
  times = draw.one_of({1, 1, 2, 10});
  closed = static_cast<int>(1 + draw.below(7));
  limit = way == Way::memory_limit ? (4 << 20) + draw.below(16 << 20)
          : way == Way::small_disk ? 4 + draw.below(100)
                                   : draw.below(50'000);
  delay_us = draw.below(800'000);
  is_resumed = draw.below(4) == 0;
}

std::string Plan::words() const {
  std::ostringstream out;
  for (const std::string& argument : arguments) out << argument << ' ';
  out << "\n  ended by " << kWays[static_cast<int>(way)] << " after " << delay_us / 1000
      << " ms (signal " << signal << ", " << times << " times; descriptors " << closed << "; limit "
      << limit << ")";
  return out.str();
}

// The child's standard descriptors, unless they are files of the test.
struct Wires {
  Fd ours, theirs;

  static Wires pipe(bool full) {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    fcntl(ends[1], F_SETPIPE_SZ, 4096);
    const std::string text(4096, 'x');
    if (full) EXPECT_EQ(write(ends[1], text.data(), text.size()), 4096);
    return {Fd(ends[0]), Fd(ends[1])};
  }
  static Wires terminal() {
    int master, slave;
    EXPECT_EQ(openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
    fcntl(master, F_SETFD, FD_CLOEXEC);
    fcntl(slave, F_SETFD, FD_CLOEXEC);
    return {Fd(master), Fd(slave)};
  }
};

class RandomEnds : public Ends {
 protected:
  void round(const Plan& plan);

  std::string directory() const { return scratch_.path("disk"); }
  std::string out_of_round() const { return directory() + "/out"; }
  std::map<std::string, int> codes_;  // by way, for the summary

 private:
  static Wires wires_of(const Plan& plan);
  static void prepare(const Plan& plan, const Wires& wires);
  static void end(const Plan& plan, const ProcessGroup& run, Wires& wires);
  void expect_exit(const Plan& plan, const ProcessGroup& run, int status) const;
  void expect_machine(const Plan& plan) const;
  void expect_report(const Plan& plan, const ProcessGroup& run, int status) const;
  void resume(const Plan& plan) const;
};

Wires RandomEnds::wires_of(const Plan& plan) {
  switch (plan.way) {
    case Way::pipe_closes:
      return Wires::pipe(false);
    case Way::pipe_is_stuck:
      return Wires::pipe(true);
    case Way::terminal_goes:
    case Way::session_goes:
      return Wires::terminal();
    default:
      return {};
  }
}

// Runs in the child.
void RandomEnds::prepare(const Plan& plan, const Wires& wires) {
  const auto limited = [&](__rlimit_resource resource) {
    const rlimit both{plan.limit, plan.limit};
    setrlimit(resource, &both);
  };
  switch (plan.way) {
    case Way::closed:
      for (int fd = 0; fd < 3; ++fd) {
        if (plan.closed & 1 << fd) close(fd);
      }
      break;
    case Way::full:
      for (int fd = 1; fd < 3; ++fd) dup2(open("/dev/full", O_WRONLY | O_CLOEXEC), fd);
      break;
    case Way::pipe_is_stuck:
      dup2(wires.theirs.get(), STDERR_FILENO);
      break;
    case Way::session_goes:
      ioctl(wires.theirs.get(), TIOCSCTTY, 0);
      [[fallthrough]];
    case Way::pipe_closes:
    case Way::terminal_goes:
      for (int fd = 1; fd < 3; ++fd) dup2(wires.theirs.get(), fd);
      break;
    case Way::file_size_limit:
      limited(RLIMIT_FSIZE);
      break;
    case Way::memory_limit:
      limited(RLIMIT_AS);
      break;
    default:
      break;
  }
}

void RandomEnds::end(const Plan& plan, const ProcessGroup& run, Wires& wires) {
  switch (plan.way) {  // these need no action while it runs
    case Way::nothing:
    case Way::closed:
    case Way::full:
    case Way::file_size_limit:
    case Way::memory_limit:
    case Way::small_disk:
      return;
    default:
      run.wait_for(plan.delay_us / 1000);
  }
  const std::string pid = std::to_string(run.pid());
  switch (plan.way) {
    case Way::signal:
    case Way::signal_to_all:
      for (int i = 0; i < plan.times; ++i) {
        if (plan.way == Way::signal) run.signal(plan.signal);
        if (plan.way == Way::signal_to_all) run.signal_all(plan.signal);
        if (i > 0) usleep(static_cast<useconds_t>(plan.delay_us % 3000));
      }
      break;
    case Way::kill:
      run.signal(SIGKILL);
      break;
    case Way::kill_of_a_worker: {
      const std::string children =
          Machine().text("/proc/" + pid + "/task/" + pid + "/children").value_or("");
      const int child = std::atoi(children.c_str());
      if (child > 0) kill(child, SIGKILL);
      break;
    }
    case Way::pipe_is_stuck:
      run.signal(SIGTERM);
      break;
    default:
      break;
  }
  if (plan.way != Way::pipe_is_stuck) wires = Wires();
}

// The end may have come before the program was ready to handle it.
bool died_early(const ProcessGroup& run, const std::string& out, int status) {
  return WIFSIGNALED(status) && run.err().empty() && !std::filesystem::exists(out) &&
         !std::filesystem::exists(kJournal);
}

void RandomEnds::expect_exit(const Plan& plan, const ProcessGroup& run, int status) const {
  ASSERT_NE(status, -1) << "the program hangs";
  std::set<int> codes = {0};
  switch (plan.way) {
    case Way::nothing:
      break;
    case Way::signal:
    case Way::signal_to_all: {
      constexpr int kEndNothing[] = {SIGPIPE, SIGXFSZ, SIGCHLD, SIGCONT, SIGWINCH, SIGURG};
      if (std::ranges::count(kEndNothing, plan.signal) == 0) codes.insert(130);
      break;
    }
    case Way::pipe_is_stuck:
      codes.insert(130);
      break;
    case Way::kill:
      codes.insert(128 + SIGKILL);
      break;
    case Way::closed:
      break;
    case Way::full:
      codes = {2};
      break;
    case Way::session_goes:
      codes.insert({2, 130});
      break;
    case Way::memory_limit:
      codes.insert({2, 4});
      break;
    case Way::kill_of_a_worker:
    case Way::pipe_closes:
    case Way::terminal_goes:
    case Way::small_disk:
      codes.insert(2);
      break;
    case Way::file_size_limit:
      // A journal that cannot be written: this machine cannot take a CPU away.
      codes.insert({2, 4});
      break;
  }
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  EXPECT_TRUE(codes.contains(code) || died_early(run, out_of_round(), status))
      << "exit code " << code;
  // At most one line says why, besides those that report failed runs; nothing else is printed.
  int errors = 0;
  for (const std::string& line : lines_of(run.err())) {
    const bool error = line.starts_with("gilscope: ");
    EXPECT_TRUE(error || line.starts_with("block ") || line.starts_with("report: ")) << line;
    if (error && !line.starts_with("gilscope: block ")) ++errors;
  }
  EXPECT_LE(errors, 1);
}

void RandomEnds::expect_machine(const Plan& plan) const {
  if (plan.way == Way::kill && std::filesystem::exists(kJournal)) {
    const Ended restored = gilscope_run({"restore"});
    EXPECT_EQ(restored.status, 0) << restored.err;
  }
  expect_as_found();
  EXPECT_EQ(all_cpus(), cpus_here());
}

size_t done_runs(const Report& report, int block) {
  size_t done = 0;
  for (const Cell& cell : report.cells) {
    done += static_cast<size_t>(std::ranges::count_if(cell.runs, [&](const gilscope::Run& run) {
      return run.block == block && run.status != "interrupted";
    }));
  }
  return done;
}

void RandomEnds::expect_report(const Plan& plan, const ProcessGroup& run, int status) const {
  // A line says that a block has begun, and hence that those before it are done.
  int begun = 0;
  for (const std::string& line : lines_of(run.err())) {
    std::sscanf(line.c_str(), "block %d/", &begun);
  }
  if (!std::filesystem::exists(out_of_round() + "/report.json")) {
    EXPECT_LE(begun, 1) << "a block was done, but there is no report";
    return;
  }
  const Ended valid = gilscope_run({"validate", out_of_round()});
  EXPECT_EQ(valid.status, 0) << valid.err;
  const auto report = read_report(out_of_round());
  ASSERT_TRUE(report) << report.error().message;
  for (int block = 0; block + 1 < begun; ++block) {
    EXPECT_EQ(done_runs(*report, block), plan.runs_of_a_block) << "block " << block + 1;
  }
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  if (code == 0) {
    EXPECT_EQ(report->status, "done");
    for (int block = 0; block < plan.blocks; ++block) {
      EXPECT_EQ(done_runs(*report, block), plan.runs_of_a_block) << "block " << block + 1;
    }
  }
  if (code == 130) {
    EXPECT_EQ(report->status, "interrupted");
  }
}

void RandomEnds::resume(const Plan& plan) const {
  std::vector<std::string> arguments = plan.arguments;
  arguments.push_back("--quiet");
  const Ended ended = gilscope_run(arguments);
  EXPECT_EQ(ended.status, 0) << ended.err;
  const auto report = read_report(out_of_round());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->status, "done");
  const Ended valid = gilscope_run({"validate", out_of_round()});
  EXPECT_EQ(valid.status, 0) << valid.err;
  expect_as_found();
}

void RandomEnds::round(const Plan& plan) {
  std::filesystem::create_directory(directory());
  std::optional<SmallDisk> disk;
  if (plan.way == Way::small_disk) {
    disk.emplace(directory(), plan.limit);
    ASSERT_TRUE(*disk) << "cannot mount a tmpfs";
  }
  {
    Wires wires = wires_of(plan);
    ProcessGroup run(plan.arguments, [&] { prepare(plan, wires); });
    wires.theirs = Fd();
    end(plan, run, wires);
    const int status = run.wait_in_time();
    SCOPED_TRACE("on standard error:\n" + run.err());
    expect_exit(plan, run, status);
    expect_machine(plan);
    expect_report(plan, run, status);
    ++codes_[fmt::format("{}: {}", kWays[static_cast<int>(plan.way)],
                         WIFEXITED(status) ? fmt::format("exit {}", WEXITSTATUS(status))
                                           : fmt::format("signal {}", WTERMSIG(status)))];
  }
  const bool may_have_failed_runs =
      plan.way == Way::memory_limit || plan.way == Way::kill_of_a_worker;
  if (plan.is_resumed && !disk && !may_have_failed_runs && !HasFailure()) resume(plan);
  disk.reset();
  std::filesystem::remove_all(directory());
}

uint64_t number_from(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

TEST_F(RandomEnds, LeaveTheMachineAsItWas) {
  const uint64_t first = number_from("GILSCOPE_ENDS_SEED", std::random_device{}());
  const uint64_t rounds = number_from("GILSCOPE_ENDS_ROUNDS", 25);
  std::printf("%lu rounds from GILSCOPE_ENDS_SEED=%lu\n", rounds, first);
  for (uint64_t seed = first; seed < first + rounds; ++seed) {
    const Plan plan(seed, out_of_round());
    SCOPED_TRACE(fmt::format("GILSCOPE_ENDS_SEED={} GILSCOPE_ENDS_ROUNDS=1\n  gilscope {}", seed,
                             plan.words()));
    round(plan);
    if (HasFailure()) break;
  }
  for (const auto& [end, count] : codes_) std::printf("%6d  %s\n", count, end.c_str());
}

}  // namespace
}  // namespace gilscope
