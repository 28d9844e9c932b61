#include "userspace/recording/recorder.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "userspace/base/digest.h"
#include "userspace/base/time.h"
#include "userspace/base/uuid.h"
#include "userspace/machine/cpus.h"
#include "userspace/machine/facts/environment.h"
#include "userspace/machine/facts/parts.h"
#include "userspace/recording/followed.h"
#include "userspace/recording/known_gils.h"
#include "userspace/recording/process_facts.h"
#include "userspace/recording/search.h"
#include "userspace/recording/spec.h"
#include "userspace/recording/subject_cell.h"
#include "userspace/recording/traced_run.h"
#include "userspace/report/out_dir.h"
#include "userspace/subject/lock.h"
#include "userspace/subject/subject.h"
#include "userspace/tracer/subject_tracer.h"
#include "userspace/tracer/tracer.h"

namespace gilscope {
namespace {

using namespace std::chrono_literals;

// Records are taken when the doorbell rings; accounts of threads that have ended, at least so
// often.
constexpr auto kHousekeeping = 100ms;

}  // namespace

class Recorder::Recording {
 public:
  Recording(const Options& options, SubjectTracer tracer, std::string id)
      : options_(options),
        id_(std::move(id)),
        tracer_(std::move(tracer)),
        followed_(tracer_, options.trace == "full" ? options.out : nullptr, id_, options.reader),
        search_(options.lock) {}

  Status begin();
  Result<uint32_t> reserve() { return tracer_.reserve_process(); }
  Status enrol_caller(uint32_t place) const { return tracer_.enrol_caller(place); }
  Status follow(pid_t pid);
  Status open();
  Status step();
  Status close();
  Result<Report> finish(const ResourceUsage* usage, const std::string& status);

  std::vector<int> fds() const { return {tracer_.doorbell_fd()}; }
  int timeout_ms() const;
  size_t processes() const;
  LiveState live() { return followed_.live(cpus_); }
  void read_records(bool read) { tracer_.read_records(read); }
  uint64_t settled_ns() const { return followed_.settled_ns(); }
  std::string why_not_found() const { return search_.why_not(); }

 private:
  Status take_records();
  Status note_processes();
  Status note_process(uint32_t place, const gilscope_process& traced);
  Status note_found();
  void set_gils(uint32_t place, const Subject& subject);
  void look_for_holders();
  void look_again(FollowedProcess& process, const gilscope_process& traced);
  Cell cell_of(FollowedProcess& process, const ResourceUsage* usage);

