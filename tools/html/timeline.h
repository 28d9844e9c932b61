// A window of segments in its page: a canvas that page.js draws, its data packed beside it, and in
// words what it shows.
//
// The data are numbers of seven bits a byte, the lowest first, the top bit meaning that more
// follows, in base64. Times are ns from the window's beginning. First the version, 1, and the
// number of threads; of each thread its number of segments, and of each segment
//
//   began | ended << 2 | gil_state << 5 | (any counts) << 7
//   run: since the last segment's end, of a thread's first one since the beginning; by zigzag
//   run - ready, unless it began by entering
//   end - run
//   cpu, previous cpu + 1 (0: there is none)
//   where it was woken: who did (slot + 2; 1: in an interrupt of, or by, another process; 0: not
//     known), the waker's cpu + 1, where it was placed + 1
//   with any counts: acquires, contended, woken_lost, timed_out, drop_requests
#pragma once

#include <string>

#include "tools/html/windows.h"

namespace gilscope {

// Packed, not yet in base64.
std::string packed(const TraceWindow& window);

// Shortens the window until it packs into `room` bytes of base64, and makes its figure. `id` is
// unique in the page.
std::string timeline(const std::string& id, const std::string& title, TraceWindow window,
                     size_t room);

}  // namespace gilscope
