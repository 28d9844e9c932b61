// The scripts by which real interpreters do what the measured threads of models do, and what is
// said between them and the engine:
//
//   INTERPRETER [options] - TASK <script
//
// The script is the interpreter's standard input: of all ways this one alone needs no /proc in the
// interpreter's root, no file and no long command line. TASK is task_json(). The pipes, one JSON
// object (results) or one word (gate) a line:
//
//   script -> {"ready":{"clock":"monotonic","threads":[{"name":"main","tid":7},
//               {"name":"worker-1","tid":9}, ..., {"name":"background-1","tid":null}]}}
//             All threads exist and wait, those of a sequential run, too: they are let go one after
//             the other. A thread that knows no tid has null. "clock" is "realtime" where there is
//             no other. The kernel has the same names.
//   engine -> contend      {"contending":true}: two spare threads compute and contend for the GIL
//   engine -> rest         {"resting":true}: they have ended
//   engine -> go           the barriers open
//   script -> {"done":{"wall_ns":5,"threads":[{"name":"worker-1","operations":3,"active_ns":4},
//               {"name":"background-1","operations":7}],"results":{}}}
//             A thread that has not ended has no "active_ns".
//   engine -> end
//   script -> {"samples_ns":[7,8],"sent_ns":[1,2],"thread":1}, ...
//             The latencies of worker-1 where it measures them itself, and when they began; at most
//             2048 of each. "lost":5 in one of them: five more found no room. They come after
//             "end", and not before "done", so that writing them is no part of the window. Then the
//             script ends with 0.
//
// Instead of any of this, {"failed":"one line"}, and it ends with 1. Where the gate ends before
// "done", it ends at once with 1. One thread more, "gate", waits for that, and for nothing else:
// it needs no GIL until then.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/fd.h"
#include "userspace/base/result.h"
#include "userspace/descriptor/workload.h"

namespace gilscope {

// Interpreters are named as the finder does: python, pypy, jython, ruby.

// Empty where there is none for such an interpreter.
std::string_view script_for(std::string_view kind);

// The script as a file to be standard input, for one run: a file has one position, which moves.
Result<Fd> open_script(std::string_view kind);

// The workloads that the scripts have.
bool has_script(const WorkloadDescriptor& workload);

struct ScriptTask {
  const WorkloadText& workload;
  size_t threads = 2;
  bool threaded = true;               // all at once; false: one after the other
  bool join_at_end = true;            // main_exit = "join"
  int gate = -1, results = -1;        // numbers of the script's own descriptors
  std::vector<int> connections = {};  // one a measured thread: a socket, or a file
  std::optional<uint64_t> switch_interval_ns = {}, check_interval = {};
};

std::string task_json(const ScriptTask& task);

// The file to execute, within its root (empty: this machine's): `path`, except that Debian's
// launcher of Jython, which would not give Java the options that are needed, stands for
// /usr/bin/java.
std::string executable_of(std::string_view kind, const std::string& root, const std::string& path);

// The command line of such a file. `version` is that of the language: "2.7.18".
std::vector<std::string> argv_for(std::string_view kind, const std::string& executable,
                                  std::string_view version, const std::string& task);

}  // namespace gilscope
