// The words that the rows of bpf/numbers.def use, and what a row becomes in C++. Nothing here
// depends on a row: an includer expands the rows that it wants.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace gilscope {

namespace numbers {

enum class From : uint8_t {
  own,
  both,
  remote,
  gil,
  gil_of_models,
  subject,
  running,
  occupant,
  signed_sum,
  waking
};

// The program's threads are a model's, or a real one's: some numbers are of one of them alone.
enum class Whose : uint8_t { both, models, subjects };

constexpr Whose whose(From from) {
  if (from == From::gil_of_models) return Whose::models;
  return from == From::subject ? Whose::subjects : Whose::both;
}

// The model's type: optional where a report may not know the number.
template <From from, int since>
using Counter =
    std::conditional_t<from == From::occupant || whose(from) != Whose::both || since != 0,
                       std::optional<uint64_t>, uint64_t>;

enum class Known : uint8_t { always, optional };

template <Known known, int since>
using Measured =
    std::conditional_t<known == Known::optional || since != 0, std::optional<uint64_t>, uint64_t>;

// The tables of the views: CPUS, CPUS AND THE GIL, THREADS.
enum class View : uint8_t { none, scheduling, gil, threads };

// How a median is made from the number of one run, and written.
enum class As : uint8_t {
  count,
  duration,
  share,       // of the window
  per_s,       // over the window
  of_wakeups,  // over the wakeups that ran there
};

// In the place of `drop`: the terminal's table does not have the column.
enum Drop { on_the_page = -1 };

struct Column {
  View view = View::none;
  int place = 0;  // from the left
  const char* group = "";
  const char* name = "";
  As as = As::count;
  int drop = 0;  // the highest goes first where the terminal is narrow; 0 never
};

// What follows the definition in a CPU or THREAD row.
struct Row {
  const char* summed = nullptr;
  const char* per_s = nullptr;
  Column column = {};
};

// Made of a time, and so without meaning on emulated CPUs.
constexpr bool of_time(As as) {
  return as == As::duration || as == As::share || as == As::per_s;
}

// The key of a median in `show --json`: "on_cpu_share", "failed_per_s.contended".
inline std::string key_of_median(std::string_view key, As as) {
  std::string object, name(key);
  if (const size_t dot = key.find('.'); dot != key.npos) {
    object = key.substr(0, dot);
    name = key.substr(dot + 1);
  }
  std::string& last = object.empty() ? name : object;
  if (as == As::share && last.ends_with("_ns")) last.resize(last.size() - 3);
  if (as == As::share || as == As::of_wakeups) last += "_share";
  if (as == As::per_s) last += "_per_s";
  return object.empty() ? name : object + "." + name;
}

}  // namespace numbers
}  // namespace gilscope

// The Row of what follows the definition.
#define GILSCOPE_ROW(...)                       \
  [] {                                          \
    using enum gilscope::numbers::View;         \
    using enum gilscope::numbers::As;           \
    using enum gilscope::numbers::Drop;         \
    return gilscope::numbers::Row{__VA_ARGS__}; \
  }()
