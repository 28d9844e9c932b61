// The lock of a cell's threads, in words: every view names it so.
#pragma once

#include <string>

#include "userspace/report/model.h"

namespace gilscope {

// In a sentence: "the GIL", "the mutex `LOCK_open`", "the mutex at 0x55d0c0ffee00".
std::string lock_name(const CellSubject& subject);
std::string lock_name(const Cell& cell);  // of a model, too: "the GIL"

// The sort of lock: GIL, mutex, rwlock, condition.
std::string lock_noun(const CellSubject& subject);
// Of all cells of a report, which have the same: "GIL" where there is none.
std::string lock_noun(const Report& report);
// In a heading of capitals: "MUTEX".
std::string lock_heading(const Report& report);
std::string lock_heading(const Cell& cell);

}  // namespace gilscope
