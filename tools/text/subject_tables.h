// The tables that only the run of a real program has: its counts with their bounds, its self-test,
// and how long each of its threads waited and kept others waiting. Nothing is printed of models.
#pragma once

#include "tools/text/report_tables.h"

namespace gilscope {

// The threads that print_subject_threads() would have rows for.
size_t subject_threads(const Report& report);

// One sentence a process: whose fault it is.
void print_subject_sentences(const Page& page, const Report& report);
// Of so many processes at most.
void print_subject_counts(const Page& page, const Report& report, size_t most);
// Of so many threads at most, those that waited or kept others waiting longest.
void print_subject_threads(const Page& page, const Report& report, size_t most);

}  // namespace gilscope
