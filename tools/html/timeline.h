// A window of segments on its page: a canvas that page.js draws, the packed data for it, and a
// caption that describes it.
//
// The data are base64 of numbers in seven bits per byte, lowest first; the top bit means that more
// follow. Times are in ns from the window's beginning. The version, 1, and the number of threads
// come first; then for each thread its number of segments, and for each segment
//
//   began | ended << 2 | gil_state << 5 | (any counts) << 7
//   run, since the end of the thread's previous segment, or since the window's beginning; zigzag
//   run - ready, unless the segment began by entering
//   end - run
//   cpu, previous cpu + 1 (0: none)
//   if it was woken: the waker (slot + 2; 1: another process, or an interrupt in one; 0: unknown),
//     the waker's cpu + 1, the cpu that it was placed on + 1
//   with any counts: acquires, contended, woken_lost, timed_out, drop_requests
#pragma once

#include <string>

#include "tools/html/windows.h"

namespace gilscope {

// The packed data, before base64.
std::string packed(const TraceWindow& window);

// Makes the figure, shortening the window until it packs into `room` bytes of base64. `id` must be
// unique in the page.
std::string timeline(const std::string& id, const std::string& title, TraceWindow window,
                     size_t room);

}  // namespace gilscope