  Options options_;
  std::string id_;
  SubjectTracer tracer_;
  Followed followed_;
  Search search_;
  Facts environment_, before_;
  std::string created_at_;
  std::vector<int> cpus_;
  bool closing_ = false;
  std::optional<uint64_t> steal_before_;
  uint64_t steal_read_ns_ = 0;
  std::chrono::steady_clock::time_point housekeeping_;
};

Status Recorder::Recording::begin() {
  if (Status attached = tracer_.attach(); !attached) return attached;
  environment_ = capture_environment();
  before_ = capture_moment();
  created_at_ = utc_now();
  // The process may use others than this one.
  const auto topology = read_topology();
  if (!topology) return fail(topology.error());
  for (const Cpu& cpu : *topology) {
    if (cpu.online) cpus_.push_back(cpu.id);
  }
  std::ranges::sort(cpus_);
  return {};
}

Status Recorder::Recording::follow(pid_t pid) {
  auto subject = options_.lock ? find_lock(pid, *options_.lock) : find_subject(pid);
  if (!subject) return fail(subject.error());
  const auto outermost = outermost_pid(pid);
  if (!outermost) return fail(fmt::format("process {} has ended", pid));
  auto place = tracer_.reserve_process();
  if (!place) return fail(place.error());
  if (Status enrolled = tracer_.enrol(*place, *outermost); !enrolled) return enrolled;
  FollowedProcess& process = followed_.add(*place, pid);
  set_gils(*place, *subject);
  process.threads_before = thread_count(pid);
  if (const auto used = process_usage(pid)) process.used_before = process.usage = *used;
  return followed_.recognise(process, std::move(*subject));
}

Status Recorder::Recording::open() {
  steal_before_ = read_steal_ns(cpus_);
  steal_read_ns_ = monotonic_ns();
  return tracer_.open_window();
}

int Recorder::Recording::timeout_ms() const {
  auto wait = kHousekeeping;
  if (const auto search = search_.wait()) wait = std::min(wait, *search);
  return static_cast<int>(wait.count());
}

Status Recorder::Recording::take_records() {
  const std::vector<uint32_t> ended = followed_.ended_threads();
  Status taken = tracer_.drain(
      [this](std::span<const gilscope_segment> segments) { return followed_.take(segments); });
  followed_.take_ended_threads(ended);
  followed_.forget_ended();
  return taken;
}

Status Recorder::Recording::note_process(uint32_t place, const gilscope_process& traced) {
  FollowedProcess* known = followed_.at(place);
  if (!known) known = &followed_.add(place, static_cast<pid_t>(traced.tgid));
  if (known->subject) {
    look_again(*known, traced);
    return {};
  }
  FollowedProcess* parent = traced.parent ? followed_.at(traced.parent - 1) : nullptr;
  if (parent && !traced.executed && parent->subject && traced.gil_count) {
    // A copy of its parent, GIL and all. With a single thread it has nothing to contend for, and is
    // mostly about to execute something else; it gets its cell if it is still there at the end.
    if (traced.started == 0 && !closing_) return {};
    Subject subject = *parent->subject;
    subject.pid = known->pid;
    return followed_.recognise(*known, std::move(subject));
  }
  if (traced.state == GILSCOPE_PROCESS_TRACED) {
    search_.want(place, known->pid, traced.started + 1);
  } else {
    search_.drop(place);
  }
  return {};
}

Status Recorder::Recording::note_processes() {
  const auto processes = tracer_.processes();
  for (uint32_t place = 0; place < processes.size(); ++place) {
    if (processes[place].state == GILSCOPE_PROCESS_NONE) continue;
    if (Status noted = note_process(place, processes[place]); !noted) return noted;
  }
  return {};
}

void Recorder::Recording::set_gils(uint32_t place, const Subject& subject) {
  const std::vector<gilscope_gil> gils = gils_of(subject, options_.wrong_by);
  if (!gils.empty()) tracer_.set_gils(place, gils);
}

// Sub-interpreters with GILs of their own may come with new threads.
void Recorder::Recording::look_again(FollowedProcess& process, const gilscope_process& traced) {
  constexpr uint64_t kSeldom = 1'000'000'000;
  const uint64_t now = monotonic_ns();
  if (process.subject->kind != "python" || traced.state != GILSCOPE_PROCESS_TRACED ||
      traced.started == process.threads_when_found || now - process.found_ns < kSeldom) {
    return;
  }
  process.threads_when_found = traced.started;
  process.found_ns = now;
  search_.want(process.place, process.pid, 1);
}

Status Recorder::Recording::note_found() {
  auto found = search_.step();
  if (!found) return {};
  FollowedProcess* process = followed_.at(found->place);
  if (!process) return {};
  if (process->subject) {
    add_gils(*process->subject, found->subject);
    set_gils(found->place, *process->subject);
    return {};
  }
  set_gils(found->place, found->subject);
  found->subject.pid = process->pid;
  return followed_.recognise(*process, std::move(found->subject));
}

Status Recorder::Recording::step() {
  if (Status taken = take_records(); !taken) return taken;
  const auto now = std::chrono::steady_clock::now();
  if (now - housekeeping_ >= kHousekeeping) {
    housekeeping_ = now;
    followed_.read_usages();
  }
  if (Status noted = note_processes(); !noted) return noted;
  return note_found();
}

size_t Recorder::Recording::processes() const {
  return static_cast<size_t>(std::ranges::count_if(
      tracer_.processes(),
      [](const gilscope_process& process) { return process.state == GILSCOPE_PROCESS_TRACED; }));
}

// A thread that never was switched out while it held the GIL may be seen from here to hold it.
void Recorder::Recording::look_for_holders() {
  for (FollowedProcess& process : followed_.processes()) {
    if (!process.subject || process.ended) continue;
    process.holder_seen = process.holder_seen || has_holder(*process.subject, options_.wrong_by);
  }
}

Status Recorder::Recording::close() {
  followed_.read_usages();
  look_for_holders();
  Status closed = tracer_.close_window();
  tracer_.detach();
  Status taken = take_records();
  closing_ = true;
  Status noted = note_processes();
  followed_.take_all_threads();
  Status finished = followed_.finish();
  for (const Status& status : {closed, taken, noted}) {
    if (!status) return status;
  }
  return finished;
}

Cell Recorder::Recording::cell_of(FollowedProcess& process, const ResourceUsage* usage) {
  Cell cell;
  cell.subject = subject_of(*process.subject);
  cell.policy = process.subject->kind + ":" + process.subject->executable;
  cell.workload = options_.command;
  cell.arrangement = "threaded";
  cell.threads = static_cast<int>(std::max(process.threads.size(), process.threads_before));
  cell.cpus = "all";
  cell.cpu_list = cpus_;
  cell.cpus_by = "affinity";
  cell.cpu_order = "cores-first";
  cell.main_exit = "join";
  cell.bounded_by = options_.ended_by_time ? "time" : "work";

  Run run;
  run.trace = options_.trace;
  run.status = "done";
  run.started_at = created_at_;
  add_trace(run, process, tracer_, cpus_);
  run.wall_ns = *run.window_ns;
  if (usage) {
    run.rusage = *usage;
  } else {
    run.rusage = usage_between(process.used_before, process.usage);
    for (const Thread& thread : run.threads) {
      run.rusage.voluntary_switches += thread.trace->voluntary_switches;
      run.rusage.involuntary_switches += thread.trace->involuntary_switches;
    }
  }
  if (const auto steal = read_steal_ns(cpus_); steal && steal_before_) {
    run.steal_ns = *steal - *steal_before_;
    run.steal_over_ns = monotonic_ns() - steal_read_ns_;
  }
  cell.runs.push_back(std::move(run));
  return cell;
}

Result<Report> Recorder::Recording::finish(const ResourceUsage* usage, const std::string& status) {
  Report report;
  report.id = id_;
  report.gilscope = GILSCOPE_VERSION;
  report.created_at = created_at_;
  report.status = status;
  report.spec = recording_spec(options_.command, options_.argv, options_.trace,
                               options_.lock ? options_.lock->text : "");
  report.spec_sha256 = sha256(report.spec);
  report.blocks_planned = 1;
  report.environment = environment_;
  report.environment_before = before_;
  report.environment_after = capture_moment();
  report.capabilities = tracer_.capabilities();
  const size_t interpreters = static_cast<size_t>(std::ranges::count_if(
      followed_.processes(), [](const FollowedProcess& p) { return p.subject.has_value(); }));
  report.cells.resize(interpreters);
  // The command's usage has its children's in it. Where it has none, there is itself, before and
  // after it has executed its program.
  if (followed_.processes().size() > 2) usage = nullptr;
  for (FollowedProcess& process : followed_.processes()) {
    if (process.subject) report.cells[process.cell] = cell_of(process, usage);
  }
  if (options_.out && interpreters > 0) {
    if (Status written = options_.out->write(report); !written) return fail(written.error());
  }
  return report;
}

Recorder::Recorder(std::unique_ptr<Recording> recording) : recording_(std::move(recording)) {}
Recorder::Recorder(Recorder&&) noexcept = default;
Recorder::~Recorder() = default;

Result<Recorder> Recorder::start(const Options& options) {
  auto id = new_uuid();
  if (!id) return fail(id.error());
  SubjectTracer::Options of_tracer;
  of_tracer.records = options.trace == "full";
  of_tracer.lock = options.lock.has_value();
  of_tracer.max_threads = options.max_threads;
  if (on_emulated_cpus()) of_tracer.lead = kEmulatedLead;
  auto tracer = SubjectTracer::load(of_tracer);
  if (!tracer) return fail(tracer.error());
  auto recording = std::make_unique<Recording>(options, std::move(*tracer), *id);
  if (Status begun = recording->begin(); !begun) return fail(begun.error());
  return Recorder(std::move(recording));
}

std::function<Status()> Recorder::in_child() {
  auto place = recording_->reserve();
  if (!place) return [error = place.error()]() -> Status { return fail(error); };
  return [recording = recording_.get(), place = *place] { return recording->enrol_caller(place); };
}

Status Recorder::follow(pid_t pid) {
  return recording_->follow(pid);
}
Status Recorder::open() {
  return recording_->open();
}
std::vector<int> Recorder::fds() const {
  return recording_->fds();
}
int Recorder::timeout_ms() const {
  return recording_->timeout_ms();
}
Status Recorder::step() {
  return recording_->step();
}
size_t Recorder::processes() const {
  return recording_->processes();
}
LiveState Recorder::live() {
  return recording_->live();
}
uint64_t Recorder::settled_ns() const {
  return recording_->settled_ns();
}
void Recorder::read_records(bool read) {
  recording_->read_records(read);
}
Status Recorder::close() {
  return recording_->close();
}
std::string Recorder::why_not_found() const {
  return recording_->why_not_found();
}
Result<Report> Recorder::finish(const ResourceUsage* usage, const std::string& status) {
  return recording_->finish(usage, status);
}

}  // namespace gilscope
