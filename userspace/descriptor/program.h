// A policy that is a real program: "python:/usr/bin/python3.11,switch-interval=1ms", or
// "program:COMMAND". It is known by its text alone; whether the file is there, and what it is,
// userspace/experiment/program finds out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/descriptor/policy.h"

namespace gilscope {

struct ProgramPolicy {
  // python | pypy | jython | ruby | program; found: an interpreter that a plan looks for
  std::string kind;
  std::string path;                            // of an interpreter; absolute
  std::optional<uint64_t> switch_interval_ns;  // as sys.setswitchinterval has it
  std::optional<uint64_t> check_interval;      // as sys.setcheckinterval has it
  std::vector<std::string> command;            // of a program of any other kind: its words
  bool waits_at_gate = false;                  // that program reads its gate before it begins
  std::string canonical;

  // It runs the kit's own scripts.
  bool is_interpreter() const { return kind != "program"; }
};

// Whether a policy's text is of that form, good or bad. PyPy's model takes a number: "pypy:10000".
bool names_program(std::string_view policy);
// Whether it is a program that does its own work: "program:COMMAND".
bool is_command(std::string_view policy);
// Says what is wrong with a bad text, and how a good one looks.
Result<ProgramPolicy> read_program(std::string_view policy);

// Plans go by it.
PolicyPace pace_of(const ProgramPolicy& program);

// The kinds of interpreters, and a text of each as messages and lists show it.
const std::vector<std::string>& interpreter_kinds();
std::string program_form(std::string_view kind);

// "found:python2.7" names an interpreter that may or may not be on the machine, by its name.
inline constexpr std::string_view kFoundPrefix = "found:";

// The workload of a program of another kind.
inline constexpr std::string_view kOwnWorkload = "own";

}  // namespace gilscope
