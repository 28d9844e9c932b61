#include "userspace/experiment/scripts/scripts.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "userspace/base/file_io.h"

namespace gilscope {
namespace {

constexpr std::string_view kPython =
#include "userspace/experiment/scripts/workload.py.inc"
    ;
constexpr std::string_view kRuby =
#include "userspace/experiment/scripts/workload.rb.inc"
    ;

// Nothing but the script and the standard library is read: neither the environment nor the current
// directory nor the user's own packages, and no byte code is written. -I is not known to Python 2.
std::vector<std::string> options_of(std::string_view version) {
  if (version.starts_with("2.")) return {"-E", "-s", "-S", "-B"};
  return {"-I", "-S", "-B"};
}

}  // namespace

std::string_view script_for(std::string_view kind) {
  if (kind == "ruby") return kRuby;
  if (kind == "python" || kind == "pypy" || kind == "jython") return kPython;
  return "";
}

Result<Fd> open_script(std::string_view kind) {
  Fd file(::memfd_create("workload", MFD_CLOEXEC));
  if (!file) return fail_errno("cannot make a file in memory for a script");
  const std::string failure = "cannot write a script into memory";
  if (Status s = write_all(file.get(), script_for(kind), failure); !s) return fail(s.error());
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return fail_errno(failure);
  return file;
}

bool has_script(const WorkloadDescriptor& workload) {
  constexpr std::string_view kHave[] = {"count",     "mixed", "throughput", "latency",
                                        "bandwidth", "echo",  "file",       "convoy"};
  return std::ranges::find(kHave, workload.name) != std::end(kHave);
}

std::string task_json(const ScriptTask& task) {
  using Json = nlohmann::ordered_json;
  const Parameters& given = task.workload.parameters;
  Json parameters = Json::object();
  for (const Parameter& one : task.workload.workload->all_parameters()) {
    if (one.kind == Parameter::Kind::word || one.kind == Parameter::Kind::path) {
      parameters[one.key] = given.word(one.key);
    } else if (const auto number = given.optional_number(one.key)) {
      parameters[one.key] = *number;
    }
  }
  Json text = {{"workload", task.workload.workload->name},
               {"parameters", parameters},
               {"background", given.number("background")},
               {"task", given.word("task")},
               {"threads", task.threads},
               {"arrangement", task.threaded ? "threaded" : "sequential"},
               {"main_exit", task.join_at_end ? "join" : "kill"},
               {"gate", task.gate},
               {"results", task.results},
               {"connections", task.connections}};
  if (task.switch_interval_ns) text["switch_interval_ns"] = *task.switch_interval_ns;
  if (task.check_interval) text["check_interval"] = *task.check_interval;
  // A path may hold bytes that are no text, and then names nothing.
  return text.dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string executable_of(std::string_view kind, const std::string& root, const std::string& path) {
  if (kind != "jython") return path;
  const Fd file(::open((root + path).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  char begin[2] = {};
  const bool launcher =
      ::read(file.get(), begin, sizeof begin) == 2 && begin[0] == '#' && begin[1] == '!';
  return launcher ? "/usr/bin/java" : path;
}

std::vector<std::string> argv_for(std::string_view kind, const std::string& executable,
                                  std::string_view version, const std::string& task) {
  std::vector<std::string> words = {executable};
  if (kind == "ruby") {
    words.emplace_back("--disable-all");
  } else {
    if (kind == "jython") {
      for (const char* word : {"-cp", "/usr/share/java/jython.jar", "--add-opens",
                               "java.base/java.io=ALL-UNNAMED", "-Dpython.home=/usr/share/jython",
                               "-Dpython.cachedir.skip=true", "org.python.util.jython"}) {
        words.emplace_back(word);
      }
    }
    for (std::string& option : options_of(version)) words.push_back(std::move(option));
  }
  words.emplace_back("-");
  words.push_back(task);
  return words;
}

}  // namespace gilscope
