// `gilscope run`: takes a spec from a file, a built-in name or flags, runs it with progress on
// standard error, and prints the report on standard output.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "userspace/base/command.h"
#include "userspace/base/kernel_time.h"
#include "userspace/base/output.h"
#include "userspace/base/refusal.h"
#include "userspace/base/term.h"
#include "userspace/cli/cli.h"
#include "userspace/descriptor/program.h"
#include "userspace/experiment/experiment.h"
#include "userspace/experiment/plan/builtin.h"
#include "userspace/experiment/plan/found.h"
#include "userspace/experiment/plan/plan.h"
#include "userspace/experiment/plan/spec.h"
#include "userspace/experiment/program/interpreter_file.h"
#include "userspace/experiment/progress_line.h"
#include "userspace/machine/cpus.h"
#include "userspace/machine/features/features.h"
#include "userspace/machine/limit/cpu_limiter.h"
#include "userspace/machine/limit/journal.h"
#include "userspace/machine/limit/patient_lock.h"
#include "userspace/report/json.h"

namespace gilscope {
namespace {

struct RunFlags {
  std::string spec, out;
  std::vector<std::string> policies, workloads, arrangements, cpus;
  std::vector<std::string> threads;
  std::string cpus_by, cpu_order, trace, main_exit;
  std::optional<int> blocks, warmup;
  std::optional<uint64_t> seed;
  bool perf = false, quiet = false, json = false, all = false, dry_run = false, yes = false;

  // Each flag given replaces the spec's key of the same name.
  Status apply(Spec& spec_) const {
    if (!policies.empty()) spec_.policies = policies;
    if (!workloads.empty()) spec_.workloads = workloads;
    if (!arrangements.empty()) spec_.arrangements = arrangements;
    if (!cpus.empty()) spec_.cpus = cpus;
    if (!threads.empty()) spec_.threads.clear();
    for (const std::string& text : threads) {
      auto count = ThreadCount::parse(text);
      if (!count) return fail("--threads: " + count.error().message);
      spec_.threads.push_back(*count);
    }
    if (!cpus_by.empty()) spec_.cpus_by = cpus_by;
    if (!cpu_order.empty()) spec_.cpu_order = cpu_order;
    if (!trace.empty()) spec_.trace = trace;
    if (perf) spec_.perf = true;
    if (!main_exit.empty()) spec_.main_exit = main_exit;
    if (blocks) spec_.blocks = *blocks;
    if (warmup) spec_.warmup = *warmup;
    if (seed) spec_.seed = *seed;
    return {};
  }
};

// The defaults of a run without a spec: a small demo.
Spec default_spec() {
  Spec spec;
  spec.name = "flags";
  spec.policies = {"check-interval:100"};
  spec.workloads = {"count:n=5M"};
  spec.arrangements = {"sequential", "threaded"};
  spec.threads = {2};
  spec.cpus = {"all"};
  return spec;
}

struct SpecAndText {
  Spec spec;
  std::string text;
};

Result<SpecAndText> spec_of(const RunFlags& flags) {
  Spec spec = default_spec();
  std::string text;
  if (!flags.spec.empty()) {
    auto loaded = load_spec_text(flags.spec);
    if (!loaded) return fail(loaded.error());
    auto parsed = parse_spec(loaded->first, loaded->second);
    if (!parsed) return fail(parsed.error());
    spec = *parsed;
    text = loaded->first;
  }
  Spec with_flags = spec;
  if (Status applied = flags.apply(with_flags); !applied) return fail(applied.error());
  auto good = checked(with_flags);
  if (!good) return fail(good.error());
  // Kept verbatim unless flags change it.
  if (text.empty() || with_flags != spec) text = to_toml(*good);
  return SpecAndText{*good, text};
}

// A line that each run overwrites, on a terminal that can do that; otherwise a line per block.
class ProgressLines {
 public:
  explicit ProgressLines(bool quiet) : quiet_(quiet), replaced_(messages_can_be_replaced()) {}
  ~ProgressLines() {
    if (shown_) write_message(kClear);
  }

