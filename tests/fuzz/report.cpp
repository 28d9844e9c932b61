// A report, or a page that carries one, that somebody has sent: whatever it says, it is refused or
// shown.
#include <sstream>
#include <string_view>

#include "tools/summary_json.h"
#include "tools/text_report.h"
#include "userspace/report/embedded_report.h"
#include "userspace/report/invariants.h"
#include "userspace/report/json.h"

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
  for (const auto per : {std::optional<Per>(), std::optional(Per::core), std::optional(Per::thread),
                         std::optional(Per::block)}) {
    print_text_report(out, *report, {.color = false, .width = 80, .per = per});
  }
  // What was read is written and read again.
  if (!from_json(to_json(*report), "written")) __builtin_trap();
  return 0;
}
