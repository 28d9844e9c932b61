#include "userspace/experiment/scripts/scripts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tests/unit/temporary_directory.h"

namespace gilscope {
namespace {

using nlohmann::json;
using testing::ElementsAre;

json task_of(const std::string& workload, ScriptTask (*with)(const WorkloadText&)) {
  const auto text = read_workload(workload);
  EXPECT_TRUE(text) << text.error().message;
  return json::parse(task_json(with(*text)));
}

TEST(Scripts, GetEveryParameterOfTheirWorkload) {
  for (const WorkloadDescriptor& workload : workloads()) {
    if (!has_script(workload)) continue;
    const json task =
        task_of(workload.example(), [](const WorkloadText& text) { return ScriptTask{text}; });
    EXPECT_EQ(task["workload"], workload.name);
    for (const Parameter& parameter : workload.all_parameters()) {
      const bool has_value =
          parameter.fallback || !parameter.words.empty() || parameter.kind == Parameter::Kind::path;
      EXPECT_EQ(task["parameters"].contains(parameter.key), has_value)
          << workload.name << " " << parameter.key;
    }
    EXPECT_EQ(task["background"], workload.background);
  }
}

TEST(Scripts, GetValuesAsTheyAreMeant) {
  const json task =
      task_of("file:background=3,seconds=2ms,dir=/a\"b,task=regex", [](const WorkloadText& text) {
        return ScriptTask{.workload = text,
                          .threads = 4,
                          .threaded = false,
                          .join_at_end = false,
                          .gate = 5,
                          .results = 6,
                          .connections = {7, 8},
                          .switch_interval_ns = 9,
                          .check_interval = 10};
      });
  EXPECT_EQ(task, json::parse(R"({"workload":"file",
      "parameters":{"background":3,"seconds":2000000,"size":4096,"dir":"/a\"b","task":"regex"},
      "background":3,"task":"regex","threads":4,"arrangement":"sequential","main_exit":"kill",
      "gate":5,"results":6,"connections":[7,8],"switch_interval_ns":9,"check_interval":10})"));
}

TEST(Scripts, GetNoIntervalUnlessItIsGiven) {
  const json task = task_of("count:n=1", [](const WorkloadText& text) { return ScriptTask{text}; });
  EXPECT_FALSE(task.contains("switch_interval_ns"));
  EXPECT_FALSE(task.contains("check_interval"));
  EXPECT_FALSE(task["parameters"].contains("seconds")) << "it has none unless given";
  EXPECT_EQ(task["arrangement"], "threaded");
  EXPECT_EQ(task["main_exit"], "join");
}

TEST(Scripts, KnowTheirWorkloadsByName) {
  for (const WorkloadDescriptor& workload : workloads()) {
    if (!has_script(workload)) continue;
    EXPECT_THAT(script_for("python"), testing::HasSubstr("'" + workload.name + "': "));
    EXPECT_THAT(script_for("ruby"), testing::HasSubstr("  def " + workload.name + "(task, "));
  }
  for (const std::string& task : task_names()) {
    EXPECT_THAT(script_for("python"), testing::HasSubstr("'" + task + "': "));
    EXPECT_THAT(script_for("ruby"), testing::HasSubstr("when '" + task + "'"));
  }
  EXPECT_EQ(script_for("perl"), "");
}

TEST(Scripts, AreWholeFilesFromTheirBeginning) {
  auto file = open_script("ruby");
  ASSERT_TRUE(file) << file.error().message;
  std::string text(script_for("ruby").size() + 1, '\0');
  ssize_t got = 0;
  for (ssize_t now; (now = ::read(file->get(), text.data() + got, text.size() - got)) > 0;) {
    got += now;
  }
  text.resize(got);
  EXPECT_EQ(text, script_for("ruby"));
}

TEST(Scripts, AreReadBesideNothingElse) {
  EXPECT_THAT(argv_for("python", "/usr/bin/python2.7", "2.7.18", "{}"),
              ElementsAre("/usr/bin/python2.7", "-E", "-s", "-S", "-B", "-", "{}"));
  EXPECT_THAT(argv_for("python", "/usr/bin/python3.11", "3.11.2", "{}"),
              ElementsAre("/usr/bin/python3.11", "-I", "-S", "-B", "-", "{}"));
  EXPECT_THAT(argv_for("pypy", "/usr/bin/pypy3", "3.9.16", "{}"),
              ElementsAre("/usr/bin/pypy3", "-I", "-S", "-B", "-", "{}"));
  EXPECT_THAT(argv_for("ruby", "/usr/bin/ruby3.1", "3.1.2", "{}"),
              ElementsAre("/usr/bin/ruby3.1", "--disable-all", "-", "{}"));
  const auto jython = argv_for("jython", "/usr/bin/java", "2.7.3", "{}");
  EXPECT_THAT(jython, testing::Contains("org.python.util.jython"));
  EXPECT_EQ(jython.back(), "{}");
}

TEST(Scripts, RunJythonByTheJavaBehindItsLauncher) {
  const TemporaryDirectory directory;
  directory.write("jython", "#!/bin/sh\nexec java\n");
  directory.write("java",
                  "\x7f"
                  "ELF");
  EXPECT_EQ(executable_of("jython", directory.path(), "/jython"), "/usr/bin/java");
  EXPECT_EQ(executable_of("jython", directory.path(), "/java"), "/java");
  EXPECT_EQ(executable_of("jython", "", "/not/there"), "/not/there");
  EXPECT_EQ(executable_of("python", directory.path(), "/jython"), "/jython");
}

}  // namespace
}  // namespace gilscope
