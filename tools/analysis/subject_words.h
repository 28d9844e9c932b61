// The run of a real program in words, once for every view: which process it was, whether
// its counts are to be believed, and whose fault it is that threads waited for the GIL.
#pragma once

#include <string>
#include <vector>

#include "tools/analysis/numbers.h"
#include "tools/trace/report_findings.h"
#include "userspace/report/model.h"

namespace gilscope {

// Of `exec` and `attach`: one process each, once. Cells of real programs in experiments are shown
// as those of models are.
bool is_recording(const Cell& cell);
bool of_recordings(const Report& report);

// Of a recording's cell: its first finished run, which is its only one; null: there is none.
const Run* subject_run(const Cell& cell);

// "CPython 3.11.2, PID 1234, GIL at _PyRuntime+360 in /usr/bin/python3.11, by scan, confirmed by
// ..."
std::string subject_line(const CellSubject& subject);

// Why the counts of its GIL are not to be believed; empty: nothing speaks against them.
std::string doubt_of(const Cell& cell);

// "250", or "250 to 253" where so many attempts are of a kind that is not known.
std::string bounded(uint64_t count, uint64_t undecided);

// "Self-test: 1457 waits begun by glibc's own count = 1450 sleeps + 9 unslept - 2 begun again."
// Empty where it failed, and where there is no GIL.
std::string self_test(const Cell& cell);

// "30 failed attempts: contended 19 to 20, woken_lost 0, timed_out 10; 1 undecided. ..." Empty
// where there is no GIL.
std::string counted_line(const Cell& cell);

// Names the holder of the GIL while others waited, and whether it ran, was preempted or slept. By
// the counts alone where `found` is null or has holes. Empty without a finished run, and where the
// counts are not to be believed.
std::string whose_fault(const Cell& cell, const CellFindings* found, const Times& times);

// The same of every cell of a report, those whose threads waited longest first; with their PIDs
// where there are several.
std::vector<std::string> whose_faults(const Report& report, const ReportFindings& trace,
                                      const Times& times);

// "NOT TO BE BELIEVED: ..." for each cell whose self-test failed.
std::vector<std::string> doubts(const Report& report);

// The program and how long it was watched, before its subject_line(): "python3 app.py; 2 threads on
// all 2 CPUs, watched for 10 s".
std::string watched_line(const Cell& cell, const Times& times);

// Names of a run's threads; those that share theirs with others have their ids too.
std::vector<std::string> thread_names(const Run& run);

}  // namespace gilscope
