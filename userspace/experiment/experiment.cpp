#include "userspace/experiment/experiment.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <random>
#include <set>

#include "userspace/base/digest.h"
#include "userspace/base/exceptions.h"
#include "userspace/base/kernel_time.h"
#include "userspace/base/quote.h"
#include "userspace/base/time.h"
#include "userspace/base/uuid.h"
#include "userspace/descriptor/program.h"
#include "userspace/experiment/plan/plan.h"
#include "userspace/experiment/program/command_runner.h"
#include "userspace/experiment/program/program_runner.h"
#include "userspace/experiment/run/runner.h"
#include "userspace/experiment/tracers.h"
#include "userspace/machine/facts/environment.h"
#include "userspace/machine/facts/fixed_facts.h"
#include "userspace/machine/limit/cpu_limiter.h"

namespace gilscope {
namespace {

uint64_t drawn_seed() {
  return std::random_device{}();
}

bool same_cell(const Cell& a, const Cell& b) {
  return a.policy == b.policy && a.workload == b.workload && a.arrangement == b.arrangement &&
         a.threads == b.threads && a.cpus == b.cpus && a.cpu_list == b.cpu_list &&
         a.cpus_by == b.cpus_by && a.cpu_order == b.cpu_order && a.main_exit == b.main_exit &&
         a.pid() == b.pid();
}

// The facts of a real program that are known before it has run.
CellSubject expected_subject(const ProgramPolicy& program, const InterpreterFiles& files) {
  CellSubject subject;
  subject.kind = program.kind;
  const auto file = files.find(program.canonical);
  if (file == files.end()) {
    subject.executable = program.command.empty() ? program.path : program.command[0];
  } else {
    subject.version = file->second.version;
    subject.executable = file->second.executable;
  }
  return subject;
}

Result<Report> new_report(const ExperimentOptions& options, const Plan& plan) {
  auto id = new_uuid();
  if (!id) return fail(id.error());
  Report report;
  report.id = *id;
  report.gilscope = GILSCOPE_VERSION;
  report.created_at = utc_now();
  report.spec = options.spec_text;
  report.spec_sha256 = sha256(options.spec_text);
  report.seed = plan.seed;
  report.blocks_planned = options.spec.blocks;
  report.warmup_planned = options.spec.warmup;
  report.claim = options.spec.claim;
  report.environment = capture_environment();
  report.environment_before = capture_moment();
  report.cells = plan.cells;
  for (Cell& cell : report.cells) {
    if (!is_program(cell)) continue;
    cell.subject = expected_subject(*read_program(cell.policy), options.programs);
  }
  return report;
}

// Prepares an earlier report of the same spec for resuming. Its unfinished block runs again as a
// whole, because the runs of a block are compared with each other and must be measured together;
// the runs of the first attempt stay, marked.
Result<Report> is_resumed(Report report, const ExperimentOptions& options, const Plan& plan) {
  bool same = report.cells.size() == plan.cells.size() &&
              std::ranges::equal(report.cells, plan.cells, same_cell);
  if (!same) {
    return fail(fmt::format(
        "{} was started with other CPUs or interpreters than this machine has now; give --out "
        "another directory",
        in_quotes(options.out->path())));
  }
  report.minor = kReportMinor;  // runs added to it have this version's keys
  for (const Block& block : plan.blocks) {
    size_t done = 0;
    for (const Cell& cell : report.cells) {
      done += static_cast<size_t>(std::ranges::count_if(cell.runs, [&](const Run& run) {
        return run.block == block.index && run.status != "interrupted";
      }));
    }
    if (done == block.runs.size()) continue;
    for (Cell& cell : report.cells) {
      for (Run& run : cell.runs) {
        if (run.block == block.index) run.status = "interrupted";
      }
    }
  }
  return report;
}

// Records perf's counters in the capabilities. A counter that any thread of any run so far did not
// have, including runs before a resume, stays missing: it is not in every run.
void note_perf(Facts& capabilities, const PerfErrors& errors) {
  for (Fact& fact : perf_facts(errors)) {
    const auto known = std::ranges::find(capabilities, fact.key, &Fact::key);
    if (known == capabilities.end()) {
      capabilities.push_back(std::move(fact));
    } else if (known->reason.empty()) {
      *known = std::move(fact);
    }
  }
}

bool block_is_done(const Report& report, const Block& block) {
  return std::ranges::any_of(report.cells, [&](const Cell& cell) {
    return std::ranges::any_of(cell.runs, [&](const Run& run) {
      return run.block == block.index && run.status != "interrupted";
    });
  });
}

// A measured thread's slot on the board is its index plus one; slot 0 is main's.
std::vector<SampleRow> rows_of(const SampleBook& samples) {
  std::vector<SampleRow> rows;
  for (size_t i = 0; i < samples.writers(); ++i) {
    for (const Sample& sample : samples.samples(i)) {
      rows.push_back({i + 1, to_kernel_monotonic_ns(sample.sent_ns), sample.latency_ns});
    }
  }
  return rows;
}

class Experiment {
 public:
  Experiment(const ExperimentOptions& options, Interrupt& interrupt, Report& report, Plan& plan,
             Tracers& tracers)
      : options_(options),
        interrupt_(interrupt),
        report_(report),
        plan_(plan),
        runner_(tracers.of_models ? &*tracers.of_models : nullptr, interrupt),
        programs_(tracers.of_programs ? &*tracers.of_programs : nullptr, options.owner, interrupt),
        commands_(tracers.of_programs ? &*tracers.of_programs : nullptr, options.owner, interrupt) {
    for (const Cell& cell : plan.cells) expected_s_.push_back(expected_seconds(cell));
  }

