#include "userspace/experiment/program/program_runner.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "userspace/base/file_io.h"
#include "userspace/experiment/plan/plan.h"
#include "userspace/experiment/program/script_run.h"
#include "userspace/experiment/run/client.h"
#include "userspace/experiment/run/results.h"
#include "userspace/experiment/run/run_sheet.h"
#include "userspace/experiment/scripts/scripts.h"
#include "userspace/machine/cpus.h"
#include "userspace/machine/facts/environment.h"
#include "userspace/machine/limit/masks.h"
#include "userspace/recording/process_facts.h"
#include "userspace/recording/subject_cell.h"
#include "userspace/report/resource_usage.h"

namespace gilscope {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr int kLooksForGil = 3;  // of two seconds each, at most

// Binds all threads of a process. A thread that another starts meanwhile has its starter's mask, of
// before or after, so that all have it after the second time.
Status bind_threads(pid_t pid, const std::vector<int>& cpus) {
  for (int time = 0; time < 2; ++time) {
    std::error_code gone;
    std::filesystem::directory_iterator task(fmt::format("/proc/{}/task", pid), gone);
    for (; !gone && task != std::filesystem::directory_iterator(); task.increment(gone)) {
      const auto tid =
          static_cast<pid_t>(std::strtol(task->path().filename().c_str(), nullptr, 10));
      if (Status bound = set_mask(tid, cpus);
          !bound && std::filesystem::exists(task->path(), gone)) {
        return bound;
      }
    }
  }
  return {};
}

// The usage of a process when the gate was opened, and when its work was done.
struct Used {
  ResourceUsage usage;
  Switches switches;

  static Used by(pid_t pid) {
    return {process_usage(pid).value_or(ResourceUsage()), switches_so_far(pid)};
  }
};

Result<Fd> script_file(const std::string& kind, const std::string& instead) {
  if (instead.empty()) return open_script(kind);
  Fd file(::memfd_create("script", MFD_CLOEXEC));
  if (!file) return fail_errno("memfd_create");
  if (Status s = write_all(file.get(), instead, "cannot write a script"); !s) {
    return fail(s.error());
  }
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return fail_errno("lseek");
  return file;
}

// A run of so much work ends in this time, however slow the interpreter.
uint64_t most_ns_of(const Cell& cell) {
  constexpr double kSlower = 50;
  return 60 * kSecond + static_cast<uint64_t>(expected_seconds(cell) * kSlower * 1e9);
}

// One run, from its start to its record. The steps are in the order in which they are called.
class Execution {
 public:
  Execution(Cell& cell, const ProgramRunner::Options& options, ProgramTracer* tracer)
      : cell_(cell), options_(options), tracer_(tracer) {}

  // Gets the script to where its threads wait and its GIL is known.
  Status start(ScriptRun& script, ScriptProcess& process);
  // Opens the gate, and waits until the work is done.
  Status work(ScriptRun& script, ScriptProcess& process, Workload& workload);
  // Lets it end.
  Status end(ScriptRun& script, ScriptProcess& process, const Stops& stops);

  // The record of a run that succeeded.
  Status fill(Run& run, const Workload& workload, const SampleBook& samples);
  void abandon() {
    if (tracing_) tracer_->abandon();
    tracing_ = false;
  }

  const std::optional<Subject>& subject() const { return subject_; }
  const DisturbanceReadings& before() const { return before_; }
  const DisturbanceReadings& after() const { return after_; }
  pid_t pid() const { return pid_; }

 private:
  Status check_threads() const;
  Status find(ScriptRun& script);
  void name_threads(Run& run) const;
  size_t measured() const { return static_cast<size_t>(cell_.threads); }

