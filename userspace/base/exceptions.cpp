#include "userspace/base/exceptions.h"

#include <exception>
#include <new>

#include "userspace/base/refusal.h"

namespace gilscope {
namespace {

void (*end_of_process)(const Error&) = nullptr;

}  // namespace

Error error_of_exception() {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return refused("gilscope cannot go on", ENOMEM).value();
  } catch (const std::exception& exception) {
    return {Exit::error, fmt::format("unexpected error: {}", exception.what())};
  } catch (...) {
    return {Exit::error, "unexpected error"};
  }
}

void end_on_exception(void (*end)(const Error& error)) {
  end_of_process = end;
  std::set_terminate([] {
    const bool thrown = std::current_exception() != nullptr;
    end_of_process(thrown ? error_of_exception() : Error{Exit::error, "unexpected error"});
    std::abort();
  });
}

}  // namespace gilscope
