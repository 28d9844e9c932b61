// The file of an interpreter: each thing that can be wrong with it is one line, and is said before
// anything runs.
#include "userspace/experiment/program/interpreter_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/unit/temporary_directory.h"

namespace gilscope {
namespace {

using testing::HasSubstr;

class InterpreterFileTest : public testing::Test {
 protected:
  // A file of these bytes, and how a policy of this kind that names it is refused.
  std::string refusal(const std::string& bytes, mode_t mode = 0755,
                      const std::string& kind = "python") {
    directory_.write("file", bytes);
    ::chmod((directory_ / "file").c_str(), mode);
    return refusal_of(directory_ / "file", kind);
  }

  static std::string refusal_of(const std::string& path, const std::string& kind = "python") {
    const auto program = read_program(kind + ":" + path);
    if (!program) return program.error().message;
    const Status good = check_interpreter_file(*program);
    if (good) return "";
    EXPECT_EQ(good.error().code, Exit::error);
    EXPECT_EQ(good.error().message.find('\n'), std::string::npos);
    return good.error().message;
  }

  static std::string elf(char bits) { return std::string("\177ELF") + bits + std::string(60, 'x'); }

  TemporaryDirectory directory_;
};

TEST_F(InterpreterFileTest, IsThereAndAProgram) {
  EXPECT_EQ(refusal(elf(2)), "");
  EXPECT_THAT(refusal_of(directory_ / "none"), HasSubstr("is not there"));
  EXPECT_THAT(refusal_of((directory_ / "file") + "/below"), HasSubstr("is not there"));
  EXPECT_THAT(refusal_of(directory_.path()), HasSubstr("is a directory"));
  EXPECT_THAT(refusal_of("/dev/null"), HasSubstr("not a regular file"));
  EXPECT_THAT(refusal(elf(2), 0644), HasSubstr("is not executable"));
  EXPECT_THAT(refusal(elf(1)), HasSubstr("32-bit"));
  EXPECT_THAT(refusal("just text\n"), HasSubstr("is no program"));
  EXPECT_THAT(refusal(""), HasSubstr("is no program"));
}

TEST_F(InterpreterFileTest, IsNoScriptButTheInterpreterOfOne) {
  const std::string refused = refusal("#!/usr/bin/env python3\nprint(1)\n");
  EXPECT_THAT(refused, HasSubstr("is a script, of /usr/bin/env python3"));
  EXPECT_THAT(refused, HasSubstr("python:/usr/bin/python3"));
}

// A link leads where it does for a program in that root.
TEST_F(InterpreterFileTest, MayStandInARootOfItsOwn) {
  directory_.write("lib64/ld-linux-x86-64.so.2", "a loader");
  directory_.write("opt/python", elf(2));
  ::chmod((directory_ / "opt/python").c_str(), 0755);
  std::filesystem::create_directories(directory_ / "usr/bin");
  std::filesystem::create_symlink("/opt/python", directory_ / "usr/bin/python9.9");
  EXPECT_EQ(root_of(directory_ / "usr/bin/python9.9"), directory_.path());
  EXPECT_EQ(refusal_of(directory_ / "usr/bin/python9.9"), "");
  std::filesystem::create_symlink("/usr/bin/env", directory_ / "usr/bin/python9.8");
  EXPECT_THAT(refusal_of(directory_ / "usr/bin/python9.8"), HasSubstr("is not there"));
  EXPECT_EQ(root_of("/usr/bin/python3"), "");
  EXPECT_EQ(root_of("/nowhere/usr/bin/python3"), "");
}

TEST_F(InterpreterFileTest, SaysItsVersion) {
  const auto inherited = Inherited::look();
  ASSERT_TRUE(inherited);
  const ProgramOwner owner{{}, *inherited};
  const auto ask = [&](const std::string& policy) {
    return look_at_interpreter(*read_program(policy), owner);
  };
  if (refusal_of("/usr/bin/python3") != "") GTEST_SKIP() << "no python3";
  const auto file = ask("python:/usr/bin/python3");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_TRUE(file->version.starts_with("3.")) << file->version;
  EXPECT_EQ(file->root, "");

  const auto refused = [&](const std::string& policy) {
    const auto looked = ask(policy);
    return looked ? "" : looked.error().message;
  };
  EXPECT_THAT(refused("pypy:/usr/bin/python3"), HasSubstr("say python:"));
  EXPECT_THAT(refused("python:/usr/bin/python3,check-interval=100"), HasSubstr("switch-interval"));
  // Programs that are no interpreters.
  EXPECT_THAT(refused("python:/bin/true"), HasSubstr("says '' when asked for its version"));
  EXPECT_THAT(refused("python:/bin/echo"), HasSubstr("when asked for its version"));
  EXPECT_THAT(refused("python:/bin/false"), HasSubstr("ends with status 1"));
}

}  // namespace
}  // namespace gilscope
