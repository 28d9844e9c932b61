// The order of names, settings and versions.
#include "userspace/base/natural_order.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace gilscope {
namespace {

using Texts = std::vector<std::string>;

// Each list is in the expected order; every pair is compared, both ways.
const Texts kOrdered[] = {
    {"", "1", "2", "3", "10", "all", "cpu:0"},
    {"2", "02", "2x", "10", "010", "10x"},
    {"count:n=10", "count:n=100", "count:n=1k", "count:n=10k", "count:n=1M", "count:n=1G"},
    {"999", "1k", "1001", "1500", "2k"},
    {"500ns", "500us", "1ms", "20ms", "1s", "2min", "1h"},
    {"switch-interval:500us", "switch-interval:1ms", "switch-interval:5ms",
     "switch-interval:5ms,lock=condvar", "switch-interval:20ms"},
    {"1.5ms", "1.25s", "1.5s"},
    {"6.1", "6.9", "6.10", "6.12", "6.18-rc1", "6.18-rc2", "6.18-rc10", "6.18", "6.18.1", "7.3"},
    {"6.18.0-rc1", "6.18.0-rc1-next", "6.18.0-rc7", "6.18.0", "6.18.3"},
    {"5.10.0-9-amd64", "5.10.0-10-amd64", "6.1.0-rc3-amd64", "6.1.0-9-amd64", "6.1.0-28-amd64",
     "6.1.0-28-cloud-amd64", "6.12.117~bpo12-amd64", "6.12.117", "6.12.117+deb13-cloud-amd64",
     "6.12.118+deb13-cloud-amd64"},
    {"1.0-beta2", "1.0-rc1", "1.0", "1.0.1", "1.1"},
    {"0.9.0", "0.10.0", "1.2.0"},
    {"cpu:0", "cpu:0,2-3", "cpu:2", "cpu:2-3", "cpu:10", "cpu:10-11"},
    {"node2", "node10", "node10a", "nodea"},
    {"block9", "block10", "block100"},
    {"-10", "-2", "0", "3"},
    {"x=-0.5", "x=-0.25", "x=0"},
    {"-1.5ms", "0ms", "1ms"},
    {"5%", "10%", "12.5%"},
    {"512KiB", "1MiB", "1.5MiB", "1GiB"},
    {"512kB", "512KiB", "1MB"},
    {"800MHz", "2.4GHz"},
    {"2026-03-01T12:00:00Z", "2026-03-02T01:00:00Z", "2026-10-01T00:00:00Z"},
    {"2026-3-1", "2026-10-1"},
    {"no", "yes"},
    {"false", "true"},
    {"none", "performance", "powersave", "unknown"},
    {"99999999999999999998", "99999999999999999999", "100000000000000000000"},
    {"priority:5ms", "pypy:10000", "semaphore"},
};

TEST(NaturalOrder, IsThatOfWhatTheTextsMean) {
  for (const Texts& texts : kOrdered) {
    for (size_t i = 0; i < texts.size(); ++i) {
      for (size_t j = 0; j < texts.size(); ++j) {
        EXPECT_EQ(naturally_less(texts[i], texts[j]), i < j) << texts[i] << " and " << texts[j];
      }
    }
  }
}

TEST(NaturalOrder, IsOneOrderOfAllTexts) {
  Texts all{"6.1k", "1e5", "0x10",   "a1b2", "a-1",   "a=-1",     "-",       "--5",
            ".5",   "5.",  "1..all", "µs",   "5µs",   "5us",      "1.2.3ms", "~1",
            "1~",   "rc1", "1rc1",   "1-rc", "1-rcx", "\xff\x80", "00"};
  for (const Texts& texts : kOrdered) all.insert(all.end(), texts.begin(), texts.end());
  const std::set<std::string> known(all.begin(), all.end());
  Texts sorted(known.begin(), known.end());
  std::ranges::sort(sorted, naturally_less);
  for (size_t i = 0; i < sorted.size(); ++i) {
    for (size_t j = 0; j < sorted.size(); ++j) {
      ASSERT_EQ(naturally_less(sorted[i], sorted[j]), i < j) << sorted[i] << " and " << sorted[j];
    }
  }
  // Texts that differ are never taken for equal.
  EXPECT_EQ((std::set<std::string, NaturalOrder>(known.begin(), known.end()).size()), known.size());
}

TEST(NumericalOrder, IsThatOfDecimals) {
  Texts texts{"unknown", "10", "0.5", "-1.5", "0.25", "-0.5", "1e-05", "9.75", "2"};
  std::ranges::sort(texts, numerically_less);
  EXPECT_THAT(texts, testing::ElementsAre("-1.5", "-0.5", "1e-05", "0.25", "0.5", "2", "9.75", "10",
                                          "unknown"));
}

}  // namespace
}  // namespace gilscope
