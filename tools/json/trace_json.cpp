#include "tools/json/trace_json.h"

namespace gilscope {
namespace {

using Json = nlohmann::ordered_json;

Json distribution(const Histogram& histogram) {
  const auto quantile = [&](double q) {
    const auto ns = histogram.quantile_ns(q);
    return ns ? Json(*ns) : Json(nullptr);
  };
  return {{"count", histogram.count()},
          {"p50_ns", quantile(0.5)},
          {"p90_ns", quantile(0.9)},
          {"p99_ns", quantile(0.99)},
          {"max_ns", quantile(1)}};
}

Json gil_json(const GilUse& use) {
  Json convoy = Json::array();
  for (const auto& [waiters, handoffs] : use.convoy) {
    convoy.push_back({{"waiters", waiters}, {"handoffs", handoffs}});
  }
  return {{"held_ns", use.held_ns()},
          {"held_on_cpu_ns", use.held_on_cpu_ns},
          {"held_off_cpu_ns", use.held_off_cpu_ns},
          {"overlapping_ns", use.overlapping_ns},
          {"free_ns", use.free_ns},
          {"idle_while_free_ns", use.idle_while_free_ns},
          {"handoffs", use.handoffs},
          {"handoffs_unseen", use.handoffs_unseen},
          {"handoff", distribution(use.handoff)},
          {"convoy", std::move(convoy)}};
}

constexpr std::pair<WaiterWas, const char*> kWaiters[] = {{WaiterWas::asleep, "asleep"},
                                                          {WaiterWas::runnable, "runnable"},
                                                          {WaiterWas::running, "running"}};
constexpr std::pair<OwnerWas, const char*> kOwners[] = {{OwnerWas::running, "running"},
                                                        {OwnerWas::preempted, "preempted"},
                                                        {OwnerWas::asleep, "asleep"}};

Json time_json(const WaitTime& time) {
  return {{"ns", time.ns}, {"bounded_ns", time.bounded_ns}};
}

// waiter -> owner -> time
Json pair_json(const PairWaits& waits) {
  Json json = time_json(waits.total());
  for (const auto& [waiter, waiter_word] : kWaiters) {
    Json& of = json["waiter"][waiter_word] = Json::object();
    for (const auto& [owner, owner_word] : kOwners) {
      of["owner"][owner_word] = time_json(waits.at(waiter, owner));
    }
  }
  return json;
}

// Threads by their slots. Null where the lock has no single owner.
Json waits_json(const WaitMatrix& waits) {
  if (waits.empty()) return nullptr;
  Json json = {{"waited_ns", waits.waited_ns()},
               {"no_owner_seen_ns", waits.nobody_ns()},
               {"each_waiter", Json::array()}};
  for (size_t slot = 0; slot < waits.threads(); ++slot) {
    const WaitMatrix::Row& row = waits.rows()[slot];
    Json of = {{"waiter", slot},
               {"waited_ns", row.waited_ns()},
               {"no_owner_seen_ns", Json::object()},
               {"owners", Json::array()},
               {"other_owners", nullptr}};
    for (const auto& [waiter, word] : kWaiters) {
      of["no_owner_seen_ns"][word] = row.nobody_ns[static_cast<size_t>(waiter)];
    }
    for (const WaitMatrix::Pair& pair : row.pairs) {
      Json owner = {{"owner", pair.owner}};
      owner.update(pair_json(pair.waits));
      of["owners"].push_back(std::move(owner));
    }
    if (row.others.total().ns) of["other_owners"] = pair_json(row.others);
    json["each_waiter"].push_back(std::move(of));
  }
  return json;
}

Json findings_json(const TraceFindings& findings) {
  Json moves = Json::array();
  for (const auto& [cpus, migrations] : findings.moves) {
    moves.push_back({{"from", cpus.first}, {"to", cpus.second}, {"migrations", migrations}});
  }
  return {{"runs", findings.runs},
          {"records", findings.records},
          {"dropped", findings.dropped},
          {"span_ns", findings.span_ns},
          {"gil", findings.gil ? gil_json(*findings.gil) : Json(nullptr)},
          {"waits", waits_json(findings.waits)},
          {"holding", distribution(findings.holding)},
          {"waiting", distribution(findings.waiting)},
          {"chain",
           {{"delay", distribution(findings.chain.delay)},
            {"longest_ns", findings.chain.longest_ns},
            {"longest_wakeups", findings.chain.longest_wakeups}}},
          {"wakers", findings.wakers},
          {"migrations", std::move(moves)}};
}

}  // namespace

Json trace_json(const CellFindings& found) {
  Json json = findings_json(found.sum);
  json["each_run"] = Json::array();
  for (const auto& [run, findings] : found.runs) {
    Json of_run = findings_json(findings);
    of_run["block"] = run->block;
    json["each_run"].push_back(std::move(of_run));
  }
  return json;
}

}  // namespace gilscope