  Cell& cell_;
  const ProgramRunner::Options& options_;
  ProgramTracer* tracer_;
  pid_t pid_ = -1;
  size_t background_ = 0;
  script::Ready ready_;
  script::Done done_;
  std::optional<Subject> subject_;
  Error not_found_;
  std::vector<ProgramTracer::Known> known_;
  bool tracing_ = false;
  DisturbanceReadings before_, after_;
  Used used_before_, used_after_;
  uint64_t gate_ns_ = 0;  // from the gate's opening to the script's word that all is done
  std::optional<CommandEnd> ended_;
};

Status Execution::check_threads() const {
  const size_t wanted = 1 + measured() + background_;
  if (ready_.threads.size() == wanted) return {};
  return fail(fmt::format("the script has {} threads, and the run needs {}", ready_.threads.size(),
                          wanted));
}

// Where the GIL stands in memory says it mostly; else threads have to contend for it.
Status Execution::find(ScriptRun& script) {
  auto found = find_subject(pid_, {.observation = false});
  if (!found) {
    if (Status said = script.say("contend"); !said) return said;
    if (auto contends = script.wait_for<script::Contending>("contend", options_.patience.answer_ns);
        !contends) {
      return fail(contends.error());
    }
    // On one CPU a waiter of 2.7's semaphore is mostly woken and waits for the CPU, so that a look
    // hardly ever sees it sleep.
    const auto everywhere = allowed_cpus();
    if (!everywhere) return fail(everywhere.error());
    // A cpuset or a CPU that is offline may not let them: then the look has to do without.
    static_cast<void>(bind_threads(pid_, *everywhere));
    for (int tries = 0; tries < kLooksForGil && !found; ++tries) found = find_subject(pid_);
    if (Status bound = bind_threads(pid_, cell_.cpu_list); !bound) return bound;
    if (Status said = script.say("rest"); !said) return said;
    if (auto rests = script.wait_for<script::Resting>("rest", options_.patience.answer_ns);
        !rests) {
      return fail(rests.error());
    }
  }
  if (found) {
    subject_ = std::move(*found);
  } else {
    not_found_ = found.error();
  }
  return {};
}

Status Execution::start(ScriptRun& script, ScriptProcess& process) {
  pid_ = process.pid();
  auto ready = script.wait_for<script::Ready>("get ready", options_.patience.ready_ns);
  if (!ready) return fail(ready.error());
  ready_ = std::move(*ready);
  const auto workload = read_workload(cell_.workload);
  background_ = workload->parameters.number("background");
  if (Status enough = check_threads(); !enough) return enough;
  for (const script::Ready::Thread& thread : ready_.threads) {
    known_.push_back({thread.name, thread.tid ? outermost_tid(pid_, *thread.tid) : std::nullopt});
  }
  if (Status found = find(script); !found) return found;
  if (!options_.traced) return {};
  if (!subject_) return fail("its GIL was not found: " + not_found_.message);
  tracing_ = true;
  if (Status begun = tracer_->begin(pid_, *subject_, known_, options_.place); !begun) return begun;
  script.trace_by(*tracer_);
  return {};
}

Status Execution::work(ScriptRun& script, ScriptProcess& process, Workload& workload) {
  const uint64_t patience =
      options_.patience.done_ns != 0 ? options_.patience.done_ns : most_ns_of(cell_);
  used_before_ = Used::by(pid_);
  before_ = read_disturbances(cell_.cpu_list);
  if (tracing_) {
    if (Status opened = tracer_->open_window(); !opened) return opened;
  }
  const uint64_t opened_ns = monotonic_ns();
  if (Status said = script.say("go"); !said) return said;
  workload.begin();
  auto done = script.wait_for<script::Done>("get done", patience);
  gate_ns_ = monotonic_ns() - opened_ns;
  if (!done) return fail(done.error());
  done_ = std::move(*done);
  used_after_ = Used::by(process.pid());
  if (tracing_) {
    script.trace_no_more();
    if (Status closed = tracer_->close_window(); !closed) return closed;
  }
  after_ = read_disturbances(cell_.cpu_list);
  if (done_.threads.size() != measured() + background_) {
    return fail(fmt::format("the script accounts for {} threads, and the run has {}",
                            done_.threads.size(), measured() + background_));
  }
  // Clocks differ by no more than this in so short a time.
  if (ready_.monotonic && done_.wall_ns > gate_ns_ + gate_ns_ / 100) {
    return fail(
        fmt::format("the script measured {} ns, and {} have passed", done_.wall_ns, gate_ns_));
  }
  return {};
}

Status Execution::end(ScriptRun& script, ScriptProcess& process, const Stops& stops) {
  stops.end_of_worker();
  if (Status said = script.say("end"); !said) return said;
  process.close_gate();
  const auto ended = script.wait_for_end(options_.patience.answer_ns);
  if (!ended) return fail(ended.error());
  ended_ = *ended;
  if (ended->exit_status() == 0) return {};
  return fail("the script " + process.how_it_ended(*ended));
}

// The script's names and its threads' parts, in the order in which it listed them.
void Execution::name_threads(Run& run) const {
  for (size_t i = 0, at = 0; i < known_.size(); ++i) {
    Thread* thread = nullptr;
    if (!options_.traced) {
      thread = &run.threads.emplace_back();
      // Nothing of the GIL was seen.
      thread->gil.acquires = thread->gil.releases = thread->gil.drop_requests = std::nullopt;
    } else if (known_[i].tid) {
      thread = &run.threads[at++];
    } else {
      const auto found = std::ranges::find(run.threads, known_[i].name, &Thread::name);
      if (found != run.threads.end()) thread = &*found;
    }
    if (thread == nullptr) continue;
    thread->name = known_[i].name;
    thread->role = i == 0 ? "main" : i <= measured() ? "worker" : "background";
    thread->daemon = i > measured();
    thread->ended = i == 0 || i > measured() ? "running" : "finished";
    if (i > 0) thread->operations = done_.threads[i - 1].operations;
  }
  // Of the interpreter's own: they wait, collect garbage, compile.
  for (Thread& thread : run.threads) {
    const bool known = std::ranges::any_of(
        known_, [&](const ProgramTracer::Known& each) { return each.name == thread.name; });
    if (!known) thread.role = "background", thread.daemon = true;
  }
}

Status Execution::fill(Run& run, const Workload& workload, const SampleBook& samples) {
  run.wall_ns = done_.wall_ns;
  run.rusage = usage_between(used_before_.usage, used_after_.usage);
  run.rusage.max_rss_bytes = used_after_.usage.max_rss_bytes;
  // Threads that have ended took their counts with them, and left them to the process's end.
  const ResourceUsage all = resource_usage_of(ended_->usage);
  run.rusage.voluntary_switches =
      all.voluntary_switches - std::min(all.voluntary_switches, used_before_.switches.voluntary);
  run.rusage.involuntary_switches =
      all.involuntary_switches -
      std::min(all.involuntary_switches, used_before_.switches.involuntary);
  if (tracing_) {
    tracing_ = false;
    if (Status traced = tracer_->end(run, cell_.cpu_list); !traced) return traced;
  } else {
    run.gil.acquires = run.gil.releases = run.gil.drop_requests = std::nullopt;
  }
  name_threads(run);
  const size_t rows = 1 + measured() + background_;
  const auto sheet = SharedSheet::make(rows);
  if (!sheet) return fail(sheet.error());
  for (size_t i = 0; i < done_.threads.size(); ++i) {
    sheet->rows()[i + 1].operations = done_.threads[i].operations;
    sheet->rows()[i + 1].active_ns = done_.threads[i].active_ns.value_or(0);
  }
  run.workload = results_of(workload, samples, sheet->rows(), measured(), run.wall_ns);
  for (const auto& [key, value] : done_.results) run.workload.emplace(key, value);
  run.workload["gate_to_done_ns"] = static_cast<double>(gate_ns_);
  return {};
}

}  // namespace

