// What the program does first, whatever its command: the things it inherits that would make a later
// call fail in a way that nobody hears of.
#pragma once

namespace gilscope {

// Of the descriptors 0, 1 and 2, those that are closed are taken, so that no file of the program's
// own comes to be standard output or standard error: by /dev/null, since whoever closed one does
// not want what goes there. Where there is no /dev/null, writing fails.
void take_standard_descriptors();

// A pipe that nobody reads and a file at its size limit are errors of write(2), which are reported,
// and no longer signals that end the process. SIGCHLD is at its default: a parent that ignores it
// is not told how its children ended.
void set_signal_dispositions();

}  // namespace gilscope