  void operator()(const Progress& p) {
    if (p.last->status == "failed") {
      if (shown_) write_message(kClear);
      write_error(
          Error{Exit::error, fmt::format("block {}: {} {} {} failed: {}", p.block, p.cell->policy,
                                         p.cell->workload, p.cell->arrangement, p.last->failure)});
    }
    if (quiet_) return;
    if (replaced_) {
      // Asked each time, since the window may have been resized.
      constexpr int kUsual = 80;
      const int columns = terminal_columns(STDERR_FILENO).value_or(kUsual);
      shown_ = true;
      write_message(kClear + progress_line(p, columns));
    } else if (p.block != last_block_) {
      last_block_ = p.block;
      const std::string line = block_line(p, terminal_columns(STDERR_FILENO));
      if (!line.empty()) write_message(line + "\n");
    }
  }

 private:
  inline static const std::string kClear = "\r\033[K";

  bool quiet_, replaced_, shown_ = false;
  int last_block_ = -1;
};

// The interpreters among the policies, which are asked for their versions as the user who called
// sudo.
Result<InterpreterFiles> programs_of(const Plan& plan, ProgramOwner& owner) {
  std::vector<std::string> policies;
  for (const Cell& cell : plan.cells) {
    if (names_program(cell.policy)) policies.push_back(cell.policy);
  }
  if (policies.empty()) return InterpreterFiles();
  auto user = user_of_sudo();
  if (!user) return fail(user.error());
  owner.user = std::move(*user);
  return look_at_interpreters(policies, owner);
}

Result<Exit> run(const RunFlags& flags, const ReportPrinter& print) {
  if (Status there = require_proc(); !there) return fail(there.error());
  if (Status there = require_sys(); !there) return fail(there.error());
  ProgramOwner owner;
  if (auto inherited = Inherited::look()) {
    owner.inherited = *inherited;
  } else {
    return fail(inherited.error());
  }
  auto spec = spec_of(flags);
  if (!spec) return fail(spec.error());
  // Checks that this machine has what the spec asks for, before anything is written to disk.
  auto plan = make_plan(spec->spec, spec->spec.seed.value_or(0));
  if (!plan) return fail(plan.error());
  auto programs = programs_of(*plan, owner);
  if (!programs) return fail(programs.error());
  for (const std::string& name : plan->missing) {
    if (!flags.quiet) write_message(how_to_get(name) + "\n");
  }
  if (flags.dry_run) {
    if (Status printed = write_output(describe(*plan)); !printed) return fail(printed.error());
    return Exit::done;
  }
  if (Status sized = check_size(*plan, flags.yes); !sized) return fail(sized.error());
  if (auto offset = time_namespace_offset_ns(); !offset) return fail(offset.error());
  if (spec->spec.trace != "off") {
    if (Status able = require_tracing(); !able) return fail(able.error());
  }
  // Never destroyed: no signal may end the process in the middle of its last steps.
  auto watched = Interrupt::watch();
  if (!watched) return fail(watched.error());
  auto* const interrupt = new Interrupt(std::move(*watched));
  const auto lock = take_machine_lock();
  if (!lock) return fail(lock.error());
  if (Status clean = refuse_leftovers(); !clean) return fail(clean.error());
  const auto limiter = make_limiter(spec->spec.cpus_by);
  if (Status able = limiter->check(cpu_sets(plan->cells)); !able) return fail(able.error());
  if (Status ready = check_workloads(*plan); !ready) return fail(ready.error());
  std::optional<OutDir> out;
  if (!flags.out.empty()) {
    auto opened = OutDir::open(flags.out);
    if (!opened) return fail(opened.error());
    out = std::move(*opened);
    if (out->earlier() && out->earlier()->status == "done" && !flags.quiet) {
      write_message(fmt::format("{} is already finished; nothing to run\n", flags.out));
    }
  }
  ExperimentOptions options{.spec = spec->spec,
                            .spec_text = spec->text,
                            .out = out ? &*out : nullptr,
                            .limiter = *limiter,
                            .owner = std::move(owner),
                            .programs = std::move(*programs)};
  auto lines = std::make_unique<ProgressLines>(flags.quiet);
  options.progress = [&](const Progress& progress) { (*lines)(progress); };
  auto report = run_experiment(options, *interrupt);
  lines.reset();
  if (!report) return fail(report.error());

  const bool failed = std::ranges::any_of(report->cells, [](const Cell& cell) {
    return std::ranges::any_of(cell.runs, [](const Run& r) { return r.status == "failed"; });
  });
  const Status printed =
      flags.json ? write_output(to_json(*report) + "\n")
                 : print(*report, out ? out->path() : "", out ? out->path() : "", flags.all);
  // An incomplete report may have nothing to print; its end is reported all the same.
  const bool whole = report->status == "done" && !failed;
  if (!flags.quiet && out) {
    write_message(fmt::format("report: {}/report.json\n", out->path()));
  }
  if (report->status == "interrupted") {
    return fail(Exit::interrupted,
                fmt::format("interrupted by {}{}", interrupt->signal_name(),
                            out ? "; the same command goes on with what is left" : ""));
  }
  if (whole && !printed) return fail(printed.error());
  return failed ? Exit::error : Exit::done;
}

}  // namespace

void add_run(CLI::App& app, Exit& exit, ReportPrinter print) {
  auto flags = std::make_shared<RunFlags>();
  Command command(app, "run", "run an experiment and report it");
  command.option("SPEC", flags->spec, "name of a built-in experiment, or a .toml file");
  command.option("--policy", flags->policies, "GIL policy; may be repeated").value_kind("POLICY");
  command.option("--workload", flags->workloads, "what the threads do; may be repeated")
      .value_kind("WORKLOAD");
  command.option("--arrangement", flags->arrangements, "sequential or threaded; may be repeated")
      .one_of(arrangements());
  command
      .option("--threads", flags->threads,
              "number of threads (2), or threads per CPU (2x); may be repeated")
      .value_kind("THREADS");
  command
      .option("--cpus", flags->cpus,
              "how many CPUs (1, 2, all, 1..all) or which (cpu:0,2-3); may be repeated")
      .value_kind("CPUS");
  command
      .option("--cpus-by", flags->cpus_by,
              "how to keep the run off the other CPUs: affinity, cpuset or hotplug")
      .one_of(cpus_by_words());
  command
      .option("--cpu-order", flags->cpu_order,
              "which CPUs a count takes first: cores-first, siblings-first, packages-first or "
              "nodes-first")
      .one_of(cpu_orders());
  command.option("--blocks", flags->blocks, 1, kMaxBlocks, "how often to measure every cell");
  command.option("--warmup", flags->warmup, 0, kMaxBlocks,
                 "blocks to run before those; kept, but marked as warm-up");
  command.option("--seed", flags->seed, "seed for the order of runs");
  command.option("--trace", flags->trace, "full, counters or off").one_of(trace_words());
  command.flag("--perf", flags->perf,
               "count each thread's cycles, switches and more with perf events, which costs time");
  command
      .option("--main-exit", flags->main_exit,
              "join: the main thread waits for the others; kill: it ends them")
      .one_of(main_exit_words());
  command.option("--out", flags->out, "directory for report.json and the segments")
      .value_kind("DIR");
  command.flag("--dry-run", flags->dry_run, "only print the plan and its expected duration");
  command.flag("--yes", flags->yes, "run even more than 10 000 cells, or for more than a day");
  command.flag("--quiet", flags->quiet, "print no progress");
  const Option json = command.flag("--json", flags->json, "print the report as JSON");
  command.flag("--all", flags->all, "print every table, and not only one screen").excludes(json);
  command.on_run([flags, print = std::move(print), &exit] { exit = exit_of(run(*flags, print)); });
}

}  // namespace gilscope
