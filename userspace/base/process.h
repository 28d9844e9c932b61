// Start-up of every command: repairs inherited process state that would make later calls fail
// silently.
#pragma once

namespace gilscope {

// Opens /dev/null on those of descriptors 0, 1 and 2 that are closed, so that no file of the
// program's own becomes standard output or standard error. Without /dev/null, writing to them
// fails.
void take_standard_descriptors();

// Ignores SIGPIPE and SIGXFSZ, so that a broken pipe or a file-size limit is an error of write(2)
// that gets reported. Resets SIGCHLD to its default: while it is ignored, the exit status of
// children is lost.
void set_signal_dispositions();

// For a forked child that will execute another program: undoes both of the above.
void undo_start_up();

}  // namespace gilscope