Result<Run> ProgramRunner::run(Cell& cell, const InterpreterFile& file, const Options& options) {
  const auto program = read_program(cell.policy);
  if (!program) return fail(program.error());
  const auto threads = static_cast<size_t>(cell.threads);
  auto workload = make_workload(cell.workload);
  if (!workload) return fail(workload.error());
  if (Status prepared = (*workload)->prepare(threads); !prepared) return fail(prepared.error());
  const auto samples = make_book(**workload, threads);
  if (!samples) return fail(samples.error());
  auto stops = Stops::watch();
  if (!stops) return fail(stops.error());
  auto client = start_client(**workload, *samples, cell.cpu_list, interrupt_);
  if (!client) return fail(client.error());

  auto process = ScriptProcess::prepare();
  if (!process) return fail(process.error());
  const auto script = script_file(program->kind, options.script);
  if (!script) return fail(script.error());
  const auto read = read_workload(cell.workload);
  ScriptTask task{.workload = *read,
                  .threads = threads,
                  .threaded = cell.arrangement == "threaded",
                  .join_at_end = cell.main_exit != "kill",
                  .gate = process->gate_fd(),
                  .results = process->results_fd(),
                  .switch_interval_ns = program->switch_interval_ns,
                  .check_interval = program->check_interval};
  task.connections = (*workload)->server_descriptors();
  const auto by_affinity = make_affinity_limiter();
  ScriptProcess::Options start;
  start.owner = &owner_;
  start.root = file.root;
  start.cpus = cell.cpu_list;
  start.limiter = options.limiter ? options.limiter : by_affinity.get();
  start.stops = &*stops;
  start.input = script->get();
  start.descriptors = task.connections;
  Status status = process->start(
      argv_for(program->kind, file.executable, file.version, task_json(task)), start);
  if (!status) return fail(status.error());
  stops->follow(process->pid(), *client ? (*client)->pid() : -1);

  Run run;
  run.pid = process->pid();
  Execution execution(cell, options, tracer_);
  ScriptRun conversation(*process, *client ? &**client : nullptr, *stops, interrupt_, "the script");
  if ((*workload)->takes_samples() && !(*workload)->client_takes_samples()) {
    conversation.samples = [&](const script::Samples& measured) -> Status {
      if (measured.thread >= threads) return fail("the script sends latencies of no thread");
      for (const uint64_t ns : measured.ns) samples->writer(measured.thread).add(0, ns);
      return {};
    };
  }
  status = execution.start(conversation, *process);
  if (status) status = execution.work(conversation, *process, **workload);
  if (status) status = execution.end(conversation, *process, *stops);
  if (!status) process->kill();
  if (*client) run.client = (*client)->finish();
  DisturbanceReadings after = execution.after();
  after.stopped_by = stops->end();
  run.stopped_by = after.stopped_by.value_or(std::vector<std::string>());
  run.steal_ns = steal_between(execution.before(), after);
  if (run.steal_ns) run.steal_over_ns = after.at_ns - execution.before().at_ns;
  if (!conversation.kept()) {
    execution.abandon();
    return fail(conversation.kept().error());
  }
  if (status) status = execution.fill(run, **workload, *samples);
  execution.abandon();
  if (status) {
    run.status = "done";
    run.disturbances =
        judge_disturbances(options.limits, cell.cpu_list, run, execution.before(), after);
    if ((*workload)->client_takes_samples()) {
      if (Status taken = options.samples_sink(*samples); !taken) return fail(taken.error());
    }
    if (execution.subject() && (!cell.subject || cell.subject->interpreter.empty())) {
      cell.subject = subject_of(*execution.subject());
      cell.subject->pid = 0;
    }
  } else if (conversation.interrupted() || interrupt_.requested()) {
    run.status = "interrupted";
  } else {
    run.status = "failed";
    run.failure = status.error().message;
  }
  return run;
}

}  // namespace gilscope
