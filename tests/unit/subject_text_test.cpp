// Texts of /proc and of interpreters, as the finder of GILs takes them apart.
#include <gtest/gtest.h>
#include <sys/sysmacros.h>

#include <random>
#include <string>

#include "userspace/subject/banner.h"
#include "userspace/subject/glibc.h"
#include "userspace/subject/maps.h"
#include "userspace/subject/names.h"
#include "userspace/subject/observe.h"

namespace gilscope {
namespace {

using namespace std::string_literals;

TEST(Maps, AreRead) {
  const auto ranges = parse_maps(
      "00400000-0041f000 r--p 00000000 fe:00 247970                             /usr/bin/python3\n"
      "0041f000-006d2000 r-xp 0001f000 fe:00 247970                             /usr/bin/python3\n"
      "00a48000-00a8c000 rw-p 00000000 00:00 0 \n"
      "01f71000-02058000 rw-p 00000000 00:00 0                                  [heap]\n"
      "7f0000000000-7f0000001000 r--s 00002000 08:11 5       /a b (deleted)\n"
      "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]");
  ASSERT_EQ(ranges.size(), 6U);
  EXPECT_EQ(ranges[0].start, 0x400000U);
  EXPECT_EQ(ranges[0].end, 0x41f000U);
  EXPECT_EQ(ranges[0].device, makedev(0xfe, 0));
  EXPECT_EQ(ranges[0].inode, 247970U);
  EXPECT_EQ(ranges[0].path, "/usr/bin/python3");
  EXPECT_TRUE(ranges[0].readable && !ranges[0].writable && !ranges[0].executable);
  EXPECT_TRUE(ranges[0].of_file());
  EXPECT_EQ(ranges[1].offset, 0x1f000U);
  EXPECT_TRUE(ranges[1].executable);
  EXPECT_TRUE(ranges[2].writable && ranges[2].path.empty() && !ranges[2].of_file());
  EXPECT_EQ(ranges[3].path, "[heap]");
  EXPECT_FALSE(ranges[3].of_file());
  EXPECT_EQ(ranges[4].path, "/a b");
  EXPECT_EQ(ranges[4].device, makedev(8, 0x11));
  EXPECT_FALSE(ranges[5].readable);
}

TEST(Maps, LeaveOutWhatIsNone) {
  EXPECT_TRUE(parse_maps("").empty());
  EXPECT_TRUE(parse_maps("\n\n").empty());
  EXPECT_TRUE(
      parse_maps("no map\n-\n1-2\n1-2 r--p\n1-2 r--p 0\n1-2 r--p 0 0\n1-2 r--p 0 0:0").empty());
  EXPECT_TRUE(parse_maps("2000-1000 r--p 0 00:00 0 /backwards").empty());
  EXPECT_TRUE(parse_maps("1000-1fffffffffffffffff r--p 0 00:00 0 /too/far").empty());
  EXPECT_EQ(parse_maps("x\n1000-2000 r--p 0 00:00 0\n").size(), 1U);
}

TEST(Maps, SurviveAnything) {
  const std::string text =
      "00400000-0041f000 r--p 00000000 fe:00 247970   /usr/bin/python3\n"
      "00a48000-00a8c000 rw-p 00000000 00:00 0 \n";
  for (size_t end = 0; end <= text.size(); ++end) parse_maps(text.substr(0, end));
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string other = text;
    for (int flip = 0; flip < 3; ++flip)
      other[random() % other.size()] = static_cast<char>(random());
    for (const MappedRange& range : parse_maps(other)) EXPECT_LT(range.start, range.end);
  }
}

TEST(PythonBanner, IsThatOfEachVersion) {
  const auto version = [](const std::string& text) {
    const auto banner = parse_python_banner(text);
    return banner ? banner->version.text : "none";
  };
  EXPECT_EQ(version("3.11.2 (main, Nov 30 2024, 21:22:50) [GCC 12.2.0]\0rest"s), "3.11.2");
  EXPECT_EQ(version("2.7.18 (default, Apr 1 2024, 01:02:03) \n[GCC 10.2.1 20210110]\0"s), "2.7.18");
  EXPECT_EQ(version("3.13.0rc1+ (heads/main:abc, Aug 1 2024) [Clang 18.1.8 ]\0"s), "3.13.0rc1+");
  EXPECT_EQ(version("3.14.0 free-threading build (main, Oct 7 2025) [GCC 14.2.0]\0"s), "3.14.0");
  EXPECT_EQ(version("3.13.1 experimental free-threading build (main, Oct 7) [GCC 14]\0"s),
            "3.13.1");
  const auto banner = parse_python_banner("3.13.0b2 (main, May 1 2024) [GCC 13]\0"s);
  ASSERT_TRUE(banner);
  EXPECT_EQ(banner->version.major, 3);
  EXPECT_EQ(banner->version.minor, 13);
  EXPECT_EQ(banner->pypy, "");
}

TEST(PythonBanner, SaysThatItIsPyPy) {
  const auto banner = parse_python_banner(
      "3.9.16 (7.3.11+dfsg-2+deb12u3, Dec 30 2024, 22:36:23)\n[PyPy 7.3.11 with GCC 12.2.0]\0"s);
  ASSERT_TRUE(banner);
  EXPECT_EQ(banner->version.text, "3.9.16");
  EXPECT_EQ(banner->pypy, "7.3.11");
}

TEST(PythonBanner, IsNoOtherText) {
  for (const std::string& text : {""s, "3"s, "3."s, "3.11"s, "3.11.2"s, "3.11.2 "s, "3.11.2 (main"s,
                                  "3.11.2 (main)"s, "3.11.2 (main) GCC"s, "4.0.1 (main) [GCC 12]"s,
                                  "3.x.2 (main) [GCC 12]"s, "3.11.\x1b[0m (main) [GCC 12]"s,
                                  "3.11.2\0 (main) [GCC 12]"s, "3.11.2 (main)        [GCC 12]"s}) {
    EXPECT_FALSE(parse_python_banner(text)) << text;
  }
}

TEST(RubyBanner, IsRead) {
  const auto version = parse_ruby_banner("ruby 3.1.2p20 (2022-04-12 revision 4491bb740a) [x86]\0"s);
  ASSERT_TRUE(version);
  EXPECT_EQ(version->text, "3.1.2");
  EXPECT_EQ(version->minor, 1);
  EXPECT_EQ(parse_ruby_banner("ruby 3.3.8 (2025-04-09 revision b200bad6cd) [x86]")->text, "3.3.8");
  EXPECT_FALSE(parse_ruby_banner("ruby 3.1"));
  EXPECT_FALSE(parse_ruby_banner("ruby is a language (2022)"));
  EXPECT_FALSE(parse_ruby_banner("rubies 3.1.2 (2022-04-12)"));
}

TEST(GlibcBanner, IsRead) {
  const auto glibc = parse_glibc_banner(
      "GNU C Library (Debian GLIBC 2.36-9+deb12u10) stable release version 2.36.\nCopyright");
  ASSERT_TRUE(glibc);
  EXPECT_EQ(glibc->minor, 36);
  EXPECT_EQ(glibc->signals_at(), 40U);
  EXPECT_EQ(parse_glibc_banner("GNU C Library (GNU libc) development release version 2.43.9000.")
                ->signals_at(),
            32U);
  EXPECT_FALSE((Glibc{2, 24}.has_known_conditions()));
  EXPECT_TRUE((Glibc{2, 25}.has_known_conditions()));
  EXPECT_EQ((Glibc{2, 40}.signals_at()), 40U);
  EXPECT_EQ((Glibc{2, 41}.signals_at()), 32U);
  for (const char* text : {"", "GNU C Library (", "GNU C Library (x) stable release version",
                           "GNU C Library (x) stable release version 2", "release version 2.36",
                           "GNU C Library (x) stable release version x.y"}) {
    EXPECT_FALSE(parse_glibc_banner(text)) << text;
  }
}

TEST(Names, TellInterpreters) {
  for (const char* name :
       {"/usr/bin/python3.11", "python", "python3", "python2.7", "python3.13t", "python3.6m",
        "/opt/lib/libpython3.13.so.1.0", "libpython3.6m.so.1.0", "python3.11-dbg"}) {
    EXPECT_EQ(kind_of_name(name), "python") << name;
  }
  for (const char* name : {"/usr/bin/pypy3.9", "pypy3", "libpypy3.9-c.so", "pypy"}) {
    EXPECT_EQ(kind_of_name(name), "pypy") << name;
  }
  for (const char* name : {"/usr/bin/ruby3.1", "ruby", "libruby-3.1.so.3.1.2"}) {
    EXPECT_EQ(kind_of_name(name), "ruby") << name;
  }
  for (const char* name :
       {"", "/", "/usr/bin/python3/", "python3-config", "pythonista", "libpython_helper.so", "bash",
        "/usr/lib/python3/dist-packages/x.so", "rubyfmt", "gilscope", "pythonmdmd"}) {
    EXPECT_EQ(kind_of_name(name), "") << name;
  }
}

TEST(Names, TellJython) {
  const std::string jar = "java\0-jar\0/usr/share/java/jython.jar\0-c\0pass\0"s;
  EXPECT_TRUE(runs_jython("/usr/lib/jvm/java-17/bin/java", jar));
  EXPECT_FALSE(runs_jython("/usr/bin/python3", jar));
  EXPECT_TRUE(runs_jython("/bin/java", "java\0-cp\0/a.jar:/b/jython-standalone-2.7.3.jar:.\0x\0"s));
  EXPECT_EQ(jython_version("java\0-cp\0/a.jar:/b/jython-standalone-2.7.3.jar\0x\0"s), "2.7.3");
  EXPECT_EQ(jython_version(jar), "");
  EXPECT_TRUE(runs_jython("/bin/java", "java\0org.python.util.jython\0"s));
  EXPECT_FALSE(runs_jython("/bin/java", "java\0-jar\0/tomcat.jar\0"s));
  EXPECT_FALSE(runs_jython("/bin/java", ""));
}

TEST(FutexWaits, AreToldFromOtherCalls) {
  const auto timed =
      parse_futex_wait("202 0xa5b8f0 0x89 0x0 0x7f5341c9ca60 0x0 0xffffffff 0x7f53 0x7f54\n");
  ASSERT_TRUE(timed);
  EXPECT_EQ(timed->address, 0xa5b8f0U);
  EXPECT_TRUE(timed->timed);
  const auto untimed = parse_futex_wait("202 0x7f00 0x80 0x2 0x0 0x0 0x0 0x7f 0x7f\n");
  ASSERT_TRUE(untimed);
  EXPECT_FALSE(untimed->timed);
  for (const char* text :
       {"", "running\n", "-1 0x7f 0x7f\n", "230 0x1 0x1 0x7f 0x0 0x0 0x0 0x7f 0x7f\n", "202\n",
        "202 0x1\n", "202 0x1 0x81 0x1 0x0 0x0 0x0 0x7f 0x7f\n", "202 x y z\n"}) {
    EXPECT_FALSE(parse_futex_wait(text)) << text;
  }
}

}  // namespace
}  // namespace gilscope
