#include "tools/cli/compare_options.h"

#include <charconv>

#include "userspace/base/quote.h"

namespace gilscope {
namespace {

// "2%", "0.02"
Result<double> parse_share(const std::string& text) {
  std::string digits = text;
  const bool percent = digits.ends_with('%');
  if (percent) digits.pop_back();
  double value = 0;
  const char* last = digits.data() + digits.size();
  // Digits and a point. No exponent is accepted, as in counts.
  const auto [end, error] = std::from_chars(digits.data(), last, value, std::chars_format::fixed);
  if (percent) value /= 100;
  if (error == std::errc() && end == last && value > 0 && value < 1) return value;
  return fail(fmt::format("{} is no share: give one above 0 and below 100 %, as 2% or 0.02",
                          in_quotes(text)));
}

}  // namespace

void add_sides(Command& command, ComparisonOptions& options) {
  SidesRequest& sides = options.sides;
  command
      .option("--by", sides.by,
              "the key to compare: cpus, policy, kernel, host, environment.kernel.release")
      .value_kind("KEY");
  command.option("--within", sides.within, "a key to hold fixed besides; may be repeated")
      .value_kind("KEY");
  command
      .option("--baseline", sides.baseline, "the value of the key that the others are held against")
      .value_kind("VALUE");
  command
      .option("--metric", options.metrics,
              "a primary metric, instead of the spec's; may be repeated")
      .value_kind("METRIC");
  command
      .option(
          "--min-effect",
          [&options](const std::string& text) -> Status {
            const auto share = parse_share(text);
            if (!share) return fail(share.error());
            options.min_effect = *share;
            return {};
          },
          "less than this either way is the same (2%)")
      .value_kind("SHARE");
  command.flag("--force", options.force, "compare what does not compare, and say so");
}

}  // namespace gilscope
