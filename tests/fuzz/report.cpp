// A report, or a page that contains one, from an untrusted source: whatever it contains, gilscope
// refuses it, or shows and compares it.
#include <sstream>
#include <string_view>

#include "tools/json/comparison_json.h"
#include "tools/json/summary_json.h"
#include "tools/text/comparison.h"
#include "tools/text/comparison_rows.h"
#include "tools/text/report.h"
#include "userspace/report/embedded_report.h"
#include "userspace/report/invariants.h"
#include "userspace/report/json.h"

namespace gilscope {
namespace {

// Comparing it works or is refused, whatever it contains.
void compare_with_itself(const Report& report) {
  std::vector<ComparedReport> two;
  for (const size_t argument : {0, 1}) {
    auto compared = compared_report(report, "fuzzed");
    if (!compared) return;
    compared->argument = argument;
    compared->keys[kByReport] = argument ? "b" : "a";
    two.push_back(std::move(*compared));
  }
  for (const char* by : {"", "cpus", "policy"}) {
    ComparisonOptions options;
    options.sides.by = by;
    options.force = true;
    const auto comparison = compare(two, options);
    if (!comparison) continue;
    std::ostringstream out;
    for (const bool all : {false, true}) {
      print_comparison(out, *comparison, {.color = false, .width = 80, .per = {}}, all);
    }
    (void)comparison_json(*comparison);
    (void)comparison_csv(*comparison);
    (void)comparison_markdown(*comparison);
  }
}

}  // namespace
}  // namespace gilscope

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gilscope;
  std::string text(reinterpret_cast<const char*>(data), size);
  if (is_page(text)) {
    Result<std::string> unpacked = unpack_report(text, "fuzzed", 1 << 20);
    if (!unpacked) return 0;
    text = std::move(*unpacked);
  }
  const Result<Report> report = from_json(text, "fuzzed");
  if (!report) return 0;
  (void)broken_invariants(*report);
  (void)summary_json(*report);
  std::ostringstream out;
  for (const auto per : {std::optional<Per>(), std::optional(Per::cpu), std::optional(Per::thread),
                         std::optional(Per::block)}) {
    for (const bool all : {false, true}) {
      print_text_report(out, *report,
                        {.color = false, .width = 80, .per = per, .all = all, .report = {}});
    }
  }
  compare_with_itself(*report);
  // A report that could be read can be written and read again.
  if (!from_json(to_json(*report), "written")) __builtin_trap();
  return 0;
}
