// The table of witnesses: a line for each interpreter and program, in the file that
// $GILSCOPE_WITNESS_TABLE names, or none.
#pragma once

#include <string>

#include "tests/interpreters/ours.h"
#include "tests/interpreters/witness.h"

namespace gilscope::witness {

struct Row {
  std::string program, interpreter;
  Ours ours;
  Seen least, most;  // of the witness: within the window, and with what lies at its edges
};

// Adds it, and writes the table anew.
void add_row(const Row& row);

// "313", or "310-313" where an edge of the window makes a difference.
std::string range(uint64_t least, uint64_t most);

}  // namespace gilscope::witness