  Status run();

 private:
  Status run_block(const Block& block);
  Result<Run> run_once(const PlannedRun& planned, const Block& block);
  Result<Run> run_model(const PlannedRun& planned, const Block& block);
  Result<Run> run_program(const PlannedRun& planned, const Block& block);
  // Keeps a run's latencies and names their file.
  std::function<Status(const SampleBook&)> samples_into(std::string& file,
                                                        const PlannedRun& planned,
                                                        const Block& block) const;
  Status write();
  void tell(const Block& block, const Cell& cell, const Run& run);

  const ExperimentOptions& options_;
  Interrupt& interrupt_;
  Report& report_;
  Plan& plan_;
  Runner runner_;
  ProgramRunner programs_;
  CommandRunner commands_;
  size_t runs_done_ = 0;                // of the plan, including earlier sessions
  std::vector<double> expected_s_;      // of one run, by cell
  double measured_s_ = 0, left_s_ = 0;  // expected seconds of this process's runs, and of the rest
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

Status Experiment::write() {
  return options_.out ? options_.out->write(report_) : Status();
}

std::function<Status(const SampleBook&)> Experiment::samples_into(std::string& file,
                                                                  const PlannedRun& planned,
                                                                  const Block& block) const {
  return [this, &file, &planned, &block](const SampleBook& samples) -> Status {
    if (!options_.out) return {};
    auto name =
        options_.out->write_samples(planned.cell, block.index, planned.trace, rows_of(samples));
    if (!name) return fail(name.error());
    file = *name;
    return {};
  };
}

Result<Run> Experiment::run_program(const PlannedRun& planned, const Block& block) {
  Cell& cell = report_.cells[planned.cell];
  ProgramRunner::Options options;
  options.traced = planned.trace != "off";
  options.limits = options_.spec.limits;
  options.limiter = &options_.limiter;
  options.place = {.out = planned.trace == "full" ? options_.out : nullptr,
                   .report_id = report_.id,
                   .cell = planned.cell,
                   .block = block.index};
  std::string samples_file;
  options.samples_sink = samples_into(samples_file, planned, block);
  const auto file = options_.programs.find(cell.policy);
  auto run = file == options_.programs.end() ? commands_.run(cell, options)
                                             : programs_.run(cell, file->second, options);
  if (run) run->samples_file = samples_file;
  return run;
}

Result<Run> Experiment::run_once(const PlannedRun& planned, const Block& block) {
  const Cell& cell = report_.cells[planned.cell];
  std::string started_at = utc_now();
  if (Status limited = options_.limiter.apply(cell.cpu_list); !limited) {
    return fail(limited.error());
  }
  auto run = is_program(cell) ? run_program(planned, block) : run_model(planned, block);
  if (!run) return fail(run.error());
  run->block = block.index;
  run->warmup = block.warmup;
  run->trace = planned.trace;
  run->started_at = started_at;
  return run;
}

Result<Run> Experiment::run_model(const PlannedRun& planned, const Block& block) {
  const Cell& cell = report_.cells[planned.cell];
  Runner::Options options;
  options.traced = planned.trace != "off";
  options.statistics = block.warmup;
  options.limits = options_.spec.limits;
  options.perf = options_.spec.perf;

  std::optional<SegmentWriter> writer;
  std::string segments_file;
  if (planned.trace == "full" && options_.out) {
    SegmentFileHeader header;
    header.cell = static_cast<uint32_t>(planned.cell);
    header.block = static_cast<uint32_t>(block.index);
    std::memcpy(header.report_id.data(), report_.id.data(),
                std::min(report_.id.size(), header.report_id.size()));
    auto created = options_.out->new_segments(header);
    if (!created) return fail(created.error());
    writer = std::move(created->first);
    segments_file = created->second;
    options.sink = [&writer](std::span<const gilscope_segment> s) { return writer->write(s); };
  }

  std::string samples_file;
  options.samples_sink = samples_into(samples_file, planned, block);
  options.limiter = &options_.limiter;
  auto run = runner_.run(cell, options);
  if (!run) return fail(run.error());
  if (options.perf) note_perf(report_.capabilities, runner_.perf_errors());
  if (writer) {
    if (Status finished = writer->finish(); !finished) return fail(finished.error());
  }
  run->segments_file = segments_file;
  run->samples_file = samples_file;
  return run;
}

void Experiment::tell(const Block& block, const Cell& cell, const Run& run) {
  runs_done_ += 1;
  const double expected = expected_s_[static_cast<size_t>(&cell - report_.cells.data())];
  measured_s_ += expected;
  left_s_ -= expected;
  Progress progress;
  progress.block = block.index;
  progress.blocks = static_cast<int>(plan_.blocks.size());
  progress.warmup = block.warmup;
  progress.run = runs_done_;
  progress.runs = plan_.blocks.size() * plan_.blocks[0].runs.size();
  // The expected time, scaled by how long the runs so far took.
  std::chrono::duration<double> spent = std::chrono::steady_clock::now() - started_;
  progress.seconds_left = spent.count() / measured_s_ * std::max(left_s_, 0.0);
  progress.cell = &cell;
  progress.last = &run;
  options_.progress(progress);
}

Status Experiment::run_block(const Block& block) {
  int order = 0;
  for (const PlannedRun& planned : block.runs) {
    if (interrupt_.requested()) {
      report_.status = "interrupted";
      return {};
    }
    auto run = run_once(planned, block);
    if (!run) return fail(run.error());
    run->order = order++;
    Cell& cell = report_.cells[planned.cell];
    cell.runs.push_back(std::move(*run));
    if (cell.runs.back().status == "interrupted") {
      report_.status = "interrupted";
      return {};
    }
    tell(block, cell, cell.runs.back());
  }
  return {};
}

Status Experiment::run() {
  report_.status = "running";
  if (Status written = write(); !written) return written;
  for (const Block& block : plan_.blocks) {
    if (block_is_done(report_, block)) continue;
    for (const PlannedRun& planned : block.runs) left_s_ += expected_s_[planned.cell];
  }
  for (const Block& block : plan_.blocks) {
    if (block_is_done(report_, block)) {
      runs_done_ += block.runs.size();
      continue;
    }
    Status status = catch_exceptions([&] { return run_block(block); });
    report_.environment_after = capture_moment();
    if (!status) {
      // Keeps what was measured before the failure, if the disk still accepts it.
      report_.status = "interrupted";
      Status written = write();
      return fail(status.error().code,
                  fmt::format("{}{}", status.error().message,
                              written ? "" : "; and " + written.error().message));
    }
    if (report_.status == "interrupted") return write();
    if (Status written = write(); !written) return written;
  }
  report_.status = "done";
  return write();
}

}  // namespace

Result<Report> run_experiment(const ExperimentOptions& options, Interrupt& interrupt) {
  const std::optional<Report>* earlier = options.out ? &options.out->earlier() : nullptr;
  bool resumed = earlier && earlier->has_value();
  if (resumed && (*earlier)->spec_sha256 != sha256(options.spec_text)) {
    return fail(fmt::format("{} holds the report of another spec; give --out another directory",
                            in_quotes(options.out->path())));
  }
  if (resumed && (*earlier)->status == "done") return **earlier;
  if (resumed) {
    const std::string why = resume_refusal(facts_of(**earlier), current_facts());
    if (!why.empty()) return fail(fmt::format("{} {}", in_quotes(options.out->path()), why));
  }

  uint64_t seed = resumed ? (*earlier)->seed : options.spec.seed.value_or(drawn_seed());
  auto plan = make_plan(options.spec, seed);
  if (!plan) return fail(plan.error());
  auto report = resumed ? is_resumed(**earlier, options, *plan) : new_report(options, *plan);
  if (!report) return fail(report.error());

  // Finds out what the machine refuses before anything is written.
  if (Status able =
          rehearse(options.limiter, cpu_sets(plan->cells), [&] { return interrupt.requested(); });
      !able) {
    return fail(able.error());
  }

  auto tracers = Tracers::load(options.spec, plan->cells);
  if (!tracers) return fail(tracers.error());
  if (options.spec.trace != "off") {
    // Keeps the facts about perf: they come from the runs, including those of an earlier report.
    std::erase_if(report->capabilities,
                  [](const Fact& fact) { return !fact.key.starts_with("perf."); });
    const Facts of_tracer = tracers->capabilities();
    report->capabilities.insert(report->capabilities.begin(), of_tracer.begin(), of_tracer.end());
  }
  std::erase_if(report->capabilities, [](const Fact& fact) { return fact.key == "cpus_by"; });
  report->capabilities.push_back({"cpus_by", options.limiter.how(), ""});
  Experiment experiment(options, interrupt, *report, *plan, *tracers);
  Status status = catch_exceptions([&] { return experiment.run(); });
  Status restored = options.limiter.restore();
  if (!status) return fail(status.error());
  if (!restored) return fail(restored.error());
  return std::move(*report);
}

}  // namespace gilscope
