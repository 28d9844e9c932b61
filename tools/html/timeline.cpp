#include "tools/html/timeline.h"

#include <fmt/format.h>

#include <map>

#include "tools/analysis/numbers.h"
#include "tools/analysis/wording.h"
#include "tools/html/markup.h"
#include "userspace/report/embedded_report.h"

namespace gilscope {
namespace {

constexpr unsigned kVersion = 1;

void put(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out += char(value | 0x80);
    value >>= 7;
  }
  out += char(value);
}

uint64_t zigzag(int64_t value) {
  return uint64_t(value) << 1 ^ uint64_t(value >> 63);
}

uint64_t cpu_or_none(uint16_t cpu) {
  return cpu == GILSCOPE_NO_CPU ? 0 : uint64_t(cpu) + 1;
}

void put(std::string& out, const gilscope_segment& s, uint64_t run,
         const std::map<uint32_t, size_t>& slots) {
  const bool counts = s.acquires || s.contended || s.woken_lost || s.timed_out || s.drop_requests;
  out += char(s.began | s.ended << 2 | s.gil_state << 5 | (counts ? 1 : 0) << 7);
  put(out, run);
  if (s.began != GILSCOPE_BEGAN_ENTERED) put(out, s.run_ns - s.ready_ns);
  put(out, s.end_ns - s.run_ns);
  put(out, s.cpu);
  put(out, cpu_or_none(s.previous_cpu));
  if (s.began == GILSCOPE_BEGAN_WOKEN) {
    const auto slot = slots.find(s.waker_tid);
    put(out, s.waker_tid == 0 ? 0 : slot == slots.end() ? 1 : slot->second + 2);
    put(out, cpu_or_none(s.waker_cpu));
    put(out, cpu_or_none(s.placed_cpu));
  }
  if (!counts) return;
  for (const uint32_t n : {s.acquires, s.contended, s.woken_lost, s.timed_out, s.drop_requests}) {
    put(out, n);
  }
}

std::string caption(const TraceWindow& window) {
  const uint64_t length = window.to_ns - window.from_ns;
  std::string text = fmt::format(
      "Block {}, {} from {} after the trace began: {}, {}.", window.run->block,
      duration(double(length)).text(),
      duration(double(window.from_ns - std::min(window.from_ns, window.trace_from_ns))).text(),
      Wording::number_of(window.segments(), "segment"),
      Wording::number_of(window.wasted_wakeups, "wasted wakeup"));
  if (window.cut) text += " Cut short: the page has no room for 50 ms with so many segments.";
  if (window.run->lost && window.run->lost->segments) {
    text += fmt::format(" {} of this run found no room: the timeline may have holes.",
                        Wording::number_of(window.run->lost->segments, "record"));
  }
  return text;
}

}  // namespace

std::string packed(const TraceWindow& window) {
  std::map<uint32_t, size_t> slots;
  for (size_t slot = 0; slot < window.run->threads.size(); ++slot) {
    const auto& trace = window.run->threads[slot].trace;
    if (trace && trace->tid) slots[trace->tid] = slot;
  }
  std::string out;
  put(out, kVersion);
  put(out, window.threads.size());
  for (const auto& thread : window.threads) {
    put(out, thread.size());
    const gilscope_segment* last = nullptr;
    for (const gilscope_segment& segment : thread) {
      const uint64_t since = last ? last->end_ns : window.from_ns;
      put(out, segment, zigzag(int64_t(segment.run_ns - since)), slots);
      last = &segment;
    }
  }
  return out;
}

std::string timeline(const std::string& id, const std::string& title, TraceWindow window,
                     size_t room) {
  const size_t bytes = room / 4 * 3;
  std::string data = packed(window);
  for (int attempt = 0; data.size() > bytes && attempt < 20; ++attempt) {
    window.shorten(0.95 * double(bytes) / double(data.size()));
    data = packed(window);
  }
  std::string out = fmt::format(
      "<figure class=\"timeline\" id=\"{}\" data-length=\"{}\"><figcaption><b>{}</b> {}"
      "</figcaption>",
      escaped(id), window.to_ns - window.from_ns, escaped(title), escaped(caption(window)));
  out += "<ol hidden>";
  for (const Thread& thread : window.run->threads) out += "<li>" + escaped(thread.name) + "</li>";
  out += "</ol>";
  if (data.size() <= bytes) {
    out += "<script type=\"application/octet-stream\">" + to_base64(data) + "</script>";
  } else {
    out += "<p class=\"warning\">Not shown: too many threads for the page.</p>";
  }
  return out + "</figure>\n";
}

}  // namespace gilscope
