// Turns exceptions into errors. gilscope throws none, but libraries do: std::bad_alloc, for one.
#pragma once

#include "userspace/base/result.h"

namespace gilscope {

// The current exception as an error; call it within a catch block.
Error error_of_exception();

// Returns the Status of `body`, or the exception that it threw as an error.
template <typename Body>
Status catch_exceptions(Body body) {
  try {
    return body();
  } catch (...) {
    return fail(error_of_exception());
  }
}

// Makes an uncaught exception call `end`, which must not return. For processes that have no single
// frame to catch it in, such as a worker with its threads.
void end_on_exception(void (*end)(const Error& error));

}  // namespace gilscope
