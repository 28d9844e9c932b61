#include "userspace/descriptor/program.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "userspace/base/quote.h"
#include "userspace/base/term.h"

namespace gilscope {
namespace {

constexpr std::string_view kSwitchInterval = ",switch-interval=",
                           kCheckInterval = ",check-interval=";
constexpr std::string_view kAtGate = "gate=fd,";
// As the model's check interval has it.
constexpr uint64_t kMostOpcodes = 1'000'000'000;

std::string_view kind_of(std::string_view policy) {
  return policy.substr(0, policy.find(':'));
}

std::string_view rest_of(std::string_view policy) {
  const size_t colon = policy.find(':');
  return colon == policy.npos ? std::string_view() : policy.substr(colon + 1);
}

// Takes ",key=value" off the end of a path, wherever it stands among others.
std::optional<std::string> take_option(std::string& rest, std::string_view key) {
  const size_t at = rest.find(key);
  if (at == rest.npos) return {};
  const size_t from = at + key.size();
  const size_t end = std::min(rest.find(',', from), rest.size());
  std::string value = rest.substr(from, end - from);
  rest.erase(at, end - at);
  return value;
}

Status read_intervals(std::string& rest, ProgramPolicy& program) {
  if (const auto text = take_option(rest, kSwitchInterval)) {
    const auto ns = parse_duration_ns(*text);
    if (!ns || *ns < kShortestTurnNs || *ns > kLongestTurnNs) {
      return fail(fmt::format("switch-interval={} is not a time from {} to {}, as in 5ms",
                              printable(*text), format_duration_ns(kShortestTurnNs),
                              format_duration_ns(kLongestTurnNs)));
    }
    program.switch_interval_ns = *ns;
  }
  if (const auto text = take_option(rest, kCheckInterval)) {
    const auto count = parse_count(*text);
    if (!count || *count < 1 || *count > kMostOpcodes) {
      return fail(fmt::format("check-interval={} is not a count of opcodes from 1 to {}, as in 100",
                              printable(*text), kMostOpcodes));
    }
    program.check_interval = *count;
  }
  if (program.kind != "python" && program.kind != "pypy" &&
      (program.switch_interval_ns || program.check_interval)) {
    return fail(
        fmt::format("a {} has neither a switch interval nor a check interval", program.kind));
  }
  if (program.switch_interval_ns && program.check_interval) {
    return fail(
        "an interpreter has a switch interval (CPython 3.2+, PyPy) or a check interval "
        "(CPython 2.7): give one of them");
  }
  return {};
}

Status check_path(const ProgramPolicy& program) {
  const std::string& path = program.path;
  if (path.empty() || path[0] != '/') {
    return fail(fmt::format("{} is no absolute path: name the file, as in {}", in_quotes(path),
                            program_form(program.kind)));
  }
  if (const size_t comma = path.find(','); comma != path.npos) {
    return fail(
        fmt::format("there is no option {}; there are switch-interval=T and "
                    "check-interval=N",
                    in_quotes(path.substr(comma + 1))));
  }
  constexpr size_t kLongestPath = 4095;
  const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (path.size() > kLongestPath || std::ranges::any_of(path, control)) {
    return fail(fmt::format("{} is no path", in_quotes(path)));
  }
  return {};
}

// Words stand between blanks; quotes, single or double, keep blanks in a word.
Result<std::vector<std::string>> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      return fail("a command is one line without control characters");
    }
    if (quote != 0) {
      if (c == quote)
        quote = 0;
      else
        word += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
      in_word = true;
    } else if (c == ' ') {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote != 0) return fail(fmt::format("a quote ({}) is not closed", quote));
  if (in_word) words.push_back(std::move(word));
  if (words.empty() || words[0].empty()) {
    return fail("a command is wanted, as in program:/usr/bin/pypy3 app.py");
  }
  return words;
}

Status read_command(std::string_view rest, ProgramPolicy& program) {
  program.waits_at_gate = rest.starts_with(kAtGate);
  if (program.waits_at_gate) rest.remove_prefix(kAtGate.size());
  auto words = words_of(rest);
  if (!words) return fail(words.error());
  program.command = std::move(*words);
  const size_t first = rest.find_first_not_of(' '), last = rest.find_last_not_of(' ');
  program.canonical = fmt::format("program:{}{}", program.waits_at_gate ? kAtGate : "",
                                  rest.substr(first, last - first + 1));
  return {};
}

// The name of an interpreter's file: "python2.7", "pypy".
Status read_name(std::string_view name, ProgramPolicy& program) {
  const auto named = [&](const std::string& kind) {
    return name.starts_with(kind) &&
           name.substr(kind.size()).find_first_not_of("0123456789.") == name.npos;
  };
  if (std::ranges::none_of(interpreter_kinds(), named)) {
    return fail("the name of an interpreter is wanted, as in found:python2.7");
  }
  program.path = name;
  program.canonical = std::string(kFoundPrefix) + program.path;
  return {};
}

Status read_interpreter(std::string_view text, ProgramPolicy& program) {
  std::string rest(text);
  if (Status read = read_intervals(rest, program); !read) return read;
  program.path = std::move(rest);
  if (Status good = check_path(program); !good) return good;
  program.canonical = program.kind + ":" + program.path;
  if (program.switch_interval_ns) {
    program.canonical +=
        std::string(kSwitchInterval) + format_duration_ns(*program.switch_interval_ns);
  }
  if (program.check_interval) {
    program.canonical += fmt::format("{}{}", kCheckInterval, *program.check_interval);
  }
  return {};
}

}  // namespace

const std::vector<std::string>& interpreter_kinds() {
  static const std::vector<std::string> kinds = {"python", "pypy", "jython", "ruby"};
  return kinds;
}

std::string program_form(std::string_view kind) {
  if (kind == "python") return "python:/usr/bin/python3";
  if (kind == "program") return "program:COMMAND";
  return fmt::format("{0}:/usr/bin/{0}{1}", kind, kind == "pypy" ? "3" : "");
}

bool names_program(std::string_view policy) {
  const std::string_view kind = kind_of(policy);
  if (kind == "pypy") {
    const std::string_view rest = rest_of(policy);
    return !rest.empty() && (rest[0] == '/' || rest[0] == '.' || rest.find('/') != rest.npos ||
                             rest.starts_with("pypy"));
  }
  return kind == "program" || kind == "found" ||
         std::ranges::find(interpreter_kinds(), kind) != interpreter_kinds().end();
}

bool is_command(std::string_view policy) {
  return kind_of(policy) == "program" && policy.find(':') != policy.npos;
}

Result<ProgramPolicy> read_program(std::string_view policy) {
  ProgramPolicy program;
  program.kind = kind_of(policy);
  const std::string_view rest = rest_of(policy);
  const Status read = program.kind == "found"    ? read_name(rest, program)
                      : program.is_interpreter() ? read_interpreter(rest, program)
                                                 : read_command(rest, program);
  if (!read) {
    return fail(fmt::format("policy {}: {}", in_quotes(policy), read.error().message));
  }
  return program;
}

PolicyPace pace_of(const ProgramPolicy& program) {
  constexpr size_t kEverybody = SIZE_MAX;
  constexpr uint64_t kOfPython3 = 5'000'000;  // sys.getswitchinterval()
  PolicyPace pace;
  if (program.kind == "jython") pace.holders = kEverybody;
  if (program.check_interval)
    pace.held_opcodes = *program.check_interval;
  else
    pace.held_ns = program.switch_interval_ns.value_or(kOfPython3);
  return pace;
}

}  // namespace gilscope
