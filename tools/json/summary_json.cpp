#include "tools/json/summary_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "tools/analysis/environment_changes.h"
#include "tools/analysis/findings.h"
#include "tools/analysis/subject_words.h"
#include "tools/json/trace_json.h"

namespace gilscope {
namespace {

using Json = nlohmann::ordered_json;

Json value(const std::optional<double>& number) {
  return number && std::isfinite(*number) ? Json(*number) : Json(nullptr);
}

Json value(const std::optional<Interval>& interval) {
  if (!interval) return nullptr;
  return {{"low", interval->low}, {"high", interval->high}};
}

Json identity(const Cell& cell) {
  return {{"policy", cell.policy},       {"workload", cell.workload},  {"threads", cell.threads},
          {"cpus", cell.cpus},           {"cpu_list", cell.cpu_list},  {"cpus_by", cell.cpus_by},
          {"cpu_order", cell.cpu_order}, {"main_exit", cell.main_exit}};
}

Json slowdown(const PairSummary& pair) {
  Json json = identity(pair.cell());
  json["runs_used"] = pair.traced ? "traced" : "untraced";
  json["blocks"] = pair.blocks.size();
  json["sequential_wall_ns"] = value(pair.sequential_ns);
  json["threaded_wall_ns"] = value(pair.threaded_ns);
  json["slowdown"] = value(pair.slowdown);
  json["range"] = value(pair.range);
  json["interval_95"] = value(pair.interval);
  json["verdict"] = pair.slowdown ? Json(name_of(pair.verdict)) : Json(nullptr);
  json["tracer_cost"] = {
      {"sequential", pair.sequential ? value(pair.sequential->tracer_cost) : Json(nullptr)},
      {"threaded", pair.threaded ? value(pair.threaded->tracer_cost) : Json(nullptr)}};
  const auto interval = [](const CellSummary* cell) {
    return cell ? value(cell->tracer_cost_interval) : Json(nullptr);
  };
  json["tracer_cost_interval_95"] = {{"sequential", interval(pair.sequential)},
                                     {"threaded", interval(pair.threaded)}};
  Json each = Json::array();
  for (const BlockPair& block : pair.blocks) {
    each.push_back({{"block", block.block},
                    {"sequential_wall_ns", block.sequential_ns},
                    {"threaded_wall_ns", block.threaded_ns},
                    {"slowdown", block.slowdown()}});
  }
  json["each_block"] = std::move(each);
  return json;
}

// Under its key, which may name an object that it stands in: "wakeups.ran".
void add_median(Json& json, const std::string& key, const std::optional<double>& median) {
  const size_t dot = key.find('.');
  if (dot == std::string::npos) {
    json[key] = value(median);
  } else {
    json[key.substr(0, dot)][key.substr(dot + 1)] = value(median);
  }
}

Json cpu_json(const CpuSummary& cpu, numbers::Whose whose) {
  Json json{{"cpu", cpu.cpu}};
  for (const numbers::View view : {numbers::View::scheduling, numbers::View::gil}) {
    for (const auto& column : cpu_columns(view, whose)) {
      add_median(json, column.median_key, cpu.*column.median);
    }
  }
  return json;
}

Json thread_json(const ThreadSummary& thread, numbers::Whose whose) {
  Json json{{"name", thread.name}};
  for (const auto& column : thread_columns(whose)) {
    add_median(json, column.median_key, thread.*column.median);
  }
  json["perf"] = thread.perf
                     ? Json{{"context_switches", value(thread.perf_switches)},
                            {"migrations", value(thread.perf_migrations)},
                            {"instructions_per_cycle", value(thread.instructions_per_cycle)},
                            {"cache_misses", value(thread.cache_misses)}}
                     : Json(nullptr);
  return json;
}

Json cell_json(const CellSummary& cell) {
  Json json = identity(*cell.cell);
  json["arrangement"] = cell.cell->arrangement;
  json["bounded_by"] = cell.bounded_by_time() ? "time" : "work";
  json["runs"] = cell.runs;
  json["runs_gated"] = cell.disturbed;
  json["traced"] = cell.traced;
  json["wall_ns"] = value(cell.wall_ns);
  json["wakeups"] = value(cell.wakeups);
  json["wasted_wakeups_share"] = value(cell.wasted_share);
  json["drop_requests_per_s"] = value(cell.drop_requests_per_s);
  json["workload_results"] = Json::object();
  for (const auto& [key, result] : cell.results) json["workload_results"][key] = result;
  json["each_core"] = Json::array();
  for (const CpuSummary& cpu : cell.cpus)
    json["each_core"].push_back(cpu_json(cpu, whose(*cell.cell)));
  json["each_thread"] = Json::array();
  for (const ThreadSummary& thread : cell.threads) {
    json["each_thread"].push_back(thread_json(thread, whose(*cell.cell)));
  }
  return json;
}

Json number_or_null(const std::optional<uint64_t>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json subject_gil_json(const SubjectGil& gil) {
  return {{"object", gil.object},
          {"symbol", gil.symbol},
          {"offset", gil.offset},
          {"found_by", gil.found_by},
          {"confirmed_by", gil.confirmed_by}};
}

// Between at least and at most so many.
Json bounds_json(uint64_t count, uint64_t undecided) {
  return {{"at_least", count}, {"at_most", count + undecided}};
}

Json subject_json(const Cell& cell, const CellFindings* found, const Times& times) {
  const CellSubject& subject = *cell.subject;
  Json json = {{"kind", subject.kind},
               {"interpreter", subject.interpreter},
               {"version", subject.version},
               {"executable", subject.executable},
               {"build_id", subject.build_id},
               {"pid", subject.pid},
               {"gil", subject.gil ? subject_gil_json(*subject.gil) : Json(nullptr)}};
  json["gils_of_others"] = Json::array();
  for (const SubjectGil& gil : subject.gils_of_others) {
    json["gils_of_others"].push_back(subject_gil_json(gil));
  }
  const std::string sentence = whose_fault(cell, found, times), doubt = doubt_of(cell);
  json["sentence"] = sentence.empty() ? Json(nullptr) : Json(sentence);
  json["doubt"] = doubt.empty() ? Json(nullptr) : Json(doubt);
  json["attempts"] = nullptr;
  json["waits"] = nullptr;
  const Run* run = subject_run(cell);
  if (!run || !subject.gil) return json;
  const GilCounts& gil = run->gil;
  const uint64_t undecided = gil.undecided.value_or(0);
  json["attempts"] = {{"failed", gil.failed()},
                      {"contended", bounds_json(gil.contended, undecided)},
                      {"woken_lost", bounds_json(gil.woken_lost, undecided)},
                      {"timed_out", bounds_json(gil.timed_out, undecided)}};
#define GIL_OF_SUBJECT(key, definition) json["attempts"][#key] = number_or_null(gil.key);
#define GIL_OF_PROCESS(key, definition) json["attempts"][#key] = number_or_null(gil.key);
#include "bpf/numbers.def"
  if (!found || found->sum.waits.threads() != run->threads.size()) return json;
  const WaitMatrix& waits = found->sum.waits;
  const std::vector<PairWaits> owners = waits.owners();
  Json threads = Json::array();
  for (size_t slot = 0; slot < owners.size(); ++slot) {
    threads.push_back({{"name", run->threads[slot].name},
                       {"waited_ns", waits.waited_ns(slot)},
                       {"running_ns", owners[slot].of(OwnerWas::running).ns},
                       {"preempted_ns", owners[slot].of(OwnerWas::preempted).ns},
                       {"asleep_ns", owners[slot].of(OwnerWas::asleep).ns}});
  }
  json["waits"] = {{"waited_ns", waits.waited_ns()},
                   {"free_ns", waits.nobody_ns()},
                   {"each_thread", std::move(threads)}};
  return json;
}

Json rate_json(const RatePair& pair) {
  Json json = identity(*pair.beside->cell);
  json["arrangement"] = pair.beside->cell->arrangement;
  json["background"] = pair.background;
  json["alone"] = pair.alone->cell->workload;
  json["ratio"] = value(pair.ratio);
  json["interval_95"] = value(pair.interval);
  json["each_block"] = pair.ratios;
  return json;
}

Json disturbances_json(const DisturbanceSummary& disturbances) {
  Json json = {{"runs_left_out", disturbances.runs}, {"by_gate", Json::object()}};
  for (const auto& [name, kind] : disturbances.by_kind) {
    json["by_gate"][name] = {{"limit", kind.limit},
                             {"runs", kind.hits},
                             {"worst", kind.hits ? Json(kind.worst) : Json(nullptr)},
                             {"runs_not_judged", kind.not_judged}};
  }
  return json;
}

}  // namespace

std::string summary_json(const Report& report, const ReportFindings& trace) {
  const Summary summary(report);
  const Wording wording(report);
  Json json;
  json["schema"] = {{"name", "gilscope.summary"}, {"major", 1}, {"minor", 2}};
  json["report"] = {{"id", report.id},
                    {"status", report.status},
                    {"created_at", report.created_at},
                    {"blocks_planned", report.blocks_planned},
                    {"blocks_measured", summary.measured_blocks},
                    {"runs_finished", summary.finished_runs},
                    {"runs_failed", summary.failed_runs}};
  json["findings"] = Json::array();
  for (const Finding& finding : findings(summary, wording)) {
    json["findings"].push_back({{"verdict", name_of(finding.kind)}, {"text", finding.sentence}});
  }
  json["slowdown"] = Json::array();
  for (const PairSummary& pair : summary.pairs) json["slowdown"].push_back(slowdown(pair));
  json["rates"] = Json::array();
  for (const RatePair& pair : summary.rates) json["rates"].push_back(rate_json(pair));
  json["claim"] = {{"claim", report.claim}, {"text", claim_sentence(report, summary)}};
  json["cells"] = Json::array();
  for (const CellSummary& cell : summary.cells) {
    json["cells"].push_back(cell_json(cell));
    const CellFindings* found = trace.of(report, *cell.cell);
    json["cells"].back()["segments"] = found ? trace_json(*found) : Json(nullptr);
    if (cell.cell->subject) {
      json["cells"].back()["subject"] = subject_json(*cell.cell, found, summary.times);
    }
  }
  json["emulated"] = summary.times.emulated;
  json["lost"] = {{"traced_runs", summary.lost.traced_runs}};
#define LOST(key, ...) json["lost"][#key] = std::optional(summary.lost.sum.key).value_or(0);
#include "bpf/numbers.def"
  json["segments_away"] = trace.runs_without_files;
  json["steal"] = {{"runs_above_1_percent", summary.steal.runs},
                   {"worst_share", summary.steal.worst_share},
                   {"runs_not_judged", summary.steal.not_judged}};
  json["gates"] = disturbances_json(summary.disturbances);
  json["environment_changes"] = Json::array();
  for (const EnvironmentChange& change : environment_changes(report)) {
    json["environment_changes"].push_back({{"key", change.key},
                                           {"before", change.before},
                                           {"after", change.after},
                                           {"matters", change.matters}});
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace gilscope
