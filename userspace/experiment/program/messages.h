// The messages of a script on its results pipe: JSON objects, one a line
// (userspace/experiment/scripts/scripts.h). A script is another's program as far as this process is
// concerned: sizes are bounded, types checked, and whatever is not of the protocol fails the run
// with one line.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "userspace/base/result.h"

namespace gilscope {

namespace script {

// The threads exist and wait at their barriers; main is the first.
struct Ready {
  struct Thread {
    std::string name;
    std::optional<uint32_t> tid;  // in the script's own PID namespace; untrusted
  };
  std::vector<Thread> threads;
  bool monotonic = true;  // false: it has no other clock than that of the day
};
// Its spare threads compute, or do so no more.
struct Contending {};
struct Resting {};
// Latencies that it has measured.
struct Samples {
  size_t thread = 0;  // among the measured threads, from 0
  std::vector<uint64_t> ns;
};
struct Done {
  struct Thread {
    std::string name;
    uint64_t operations = 0;
    std::optional<uint64_t> active_ns;  // empty: it has not ended
  };
  uint64_t wall_ns = 0;
  std::vector<Thread> threads;  // measured ones and those of the background
  std::map<std::string, double> results;
};
// A failure of its own, in one line.
struct Failed {
  std::string why;
};

}  // namespace script

using ScriptMessage = std::variant<script::Ready, script::Contending, script::Resting,
                                   script::Samples, script::Done, script::Failed>;

// One line, without its line feed.
Result<ScriptMessage> parse_message(std::string_view line);

// Puts lines together from what a pipe delivers.
class MessageReader {
 public:
  static constexpr size_t kLongestLine = 1 << 20;

  // Takes the bytes; fails where a line is none of the protocol or too long.
  Result<std::vector<ScriptMessage>> take(std::string_view bytes);
  // Whether the last line that came has not ended.
  bool within_line() const { return !line_.empty(); }

 private:
  std::string line_;
};

}  // namespace gilscope
