// CPython 2.7: one semaphore on the heap is the GIL, and a static names the current thread state.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "userspace/base/result.h"
#include "userspace/subject/look.h"

namespace gilscope {

// The symbols that help.
std::span<const std::string_view> python2_symbols();

// Fills in the subject's GIL.
Status find_python2(Look& look, const LanguageVersion& version, Subject& subject);

// Whether the bytes can be glibc's sem_t that is used as a lock within one process.
bool can_be_lock(std::span<const uint8_t, GILSCOPE_SEMAPHORE_BYTES> bytes);

}  // namespace gilscope
