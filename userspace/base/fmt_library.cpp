// fmt, compiled once. Debian has no static library of it, and its header-only form compiles the
// whole of it in each file, which takes twice the time. Only here it is header-only: what is called
// below makes the compiler emit the functions that the other files' headers declare to be
// elsewhere. Which they are is fmt's own affair, and differs from version to version; the Makefile
// has the flags that keep each of them.
#ifndef FMT_HEADER_ONLY
#define FMT_HEADER_ONLY
#endif
#include <fmt/format.h>

#include <cstdio>
#include <locale>
#include <string>

namespace gilscope {

// Nobody calls these.
std::string format_each_kind_of_value(const std::locale& locale, fmt::string_view format,
                                      bool truth, char letter, int number, long long big,
                                      float single, double real, long double longest,
                                      const void* address, const std::string& text) {
  return fmt::format(locale, fmt::runtime(format), truth, letter, number, big, single, real,
                     longest, address, text) +
         fmt::format("{:L} {:L} {:.2f} {:.3e} {} {:?}", number, real, single, real, longest, text);
}

// The tests print.
void print_to_both(std::FILE* file, int number) {
  fmt::print("{}", number);
  fmt::print(file, "{}", number);
}

std::string text_of_format_error() {
  return fmt::format_error("").what();
}

}  // namespace gilscope
