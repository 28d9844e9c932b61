#include "userspace/workload/tasks.h"

#include <regex.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <map>

#include "userspace/base/time.h"
#include "userspace/eval/object_memory.h"
#include "userspace/eval/programs.h"
#include "userspace/gil/policies.h"

namespace gilscope {
namespace {

constexpr int64_t kCounted = 1000;
constexpr int64_t kDigits = 50;
constexpr size_t kSearched = 2000, kCompressed = 6000;

// Words of pseudo-random letters, some of them addresses. Every run has the same text.
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
  Search() {
    while (regcomp(&expression_, "[a-z]+@([a-z]+)( |\\.)", REG_EXTENDED) != 0) out_of_memory();
  }
  ~Search() { regfree(&expression_); }

  void all() const {
    regmatch_t match;
    const char* at = text_.c_str();
    for (;;) {
      const int result = regexec(&expression_, at, 1, &match, 0);
      if (result == REG_NOMATCH) return;
      if (result == 0) {
        at += match.rm_eo;
      } else {
        out_of_memory();
      }
    }
  }

 private:
  const std::string text_ = some_text(kSearched);
  regex_t expression_;  // not shared: glibc locks it while it searches
};

class Compression {
 public:
  // As compress2() does, but for the allocator: zlib takes a quarter of a megabyte for each call.
  void run_once() {
    z_stream stream = {};
    stream.zalloc = [](void*, uInt count, uInt size) { return take_sized(size_t{count} * size); };
    stream.zfree = [](void*, void* memory) { give_sized(memory); };
    while (deflateInit(&stream, Z_DEFAULT_COMPRESSION) != Z_OK) out_of_memory();
    stream.next_in = reinterpret_cast<Bytef*>(text_.data());
    stream.avail_in = static_cast<uInt>(text_.size());
    stream.next_out = packed_.data();
    stream.avail_out = static_cast<uInt>(packed_.size());
    deflate(&stream, Z_FINISH);
    deflateEnd(&stream);
  }

 private:
  // The size is kept before the block, in a cache line of its own.
  static constexpr size_t kBefore = 64;
  static void* take_sized(size_t bytes) {
    auto* const block = static_cast<char*>(take_block(kBefore + bytes));
    *reinterpret_cast<size_t*>(block) = kBefore + bytes;
    return block + kBefore;
  }
  static void give_sized(void* memory) {
    char* const block = static_cast<char*>(memory) - kBefore;
    give_block(block, *reinterpret_cast<size_t*>(block));
  }

  std::string text_ = some_text(kCompressed);
  std::vector<Bytef> packed_ = std::vector<Bytef>(compressBound(kCompressed));
};

}  // namespace

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
      compression->run_once();
    });
  }
}

bool releases_the_gil(const std::string& task) {
  return task == "compress";
}

double seconds_of(const std::string& name, const std::string& policy) {
  static std::map<std::pair<std::string, std::string>, double> known;
  const std::pair key(name, policy);
  if (auto at = known.find(key); at != known.end()) return at->second;
  auto gil = make_gil(policy);
  if (!gil) return 0;  // no plan has such a policy
  gilscope_slot GILSCOPE_ALIGNED slot = {};
  GilThread thread(slot);
  Interpreter interpreter(**gil, thread);
  (*gil)->acquire(thread);
  Task task(name, interpreter);
  uint64_t shortest_ns = UINT64_MAX;
  for (int round = 0; round < 5; ++round) {
    const uint64_t start_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    task.run_once();
    shortest_ns = std::min(shortest_ns, clock_ns(CLOCK_THREAD_CPUTIME_ID) - start_ns);
  }
  (*gil)->release(thread);
  return known[key] = static_cast<double>(shortest_ns) / 1e9;
}

double seconds_of_counting(double iterations, const std::string& policy) {
  return iterations / kCounted * seconds_of("count", policy);
}

}  // namespace gilscope
