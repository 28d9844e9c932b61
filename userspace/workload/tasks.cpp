#include "userspace/workload/tasks.h"

#include <regex.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <map>

#include "userspace/eval/programs.h"
#include "userspace/gil/no_lock.h"
#include "userspace/util/time.h"

namespace gilscope {
namespace {

constexpr int64_t kCounted = 1000;
constexpr int64_t kDigits = 50;
constexpr size_t kSearched = 2000, kCompressed = 6000;

// Words of pseudo-random letters, some of them addresses: the same text in every run.
std::string some_text(size_t length) {
  std::string text;
  uint32_t state = 12345;
  const auto next = [&state] {
    state = state * 1664525 + 1013904223;  // Numerical Recipes' generator
    return state >> 16;
  };
  while (text.size() < length) {
    for (uint32_t letters = 2 + next() % 8; letters > 0; --letters) {
      text += static_cast<char>('a' + next() % 26);
    }
    text += next() % 8 == 0 ? "@" : next() % 10 == 0 ? ".\n" : " ";
  }
  text.resize(length);
  return text;
}

class Search {
 public:
  Search() { regcomp(&expression_, "[a-z]+@([a-z]+)( |\\.)", REG_EXTENDED); }
  ~Search() { regfree(&expression_); }

  void all() const {
    regmatch_t match;
    for (const char* at = text_.c_str(); regexec(&expression_, at, 1, &match, 0) == 0;) {
      at += match.rm_eo;
    }
  }

 private:
  const std::string text_ = some_text(kSearched);
  regex_t expression_;  // not shared: glibc locks it while it searches
};

class Compression {
 public:
  void once() {
    uLongf size = packed_.size();
    compress2(packed_.data(), &size, reinterpret_cast<const Bytef*>(text_.data()), text_.size(),
              Z_DEFAULT_COMPRESSION);
  }

 private:
  const std::string text_ = some_text(kCompressed);
  std::vector<Bytef> packed_ = std::vector<Bytef>(compressBound(kCompressed));
};

}  // namespace

const std::vector<std::string>& task_names() {
  static const std::vector<std::string> names = {"count", "pidigits", "regex", "compress"};
  return names;
}

Task::Task(const std::string& name, Interpreter& interpreter) : interpreter_(interpreter) {
  if (name == "count") {
    code_ = counting_loop();
    argument_ = kCounted;
  } else if (name == "pidigits") {
    code_ = pi_digits();
    argument_ = kDigits;
  } else if (name == "regex") {
    code_ = calling_loop([search = std::make_shared<Search>()] { search->all(); });
  } else {
    code_ = calling_loop([compression = std::make_shared<Compression>(), &interpreter] {
      AllowThreads allow(interpreter.gil(), interpreter.thread());
      compression->once();
    });
  }
}

double seconds_of(const std::string& name) {
  static std::map<std::string, double> known;
  if (auto at = known.find(name); at != known.end()) return at->second;
  NoLock gil;
  gilscope_slot GILSCOPE_ALIGNED slot = {};
  GilThread thread(slot);
  Interpreter interpreter(gil, thread);
  Task task(name, interpreter);
  uint64_t shortest_ns = UINT64_MAX;
  for (int round = 0; round < 5; ++round) {
    const uint64_t start_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    task.once();
    shortest_ns = std::min(shortest_ns, clock_ns(CLOCK_THREAD_CPUTIME_ID) - start_ns);
  }
  return known[name] = static_cast<double>(shortest_ns) / 1e9;
}

}  // namespace gilscope
