#include "tests/interpreters/ours.h"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace gilscope {
namespace {

using nlohmann::json;

Ours::Count count(const json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_number()) return std::nullopt;
  return object[key].get<uint64_t>();
}

std::string text(const json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_string()) return "";
  return object[key].get<std::string>();
}

}  // namespace

Result<Ours> read_ours(const std::string& report_directory, uint64_t pid) {
  std::ifstream file(report_directory + "/report.json");
  const json report = json::parse(file, nullptr, false);
  if (report.is_discarded()) return fail("no JSON in " + report_directory + "/report.json");
  for (const json& cell : report.value("cells", json::array())) {
    const json subject = cell.value("subject", json());
    if (count(subject, "pid") != pid) continue;
    const json runs = cell.value("runs", json::array());
    if (runs.size() != 1) return fail(fmt::format("{} runs, instead of one", runs.size()));
    const json& run = runs[0];
    const json gil = run.value("gil", json());
    Ours ours;
    ours.opened_ns = count(run, "opened_ns");
    ours.window_ns = count(run, "window_ns");
    ours.contended = count(gil, "contended");
    ours.woken_lost = count(gil, "woken_lost");
    ours.timed_out = count(gil, "timed_out");
    ours.undecided = count(gil, "undecided");
    ours.sleeps = count(gil, "sleeps");
    ours.waits_begun_again = count(gil, "waits_begun_again");
    ours.waits_begun = count(gil, "waits_begun");
    ours.unslept = count(gil, "unslept");
    ours.mutex_sleeps = count(gil, "mutex_sleeps");
    ours.release_stalls = count(gil, "release_stalls");
    ours.acquired_after_wait = count(gil, "acquired_after_wait");
    ours.acquires = count(gil, "acquires");
    ours.doubt = text(gil, "doubt");
    for (const json& cpu : run.value("cores", json::array())) {
      ours.holder_preempted += count(cpu, "holder_preempted").value_or(0);
      ours.segments += count(cpu, "segments").value_or(0);
    }
    ours.pid = pid;
    ours.kind = text(subject, "kind");
    ours.version = text(subject, "version");
    const json place = subject.value("gil", json());
    ours.has_gil = place.is_object();
    ours.found_by = text(place, "found_by");
    ours.symbol = text(place, "symbol");
    return ours;
  }
  return fail(fmt::format("no cell of process {} in {}", pid, report_directory));
}

}  // namespace gilscope
