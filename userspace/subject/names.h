// Names of files and command lines that give an interpreter away.
#pragma once

#include <string>
#include <string_view>

namespace gilscope {

std::string_view base_name(std::string_view path);

// python, pypy or ruby for a program or library that is named like one: "python3.11",
// "libpython3.13.so.1.0", "pypy3", "libruby-3.1.so.3.1". Empty for any other.
std::string_view kind_of_name(std::string_view path);

// Whether a JVM's command line, as /proc/PID/cmdline has it, runs Jython.
bool runs_jython(std::string_view executable, std::string_view command_line);
// 2.7.3 where the jar is named so, "jython-standalone-2.7.3.jar"; else empty.
std::string jython_version(std::string_view command_line);

}  // namespace gilscope
