#include "userspace/workload/count.h"

#include "userspace/eval/bytecode.h"
#include "userspace/util/quote.h"

namespace gilscope {
namespace {

class Count : public Workload {
 public:
  explicit Count(const CountOptions& options) : options_(options) {}

  uint64_t run(Interpreter& interpreter) override {
    const int64_t n = static_cast<int64_t>(options_.n);
    interpreter.run(code_, {&n, 1});
    return options_.n;
  }

  std::optional<uint64_t> main_sleep_ns() const override { return options_.main_sleep_ns; }

 private:
  const CountOptions options_;
  const Code code_ = counting_loop();
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

Result<CountOptions> read_count(const Term& term) {
  CountOptions options;
  for (const Argument& argument : term.arguments) {
    if (argument.key == "n") {
      auto n = parse_count(argument.value);
      if (!n || *n == 0 || *n > INT64_MAX) {
        return fail(fmt::format("workload count: n={} is not a count from 1 up, as in n=20M",
                                printable(argument.value)));
      }
      options.n = *n;
    } else if (argument.key == "seconds") {
      auto ns = parse_duration_ns(argument.value);
      // Seconds where it has no unit of its own; "2m" is refused, not read as 2ms.
      if (!ns && is_digit(argument.value.back())) ns = parse_duration_ns(argument.value + "s");
      if (!ns || *ns == 0 || *ns > 86'400'000'000'000) {
        return fail(
            fmt::format("workload count: seconds={} is not a time up to a day, as in "
                        "seconds=2 or seconds=500ms",
                        printable(argument.value)));
      }
      options.main_sleep_ns = *ns;
    } else {
      return fail(fmt::format("workload count has no parameter {}; it takes n=COUNT, seconds=TIME",
                              in_quotes(argument.key.empty() ? argument.value : argument.key)));
    }
  }
  return options;
}

std::string canonical_count(const CountOptions& options) {
  std::string text = "count:n=" + format_count(options.n);
  if (options.main_sleep_ns) text += ",seconds=" + format_duration_ns(*options.main_sleep_ns);
  return text;
}

std::unique_ptr<Workload> make_count(const CountOptions& options) {
  return std::make_unique<Count>(options);
}

}  // namespace gilscope
