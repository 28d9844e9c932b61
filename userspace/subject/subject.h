// A real program: which interpreter runs in a process, and where its GIL is. Everything here is
// read from /proc and from the files of the process's own root; the process is never changed.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bpf/subject.h"
#include "userspace/base/result.h"

namespace gilscope {

// One GIL of a process.
struct GilPlace {
  gilscope_gil gil = {};     // for the kernel side
  uint64_t interpreter = 0;  // address of the interpreter state that owns it; 0: not known
  std::string object;        // the file that has the symbol or the words: "/usr/bin/python3.11"
  std::string symbol;        // "_PyRuntime"; empty: none was needed
  uint64_t offset = 0;       // of the GIL from the symbol or, without one, from the object's start
  std::string found_by;      // symbols | debug offsets | scan | observation | address
  std::string confirmed_by;  // "interval 5000 us, holder is thread 1234": what agrees with it
  std::optional<uint64_t> interval_us;  // the switch interval, when it was found
};

// A process that runs an interpreter, or has another lock that is followed.
struct Subject {
  pid_t pid = 0;
  std::string kind;         // python | pypy | ruby | jython | program
  std::string lock;         // mutex | rwlock | cond; empty: the interpreter's GIL
  std::string interpreter;  // CPython, PyPy, CRuby, Jython; of a program its name
  std::string version;      // 3.11.2
  std::string executable;   // as the process sees it
  std::string build_id;     // of the object that has the interpreter, in hexadecimal; empty: none
  bool has_gil = true;      // false: Jython, or a free-threaded CPython that runs without
  std::vector<GilPlace> gils;  // the main interpreter's first; then sub-interpreters' own
};

struct FindOptions {
  bool symbols = true;      // false: as if the objects had none, for tests
  bool scan = true;         // false: do not look through the data, for tests
  bool observation = true;  // watch where the threads sleep if nothing else finds it
  int observe_ms = 2000;    // for at most so long
};

// Fails with one line that says why: no such process, a kernel thread, a 32-bit process, no
// interpreter, musl or a glibc before 2.25, no GIL found (yet), no right to look.
Result<Subject> find_subject(pid_t pid, const FindOptions& options = {});

// Whether the process runs an interpreter that this kit knows, without looking for its GIL: the
// kind, or empty. Cheap; for programs that have just been executed.
std::string interpreter_kind(pid_t pid);

}  // namespace gilscope
