// Nothing here throws, but libraries do: the standard one where memory runs out.
#pragma once

#include "userspace/util/result.h"

namespace gilscope {

// The exception that is being handled, as an error.
Error error_of_exception();

// Runs `body`, and returns its Status or what it threw.
template <typename Body>
Status without_exceptions(Body body) {
  try {
    return body();
  } catch (...) {
    return fail(error_of_exception());
  }
}

// From here on, an exception that nobody catches ends the process by `end`, which does not return.
// For processes that have no frame of their own to catch it in, such as a worker with its threads.
void end_on_exception(void (*end)(const Error& error));

}  // namespace gilscope
