#include "userspace/experiment/run/perf_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "userspace/report/model.h"

namespace gilscope {
namespace {

using testing::HasSubstr;

constexpr size_t kSwitches = 3, kMigrations = 4;

TEST(PerfEvents, AreTakenByTheirPlacesInTheGroup) {
  PerfReading reading{};
  // The group lacks cache misses, which could not be opened.
  reading.errors[2] = ENOENT;
  const std::vector<uint64_t> hardware = {2, 5'000, 5'000, 900, 700};
  PerfGroup::take(hardware, std::vector<size_t>{0, 1}, reading);
  const std::vector<uint64_t> software = {2, 6'000, 6'000, 0, 3};
  PerfGroup::take(software, std::vector<size_t>{kSwitches, kMigrations}, reading);
  const ThreadPerf perf = to_report(reading);
  EXPECT_EQ(perf.cycles, 900u);
  EXPECT_EQ(perf.instructions, 700u);
  EXPECT_EQ(perf.cache_misses, std::nullopt);
  EXPECT_EQ(perf.context_switches, 0u) << "zero is a count";
  EXPECT_EQ(perf.migrations, 3u);
}

TEST(PerfEvents, ThatWereNotCountingAllTheTimeAreAbsent) {
  for (const auto& [enabled, running] :
       {std::pair<uint64_t, uint64_t>{5'000, 4'999}, {5'000, 0}, {0, 0}}) {
    PerfReading reading{};
    const std::vector<uint64_t> words = {2, enabled, running, 900, 700};
    PerfGroup::take(words, std::vector<size_t>{0, 1}, reading);
    EXPECT_EQ(to_report(reading).cycles, std::nullopt) << enabled << " " << running;
    EXPECT_EQ(to_report(reading).instructions, std::nullopt);
    EXPECT_EQ(reading.errors[0], kNotAlwaysOn);
    EXPECT_EQ(reading.errors[kSwitches], 0) << "it belongs to another group";
    EXPECT_THAT(perf_facts(reading.errors)[0].reason, HasSubstr("did not count all the time"));
  }
}

TEST(PerfEvents, ThatCannotBeReadAreAbsent) {
  for (const std::vector<uint64_t>& words :
       {std::vector<uint64_t>{}, {2, 5, 5, 900}, {1, 5, 5, 900, 700}, {1, 5, 5, 900}}) {
    PerfReading reading{};
    PerfGroup::take(words, std::vector<size_t>{0, 1}, reading);
    EXPECT_EQ(to_report(reading).cycles, std::nullopt) << words.size();
    EXPECT_EQ(reading.errors[1], EIO);
  }
}

TEST(PerfEvents, SayWhyThereIsNone) {
  const auto reason = [](int error) {
    const Facts facts = perf_facts({error, 0, 0, 0, 0});
    EXPECT_EQ(facts.size(), kPerfCounters);
    EXPECT_EQ(facts[0].key, "perf.cycles");
    EXPECT_EQ(facts[0].value, decltype(Fact::value)());
    EXPECT_EQ(facts[4].key, "perf.migrations");
    EXPECT_EQ(facts[4].value, decltype(Fact::value)(true));
    EXPECT_EQ(facts[4].reason, "");
    return facts[0].reason;
  };
  EXPECT_EQ(reason(ENOENT),
            "this machine has no such counter (perf_event_open: No such file or directory)");
  EXPECT_THAT(reason(EOPNOTSUPP), HasSubstr("no such counter (perf_event_open: Operation not"));
  EXPECT_THAT(reason(EACCES), HasSubstr("as root"));
  EXPECT_THAT(reason(EMFILE), HasSubstr("ulimit -n"));
  EXPECT_EQ(reason(ENOSYS), "this kernel has no perf events");
  EXPECT_EQ(reason(EINVAL), "perf_event_open: Invalid argument");
}

// On any machine and for any user, each counter has a count or a reason.
TEST(PerfEvents, OfAThreadHaveCountsOrReasons) {
  PerfEvents events;
  events.start();
  PerfReading reading{};
  events.read(reading);
  const ThreadPerf perf = to_report(reading);
  const Facts facts = perf_facts(reading.errors);
  for (size_t i = 0; i < kPerfCounters; ++i) {
    EXPECT_NE((perf.*perf_counters()[i].value).has_value(), !facts[i].reason.empty())
        << facts[i].key << ": " << facts[i].reason;
  }
}

}  // namespace
}  // namespace gilscope
