#include "userspace/subject/names.h"

#include <algorithm>

namespace gilscope {
namespace {

// The rest of a name: a version, an ABI, a library's ending. "3.11", "3.13t.so.1.0", "-3.1.so.3.1",
// "3.9-c.so", but not "-config".
bool is_version(std::string_view rest) {
  const size_t library = rest.find(".so");
  if (library != rest.npos) rest = rest.substr(0, library);
  if (rest.ends_with("-c")) rest.remove_suffix(2);
  if (rest.ends_with("-dbg")) rest.remove_suffix(4);
  if (rest.starts_with('-')) rest.remove_prefix(1);
  const size_t abi = rest.find_last_not_of("mdutw") + 1;
  return rest.size() - abi <= 2 &&
         rest.substr(0, abi).find_first_not_of("0123456789.") == rest.npos;
}

// The argument that names Jython: its jar, alone or in a class path, or its main class. Empty:
// none.
std::string_view jython_argument(std::string_view command_line) {
  while (!command_line.empty()) {
    // Arguments end in a zero each, paths of a class path in a colon.
    const std::string_view argument =
        command_line.substr(0, command_line.find_first_of({"\0:", 2}));
    const std::string_view name = base_name(argument);
    if (argument == "org.python.util.jython") return argument;
    if (name.starts_with("jython") && name.ends_with(".jar")) return argument;
    command_line.remove_prefix(std::min(argument.size() + 1, command_line.size()));
  }
  return "";
}

}  // namespace

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

std::string_view kind_of_name(std::string_view path) {
  std::string_view name = base_name(path);
  if (name.starts_with("lib")) name.remove_prefix(3);
  for (const std::string_view kind : {"python", "pypy", "ruby"}) {
    if (name.starts_with(kind) && is_version(name.substr(kind.size()))) return kind;
  }
  return "";
}

bool runs_jython(std::string_view executable, std::string_view command_line) {
  return base_name(executable) == "java" && !jython_argument(command_line).empty();
}

std::string jython_version(std::string_view command_line) {
  std::string_view name = base_name(jython_argument(command_line));
  if (!name.ends_with(".jar")) return "";
  name.remove_suffix(4);
  name.remove_prefix(name.rfind('-') + 1);
  const bool version =
      name.find('.') != name.npos && name.find_first_not_of("0123456789.abrc") == name.npos;
  return version ? std::string(name) : "";
}

}  // namespace gilscope
