#include "userspace/base/term.h"

#include <gtest/gtest.h>

#include <limits>

#include "userspace/base/quote.h"

namespace gilscope {
namespace {

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();

TEST(Term, SplitsNameAndArguments) {
  const auto term = parse_term("check-interval:100,lock=condvar,yield");
  ASSERT_TRUE(term) << term.error().message;
  EXPECT_EQ(term->name, "check-interval");
  const std::vector<Argument> expected = {{"", "100"}, {"lock", "condvar"}, {"", "yield"}};
  EXPECT_EQ(term->arguments, expected);
}

TEST(Term, MayHaveNoArguments) {
  const auto term = parse_term("none");
  ASSERT_TRUE(term);
  EXPECT_EQ(term->name, "none");
  EXPECT_TRUE(term->arguments.empty());
}

class BadTerm : public testing::TestWithParam<std::string> {};

TEST_P(BadTerm, IsRefusedInOneLine) {
  const auto term = parse_term(GetParam());
  ASSERT_FALSE(term);
  EXPECT_EQ(term.error().code, Exit::error);
  EXPECT_FALSE(term.error().message.empty());
  for (const char c : term.error().message) EXPECT_GE(static_cast<unsigned char>(c), ' ');
}

INSTANTIATE_TEST_SUITE_P(
    Term, BadTerm,
    testing::Values("", ":", ":100", "count:", "count:,", "count:n=1,", "count:,n=1",
                    "count:n=", "count:=5", "count:n=1=2", "count:n=1,n=2", "count:yield,yield",
                    "co unt", " count", "count ", "count:n= 5", "count: n=5", "a:b:c", "a=b", "a,b",
                    "count:n\n=5", "count\x1b[2J", std::string("count\0:5", 8), "z\xc3\xa4hler",
                    "count:n=\xff", std::string(100000, 'a'), std::string(100000, ':'),
                    "count:" + std::string(100000, ',')));

TEST(Count, UnderstandsSuffixes) {
  EXPECT_EQ(parse_count("0").value(), 0u);
  EXPECT_EQ(parse_count("7").value(), 7u);
  EXPECT_EQ(parse_count("5k").value(), 5000u);
  EXPECT_EQ(parse_count("20M").value(), 20000000u);
  EXPECT_EQ(parse_count("3G").value(), 3000000000u);
  EXPECT_EQ(parse_count("18446744073709551615").value(), kMax);
  EXPECT_EQ(parse_count("18446744073G").value(), 18446744073000000000u);
}

class BadCount : public testing::TestWithParam<std::string> {};
TEST_P(BadCount, IsRefused) {
  EXPECT_FALSE(parse_count(GetParam())) << GetParam();
}
INSTANTIATE_TEST_SUITE_P(Count, BadCount,
                         testing::Values("", "M", "-1", "+1", " 1", "1 ", "1.5M", "1K", "1m", "1g",
                                         "1kk", "0x10", "1e3", "ten", "18446744073709551616",
                                         "18446744074G", "99999999999999999999999", "1\n",
                                         std::string("1\0", 2)));

TEST(Duration, UnderstandsUnitsAndDecimals) {
  EXPECT_EQ(parse_duration_ns("5ms").value(), 5000000u);
  EXPECT_EQ(parse_duration_ns("0.5ms").value(), 500000u);
  EXPECT_EQ(parse_duration_ns("1.25s").value(), 1250000000u);
  EXPECT_EQ(parse_duration_ns("100us").value(), 100000u);
  EXPECT_EQ(parse_duration_ns("7ns").value(), 7u);
  EXPECT_EQ(parse_duration_ns("7.000ns").value(), 7u);
  EXPECT_EQ(parse_duration_ns("0s").value(), 0u);
  EXPECT_EQ(parse_duration_ns("0.000000001s").value(), 1u);
  EXPECT_EQ(parse_duration_ns("18446744073.709551615s").value(), kMax);
}

class BadDuration : public testing::TestWithParam<std::string> {};
TEST_P(BadDuration, IsRefused) {
  EXPECT_FALSE(parse_duration_ns(GetParam())) << GetParam();
}
INSTANTIATE_TEST_SUITE_P(Duration, BadDuration,
                         testing::Values("", "5", "ms", ".5ms", "5.ms", "5 ms", "-5ms", "5m", "5MS",
                                         "5min", "0.5ns", "1.0000000001s", "1..5s", "1.5.5s",
                                         "18446744073.709551616s", "18446744074s",
                                         "99999999999999999999s", "1e3s", "inf", "nan"));

TEST(Format, IsShortAndExact) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1k");
  EXPECT_EQ(format_count(1500), "1500");
  EXPECT_EQ(format_count(1500000), "1500k");
  EXPECT_EQ(format_count(20000000), "20M");
  EXPECT_EQ(format_count(3000000000), "3G");
  EXPECT_EQ(format_duration_ns(0), "0s");
  EXPECT_EQ(format_duration_ns(5000000), "5ms");
  EXPECT_EQ(format_duration_ns(100000000), "100ms");
  EXPECT_EQ(format_duration_ns(500000), "500us");
  EXPECT_EQ(format_duration_ns(1500000), "1.5ms");
  EXPECT_EQ(format_duration_ns(1234567), "1234567ns");
  EXPECT_EQ(format_duration_ns(2500000000), "2.5s");
  EXPECT_EQ(format_duration_ns(1050000000), "1.05s");
}

TEST(Format, ReadsBackAsItself) {
  uint64_t number = 88172645463325252;  // xorshift: the same numbers on every machine
  for (int i = 0; i < 20000; ++i) {
    number ^= number << 13, number ^= number >> 7, number ^= number << 17;
    const uint64_t value = (number >> (i % 60)) / (i % 3 == 0 ? 1000 : 1) * (i % 2 == 0 ? 1000 : 1);
    ASSERT_EQ(parse_count(format_count(value)).value(), value);
    ASSERT_EQ(parse_duration_ns(format_duration_ns(value)).value(), value);
  }
  for (const uint64_t value : {kMax, kMax - 1, uint64_t{1}}) {
    EXPECT_EQ(parse_count(format_count(value)).value(), value);
    EXPECT_EQ(parse_duration_ns(format_duration_ns(value)).value(), value);
  }
}

TEST(Nearest, FindsTheWordThatWasMeant) {
  const std::vector<std::string> words = {"check-interval", "switch-interval", "none", "fifo"};
  EXPECT_EQ(nearest("chekc-interval", words), "check-interval");
  EXPECT_EQ(nearest("swich-interval", words), "switch-interval");
  EXPECT_EQ(nearest("switch", words), "switch-interval");
  EXPECT_EQ(nearest("non", words), "none");
  EXPECT_EQ(nearest("ffio", words), "fifo");
}

TEST(Nearest, GuessesNothingFarFetched) {
  const std::vector<std::string> words = {"check-interval", "none", "x"};
  EXPECT_EQ(nearest("quantum", words), "");
  EXPECT_EQ(nearest("", words), "");
  EXPECT_EQ(nearest("y", words), "");
  EXPECT_EQ(nearest("anything", {}), "");
  EXPECT_EQ(nearest(std::string(1000000, 'n'), words), "");
}

TEST(Quote, LeavesNoControlCharacter) {
  EXPECT_EQ(in_quotes("plain"), "'plain'");
  EXPECT_EQ(printable("a\x1b[2J\n\x7f"), "a\\x1b[2J\\x0a\\x7f");
  EXPECT_EQ(printable("Z\xc3\xbcrich"), "Z\xc3\xbcrich");
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b");           // CSI, as one character
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");           // not UTF-8
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");           // overlong
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate
  EXPECT_EQ(printable("\xf0\x9f\x98\x80"), "\xf0\x9f\x98\x80");
}

TEST(Quote, CutsLongTextBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "\xe2\x82\xac";
  const std::string quote = in_quotes(text);
  EXPECT_LT(quote.size(), 110u);
  EXPECT_EQ(quote.find("\\x"), std::string::npos);
  EXPECT_TRUE(quote.ends_with("...'"));
}

TEST(Count, IsDecimalWhateverItBeginsWith) {
  EXPECT_EQ(parse_count("010").value_or(0), 10u);
  EXPECT_EQ(parse_count("08k").value_or(0), 8000u);
  for (const char* text : {"0x10", "0b1", "0o7", "1e3", "+5", "1_000", "1,000", "1 0", "\uff13"}) {
    EXPECT_FALSE(parse_count(text)) << text;
  }
}

TEST(Count, NamesItsBounds) {
  EXPECT_EQ(parse_count("1k", 1, 1000).value_or(0), 1000u);
  for (const std::string text : {"0", "-1", "1001", "2k", "99999999999999999999"}) {
    EXPECT_EQ(parse_count(text, 1, 1000).error().message,
              text + " is out of range: give 1 to 1000");
  }
  EXPECT_NE(parse_count("-x", 1, 1000).error().message.find("is not a count"), std::string::npos);
  EXPECT_LT(parse_count(std::string(100'000, '9'), 0, 9).error().message.size(), 200u);
}

TEST(Blank, IsTextWithNothingVisible) {
  for (const char* text : {"", " ", "\t\r\n\v\f", "\u00a0", "\u2003\u200b", "\u3000", "\ufeff"}) {
    EXPECT_TRUE(is_blank(text)) << testing::PrintToString(text);
  }
  for (const char* text : {"a", " a", ".", "-", "\u00e9", "\xc2", "\u2014"}) {
    EXPECT_FALSE(is_blank(text)) << text;
  }
}

}  // namespace
}  // namespace gilscope
