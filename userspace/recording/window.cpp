#include "userspace/recording/window.h"

#include <string>

#include "userspace/base/quote.h"
#include "userspace/base/term.h"

namespace gilscope {
namespace {

constexpr uint64_t kMs = 1'000'000, kSecond = 1'000 * kMs, kDay = 86'400 * kSecond;

// Minutes and hours are read as seconds, and multiplied.
Result<uint64_t> parse_long(std::string_view text) {
  uint64_t factor = 1;
  std::string shorter(text);
  const bool has_number =
      text.size() > 1 && text[text.size() - 2] >= '0' && text[text.size() - 2] <= '9';
  if (has_number && (text.ends_with('m') || text.ends_with('h'))) {
    factor = text.ends_with('m') ? 60 : 3600;
    shorter.back() = 's';
  }
  const auto ns = parse_duration_ns(shorter);
  uint64_t all = 0;
  if (!ns || __builtin_mul_overflow(*ns, factor, &all)) {
    return fail(fmt::format("{} is not a duration: write a number followed by ms, s, m or h",
                            in_quotes(text)));
  }
  return all;
}

}  // namespace

Result<uint64_t> parse_window_ns(std::string_view text) {
  const auto ns = text == "0" ? Result<uint64_t>(0) : parse_long(text);
  if (!ns) return ns;
  if (*ns == 0) {
    return fail(fmt::format("a window of {} sees nothing: give a time such as 10s", text));
  }
  if (*ns < kMs || *ns > 30 * kDay) {
    return fail(fmt::format("{} is out of range: give 1ms to 720h", in_quotes(text)));
  }
  return *ns;
}

}  // namespace gilscope
