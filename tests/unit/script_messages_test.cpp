// The reader of what a script writes to its results pipe, which it does not trust.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "userspace/experiment/program/messages.h"

namespace gilscope {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

TEST(ScriptMessages, AreThoseOfTheProtocol) {
  const auto ready = parse_message(
      R"({"ready":{"clock":"monotonic","threads":[{"name":"main","tid":7},{"name":"worker-1","tid":null}]}})");
  ASSERT_TRUE(ready) << ready.error().message;
  const auto& threads = std::get<script::Ready>(*ready).threads;
  ASSERT_THAT(threads, SizeIs(2));
  EXPECT_EQ(threads[0].name, "main");
  EXPECT_EQ(threads[0].tid, 7u);
  EXPECT_FALSE(threads[1].tid);

  const auto done = parse_message(
      R"({"done":{"wall_ns":5,"threads":[{"name":"worker-1","operations":3,"active_ns":4},)"
      R"({"name":"background-1","operations":7}],"results":{"spread":0.5}}})");
  ASSERT_TRUE(done) << done.error().message;
  const auto& account = std::get<script::Done>(*done);
  EXPECT_EQ(account.wall_ns, 5u);
  EXPECT_EQ(account.threads[0].active_ns, 4u);
  EXPECT_FALSE(account.threads[1].active_ns);
  EXPECT_EQ(account.results.at("spread"), 0.5);

  const auto samples = parse_message(R"({"samples_ns":[1,2,3],"thread":2})");
  ASSERT_TRUE(samples) << samples.error().message;
  EXPECT_EQ(std::get<script::Samples>(*samples).thread, 1u);
  EXPECT_THAT(std::get<script::Samples>(*samples).ns, ElementsAre(1, 2, 3));

  EXPECT_TRUE(std::holds_alternative<script::Contending>(*parse_message(R"({"contending":true})")));
  EXPECT_TRUE(std::holds_alternative<script::Resting>(*parse_message(R"({"resting":true})")));
  EXPECT_EQ(std::get<script::Failed>(*parse_message(R"({"failed":"no port"})")).why, "no port");
}

TEST(ScriptMessages, AreRefusedOtherwise) {
  const std::string deep = std::string(5000, '[') + std::string(5000, ']');
  for (const std::string& line : {
           std::string(""),
           std::string("hello"),
           std::string("\xff\xfe"),
           std::string("{"),
           std::string("[]"),
           std::string("7"),
           std::string("null"),
           std::string("{}"),
           std::string(R"({"contending":1})"),
           std::string(R"({"contending":false})"),
           std::string(R"({"ready":7})"),
           std::string(R"({"ready":{"clock":"monotonic","threads":[]}})"),
           std::string(R"({"ready":{"clock":"sundial","threads":[{"name":"main","tid":1}]}})"),
           std::string(R"({"ready":{"clock":"monotonic","threads":[{"name":"main"}]}})"),
           std::string(R"({"ready":{"clock":"monotonic","threads":[{"name":7,"tid":1}]}})"),
           std::string(R"({"ready":{"clock":"monotonic","threads":[{"name":"m","tid":-1}]}})"),
           std::string(R"({"ready":{"clock":"monotonic","threads":[{"name":"m","tid":0}]}})"),
           std::string(R"({"ready":{"clock":"monotonic","threads":[{"name":"m","tid":1.5}]}})"),
           std::string(R"({"ready":{"clock":"monotonic","threads":[{"name":"m","tid":9e99}]}})"),
           std::string(R"({"samples_ns":[1],"thread":0})"),
           std::string(R"({"samples_ns":[-1],"thread":1})"),
           std::string(R"({"samples_ns":["1"],"thread":1})"),
           std::string(R"({"samples_ns":1,"thread":1})"),
           std::string(R"({"samples_ns":[1]})"),
           std::string(R"({"done":{"wall_ns":-5,"threads":[]}})"),
           std::string(R"({"done":{"wall_ns":5}})"),
           std::string(R"({"done":{"wall_ns":5,"threads":[{"name":"w","operations":"3"}]}})"),
           std::string(R"({"done":{"wall_ns":5,"threads":[],"results":{"A b":1}}})"),
           std::string(R"({"done":{"wall_ns":5,"threads":[],"results":{"a":"b"}}})"),
           std::string(R"({"done":{"wall_ns":5,"threads":[],"results":{"a":1e999}}})"),
           deep,
           R"({"ready":)" + deep + "}",
       }) {
    const auto message = parse_message(line);
    EXPECT_FALSE(message) << line.substr(0, 80);
    if (message) continue;
    EXPECT_LT(message.error().message.size(), 400u);
    EXPECT_EQ(message.error().message.find('\n'), std::string::npos);
    EXPECT_THAT(message.error().message, HasSubstr("results pipe"));
  }
}

TEST(ScriptMessages, HaveBoundedSizes) {
  std::string many = R"({"samples_ns":[1)";
  for (int i = 0; i < 4096; ++i) many += ",1";
  EXPECT_FALSE(parse_message(many + R"(],"thread":1})"));
  const auto named = parse_message(R"({"failed":")" + std::string(100'000, 'x') + R"("})");
  ASSERT_TRUE(named);
  EXPECT_LE(std::get<script::Failed>(*named).why.size(), 400u);
}

TEST(ScriptMessages, ComeInPartsAndSeveralAtOnce) {
  MessageReader reader;
  const auto first = reader.take(R"({"conten)");
  ASSERT_TRUE(first);
  EXPECT_THAT(*first, SizeIs(0));
  EXPECT_TRUE(reader.within_line());
  const auto rest = reader.take("ding\":true}\n{\"resting\":true}\n{\"fai");
  ASSERT_TRUE(rest) << rest.error().message;
  ASSERT_THAT(*rest, SizeIs(2));
  EXPECT_TRUE(std::holds_alternative<script::Contending>((*rest)[0]));
  EXPECT_TRUE(std::holds_alternative<script::Resting>((*rest)[1]));
  EXPECT_TRUE(reader.within_line());
  ASSERT_TRUE(reader.take("led\":\"x\"}\n"));
  EXPECT_FALSE(reader.within_line());
}

TEST(ScriptMessages, HaveNoEndlessLines) {
  MessageReader reader;
  const std::string part(64 << 10, 'x');
  size_t taken = 0;
  bool refused = false;
  while (!refused && taken < 4 * MessageReader::kLongestLine) {
    const auto messages = reader.take(part);
    refused = !messages;
    if (refused) EXPECT_THAT(messages.error().message, HasSubstr("more than"));
    taken += part.size();
  }
  EXPECT_TRUE(refused);
  EXPECT_LE(taken, MessageReader::kLongestLine + part.size());
}

}  // namespace
}  // namespace gilscope
