// The text by which an interpreter names itself and its version, found in its own memory.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "userspace/subject/look.h"
#include "userspace/subject/mapped_object.h"
#include "userspace/subject/memory.h"

namespace gilscope {

struct Banner {
  LanguageVersion version;  // of the language: 3.9.16
  std::string pypy;         // 7.3.11; empty: it is not PyPy
};

// Python's sys.version at the beginning of `text`: "3.11.2 (main, Nov 30 2024) [GCC 12.2.0]".
std::optional<Banner> parse_python_banner(std::string_view text);

// sys.version, which an interpreter that has started has in its data.
std::optional<Banner> find_python_banner(const Memory& memory, const MappedObject& object);

// Ruby's RUBY_DESCRIPTION at the beginning of `text`: "ruby 3.1.2p20 (2022-04-12 ...) [...]".
std::optional<LanguageVersion> parse_ruby_banner(std::string_view text);
std::optional<LanguageVersion> find_ruby_banner(const Memory& memory, const MappedObject& object);

}  // namespace gilscope
