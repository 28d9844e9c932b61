#include "userspace/experiment/program/program_tracer.h"

#include "userspace/machine/facts/parts.h"
#include "userspace/recording/known_gils.h"
#include "userspace/recording/process_facts.h"
#include "userspace/recording/traced_run.h"
#include "userspace/tracer/tracer.h"

namespace gilscope {

Result<ProgramTracer> ProgramTracer::load(bool records) {
  SubjectTracer::Options options;
  options.records = records;
  if (on_emulated_cpus()) options.lead = kEmulatedLead;
  auto tracer = SubjectTracer::load(options);
  if (!tracer) return fail(tracer.error());
  return ProgramTracer(std::move(*tracer));
}

Status ProgramTracer::begin(pid_t pid, const Subject& subject, std::span<const Known> threads,
                            const Place& place) {
  report_id_ = place.report_id;
  if (Status reset = tracer_.reset(); !reset) return reset;
  followed_ =
      std::make_unique<Followed>(tracer_, place.out, report_id_, nullptr, place.cell, place.block);
  const auto outermost = outermost_pid(pid);
  if (!outermost) return fail("the process has ended");
  if (Status attached = tracer_.attach(); !attached) return attached;
  const auto at = tracer_.reserve_process();
  if (!at) return fail(at.error());
  if (Status enrolled = tracer_.enrol(*at, *outermost); !enrolled) return enrolled;
  process_ = &followed_->add(*at, pid);
  for (const Known& known : threads) {
    if (!known.tid) continue;
    process_->expected.emplace(*known.tid, process_->threads.size());
    Thread& thread = process_->threads.emplace_back();
    thread.name = known.name;
    thread.gil = GilCounts::of_subject();
  }
  process_->threads_before = threads.size();
  const std::vector<gilscope_gil> gils = gils_of(subject, 0);
  if (!gils.empty()) tracer_.set_gils(*at, gils);
  return followed_->recognise(*process_, subject);
}

Result<std::function<Status()>> ProgramTracer::begin_unknown(const Place& place) {
  report_id_ = place.report_id;
  process_ = nullptr;
  search_ = Search();
  if (Status reset = tracer_.reset(); !reset) return fail(reset.error());
  followed_ =
      std::make_unique<Followed>(tracer_, place.out, report_id_, nullptr, place.cell, place.block);
  if (Status attached = tracer_.attach(); !attached) return fail(attached.error());
  const auto at = tracer_.reserve_process();
  if (!at) return fail(at.error());
  return [this, place = *at] { return tracer_.enrol_caller(place); };
}

// The process has a place in the table before it executes the program, and another one after that.
Status ProgramTracer::look(pid_t pid) {
  const auto processes = tracer_.processes();
  const auto outermost = outermost_pid(pid);
  for (uint32_t place = 0; place < processes.size() && process_ == nullptr; ++place) {
    const gilscope_process& traced = processes[place];
    if (traced.state == GILSCOPE_PROCESS_NONE || !traced.executed || traced.tgid != outermost) {
      continue;
    }
    FollowedProcess* known = followed_->at(place);
    process_ = known ? known : &followed_->add(place, pid);
    process_->pid = pid;
    Subject unknown;
    unknown.pid = pid;
    unknown.kind = "program";
    unknown.has_gil = false;
    if (Status begun = followed_->recognise(*process_, std::move(unknown)); !begun) return begun;
  }
  if (process_ == nullptr) return {};
  const gilscope_process& traced = processes[process_->place];
  if (traced.gil_count == 0 && traced.state == GILSCOPE_PROCESS_TRACED) {
    search_.want(process_->place, pid, traced.started + 1);
  }
  auto found = search_.step();
  if (!found || found->place != process_->place) return {};
  const std::vector<gilscope_gil> gils = gils_of(found->subject, 0);
  if (!gils.empty()) tracer_.set_gils(process_->place, gils);
  process_->subject = std::move(found->subject);
  if (gils.empty()) search_.drop(process_->place);
  return {};
}

Status ProgramTracer::drain() {
  const std::vector<uint32_t> ended = followed_->ended_threads();
  Status taken = tracer_.drain(
      [this](std::span<const gilscope_segment> segments) { return followed_->take(segments); });
  followed_->take_ended_threads(ended);
  return taken;
}

Status ProgramTracer::close_window() {
  if (process_ == nullptr) return fail("the program was not seen to run");
  // A thread that never was switched out while it held the GIL may be seen from here to hold it.
  process_->holder_seen = process_->holder_seen || has_holder(*process_->subject, 0);
  Status closed = tracer_.close_window();
  tracer_.detach();
  return closed;
}

Status ProgramTracer::end(Run& run, std::span<const int> cpus) {
  Status taken = drain();
  followed_->take_all_threads();
  const Status finished = followed_->finish();
  if (taken) taken = finished;
  if (taken) add_trace(run, *process_, tracer_, cpus);
  followed_.reset();
  return taken;
}

void ProgramTracer::abandon() {
  tracer_.detach();
  followed_.reset();
}

}  // namespace gilscope
