// The check of a document against the report's schema: which keywords it knows, and how it judges
// by those that few reports break.
#include "userspace/report/json_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/unit/sample_report.h"
#include "userspace/report/json.h"

namespace gilscope {
namespace {

using Json = nlohmann::json;

TEST(JsonSchema, KnowsTheKeywordsOfTheReportsSchema) {
  for (const char* schema : {"{}", R"({"type": ["integer", "null"], "minimum": 0, "maximum": 2.5})",
                             R"({"items": {"enum": [1, "a"]}, "minItems": 3, "maxItems": 3})",
                             R"({"definitions": {"x": {"required": ["a"]}},
            "properties": {"a": {"anyOf": [{"$ref": "#/definitions/x"}]}},
            "additionalProperties": {"allOf": [{"title": "t", "description": "d"}]}})"}) {
    EXPECT_TRUE(check_keywords(schema)) << schema;
  }
}

TEST(JsonSchema, RefusesWhatItWouldNotCheck) {
  const auto place = [](const std::string& schema) {
    const Status known = check_keywords(schema);
    return known ? "known" : known.error().message;
  };
  using testing::HasSubstr;
  EXPECT_THAT(place(R"({"pattern": "a"})"), HasSubstr("schema: /pattern: no keyword"));
  EXPECT_THAT(place(R"({"properties": {"a/b": {"items": {"not": {}}}}})"),
              HasSubstr("/properties/a~1b/items/not: no keyword"));
  EXPECT_THAT(place(R"({"anyOf": [{}, {"oneOf": []}]})"), HasSubstr("/anyOf/1/oneOf"));
  EXPECT_THAT(place(R"({"definitions": {"x": {"uniqueItems": true}}})"),
              HasSubstr("/definitions/x/uniqueItems"));
  EXPECT_THAT(place(R"({"additionalProperties": false})"), HasSubstr("no object"));
  EXPECT_THAT(place(R"({"items": [{}]})"), HasSubstr("/items: no object"));
  EXPECT_THAT(place(R"({"type": 3})"), HasSubstr("/type: no type"));
  EXPECT_THAT(place(R"({"type": "text"})"), HasSubstr("/type: no type"));
  EXPECT_THAT(place(R"({"required": true})"), HasSubstr("/required: no list"));
  EXPECT_THAT(place(R"({"enum": 1})"), HasSubstr("/enum: no list"));
  EXPECT_THAT(place(R"({"minimum": "0"})"), HasSubstr("/minimum: no number"));
  EXPECT_THAT(place(R"({"minItems": -1})"), HasSubstr("/minItems: no size"));
  EXPECT_THAT(place(R"({"$ref": "#/definitions/x"})"), HasSubstr("/$ref: no definition"));
  EXPECT_THAT(place(R"({"$ref": "other.json"})"), HasSubstr("/$ref: no definition"));
  EXPECT_THAT(place("[]"), HasSubstr("no object"));
  EXPECT_THAT(place("{"), HasSubstr("no object"));
}

TEST(JsonSchema, JudgesNumbersByTheirWholeRangeAndListsByTheirSize) {
  const Json good = Json::parse(to_json(sample::report(1, 0)));
  const auto violation = [&](const std::string& place, const Json& value) {
    Json json = good;
    json[Json::json_pointer(place)] = value;
    const auto violations = schema_violations(json.dump(), "r");
    if (!violations) return violations.error().message;
    return violations->empty() ? "valid" : violations->front();
  };
  EXPECT_EQ(violation("/blocks_planned", 2147483647), "valid");
  EXPECT_EQ(violation("/blocks_planned", UINT64_MAX),
            "/blocks_planned: must have \"maximum\": 2147483647");
  EXPECT_EQ(violation("/seed", UINT64_MAX), "valid");
  EXPECT_EQ(violation("/seed", INT64_MIN), "/seed: must have \"minimum\": 0");
  EXPECT_EQ(violation("/seed", 1.0), "/seed: must have \"type\": \"integer\"");

  size_t traced = 0;
  while (!good["cells"][0]["runs"][traced]["lost"].is_object()) ++traced;
  const std::string run = fmt::format("/cells/0/runs/{}", traced), lost = run + "/lost";
  EXPECT_EQ(violation(lost, nullptr), "valid");
  EXPECT_EQ(violation(lost, 7), lost +
                                    ": must have \"anyOf\": "
                                    "[{\"type\":\"null\"},{\"$ref\":\"#/definitions/lost\"}]");
  const std::string buckets = run + "/cores/0/histograms/wake_to_run/buckets";
  EXPECT_EQ(violation(buckets, {{1, 2, 3}}), "valid");
  EXPECT_EQ(violation(buckets, {{1, 2, 3}, {1, 2}}), buckets + "/1: must have \"minItems\": 3");
  EXPECT_EQ(violation(buckets, {{1, 2, 3, 4}}), buckets + "/0: must have \"maxItems\": 3");
}

}  // namespace
}  // namespace gilscope
