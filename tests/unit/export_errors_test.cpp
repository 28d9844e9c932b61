// Any defect of a report or its segments ends in one line that names it, an exit code that scripts
// can branch on, and no output: no partial file, and no replaced older one.
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "tests/unit/exported.h"

namespace gilscope {
namespace {

using testing::HasSubstr;

class ExportErrors : public Exported {
 protected:
  ExportErrors() {
    std::vector<gilscope_segment> segments(50);
    for (size_t i = 0; i < segments.size(); ++i) {
      segments[i].run_ns = 1000 + 10 * i, segments[i].end_ns = 1005 + 10 * i;
      segments[i].waker_cpu = segments[i].placed_cpu = segments[i].previous_cpu = kNoCpu;
    }
    add_run({traced_thread("main", 4000, 1000)}, segments);
    path_ = directory_ / run().segments_file;
    std::ifstream file(path_, std::ios::binary);
    whole_.assign(std::istreambuf_iterator<char>(file), {});
  }

  gilscope::Run& run() { return report_.cells[0].runs[0]; }

  // Every format that reads segments must refuse, and say `why` in its one line.
  void refuses(int exit, const std::string& why) {
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"--format", "perfetto"},
          {"--format", "csv", "--rows", "segments"},
          {"--format", "ndjson"}}) {
      refuses(arguments, exit, why);
    }
  }
  void refuses(const std::vector<std::string>& arguments, int exit, const std::string& why) {
    const std::string what = arguments[1] + ": " + why;
    std::filesystem::remove(output());
    Outcome outcome = run_export(arguments);
    EXPECT_EQ(outcome.exit, exit) << what << ": " << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(why));
    EXPECT_TRUE(outcome.err.starts_with("gilscope: ")) << outcome.err;
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_FALSE(std::filesystem::exists(output())) << what;
    directory_.write("output", "older");
    run_export(arguments);
    EXPECT_EQ(content(), "older") << what;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
      EXPECT_FALSE(entry.path().filename().string().starts_with(".")) << entry.path();
    }
  }
  void damage(const std::string& bytes) { directory_.write(run().segments_file, bytes); }
  // Flips a bit of the byte at `offset`.
  void flip(size_t offset) {
    std::string bytes = whole_;
    bytes.at(offset) = static_cast<char>(bytes.at(offset) ^ 1);
    damage(bytes);
  }

  std::string path_, whole_;
};

TEST_F(ExportErrors, NoneWhereNothingIsWrong) {
  for (const char* format : {"perfetto", "csv", "ndjson"}) {
    const Outcome outcome = run_export({"--format", format});
    EXPECT_EQ(outcome.exit, 0) << outcome.err;
    EXPECT_EQ(outcome.out, output() + ": 1 run\n");
    EXPECT_FALSE(content().empty());
  }
}

// Standard output gets the rows and nothing else; the summary goes to standard error.
TEST_F(ExportErrors, StandardOutputIsAFileLikeOthers) {
  for (const std::vector<std::string>& format : {std::vector<std::string>{"--format", "perfetto"},
                                                 {"--format", "csv"},
                                                 {"--format", "csv", "--rows", "segments"},
                                                 {"--format", "ndjson"}}) {
    exports(format);
    for (const char* name : {"-", "/dev/stdout", "/dev/fd/1"}) {
      std::vector<std::string> arguments = format;
      arguments.insert(arguments.end(), {"-o", name});
      const Outcome outcome = run_export(arguments);
      EXPECT_EQ(outcome.exit, 0) << outcome.err;
      EXPECT_EQ(outcome.out, content()) << format[1] << " to " << name;
      EXPECT_EQ(outcome.err, "standard output: 1 run\n");
    }
    std::vector<std::string> arguments = format;
    arguments.insert(arguments.end(), {"-o", "/dev/full"});
    const Outcome outcome = run_export(arguments);
    EXPECT_EQ(outcome.exit, 2);
    EXPECT_EQ(outcome.err, "gilscope: cannot write /dev/full: No space left on device\n");
  }
  EXPECT_FALSE(std::filesystem::exists("-"));
}

TEST_F(ExportErrors, ATerminalTakesNoTrace) {
  const Fd terminal(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  char name[64];
  if (!terminal || ::grantpt(terminal.get()) != 0 || ::unlockpt(terminal.get()) != 0 ||
      ::ptsname_r(terminal.get(), name, sizeof(name)) != 0) {
    GTEST_SKIP() << "no terminals here";
  }
  const Outcome refused = run_export({"--format", "perfetto", "-o", name});
  EXPECT_EQ(refused.exit, 2);
  EXPECT_THAT(refused.err, HasSubstr("is a terminal: name a file with -o"));
  EXPECT_EQ(run_export({"--format", "csv", "-o", name}).exit, 0);
}

TEST_F(ExportErrors, TruncatedSegments) {
  damage(whole_.substr(0, whole_.size() - 1));
  refuses(3, "truncated");
  damage(whole_.substr(0, whole_.size() - 64));
  refuses(3, "truncated");
  damage(whole_.substr(0, 40));
  refuses(3, "not a file of segments");
  damage("");
  refuses(3, "not a file of segments");
}

TEST_F(ExportErrors, AnotherFilesSegments) {
  flip(0);
  refuses(3, "not a file of segments");
  flip(8);
  refuses(3, "version");
  flip(24);
  refuses(3, "is of cell 1");
  flip(28);
  refuses(3, "block 1");
  flip(32);
  refuses(3, "belongs to the report");
}

TEST_F(ExportErrors, DamagedRecords) {
  flip(72 + 14);  // the number of a thread that the run does not have
  refuses(3, "record 0 is damaged");
  std::string bytes = whole_;
  bytes.at(bytes.size() - 48 + 22) = 0x61;  // the last record has an unknown end
  damage(bytes);
  refuses(3, "record 49 is damaged");
}

TEST_F(ExportErrors, MissingSegments) {
  std::filesystem::remove(path_);
  refuses(2, "No such file");
  std::filesystem::create_directory(path_);
  refuses(3, "not a regular file");
}

TEST_F(ExportErrors, SegmentsElsewhere) {
  const std::string name = run().segments_file;
  for (const std::string& elsewhere :
       {"../" + name, "segments/../" + name, path_, std::string("/etc/passwd"),
        std::string("segments/../../x")}) {
    run().segments_file = elsewhere;
    refuses(3, "not beside it");
  }
  std::filesystem::create_symlink(path_, directory_ / "link");
  run().segments_file = "link";
  refuses(2, "link");
}

TEST_F(ExportErrors, NoSegmentsAtAll) {
  run().segments_file.clear();
  refuses({"--format", "perfetto"}, 3, "--trace full --out DIR");
  refuses({"--format", "csv", "--rows", "segments"}, 3, "--trace full --out DIR");
  refuses({"--format", "csv", "--rows", "cores"}, 3, "no such rows");
  EXPECT_EQ(run_export({"--format", "ndjson"}).exit, 0);
  report_.cells[0].runs.clear();
  refuses({"--format", "ndjson"}, 3, "no run");
}

TEST_F(ExportErrors, NoSuchCellOrBlock) {
  refuses({"--format", "csv", "--cell", "1"}, 2, "there is no cell 1");
  EXPECT_THAT(run_export({"--format", "csv", "--cell", "-1"}).err,
              HasSubstr("--cell: -1 is out of range: give 0 to "));
  refuses({"--format", "csv", "--block", "0", "--block", "1"}, 2, "no run of block 1");
}

TEST_F(ExportErrors, CommandLine) {
  EXPECT_EQ(run_export({}).exit, 2);
  EXPECT_EQ(run_export({"--format", "excel"}).exit, 2);
  EXPECT_EQ(run_export({"--format", "csv", "--rows", "galaxies"}).exit, 2);
  EXPECT_EQ(run_export({"--format", "csv", "--cell", "x"}).exit, 2);
  refuses({"--format", "ndjson", "--rows", "runs"}, 2, "--rows is for --format csv");
}

TEST_F(ExportErrors, TheReportIsNotReplaced) {
  for (const std::string& own : {directory_ / "report.json", path_}) {
    const Outcome outcome = run_export({"--format", "csv", "-o", own});
    EXPECT_EQ(outcome.exit, 2);
    EXPECT_THAT(outcome.err, HasSubstr("part of the report"));
  }
  EXPECT_EQ(run_export({"--format", "perfetto"}).exit, 0) << "the report is still complete";
}

TEST_F(ExportErrors, OutputThatCannotBeWritten) {
  EXPECT_EQ(run_export({"--format", "csv", "-o", directory_ / "none/x"}).exit, 2);
  EXPECT_EQ(run_export({"--format", "csv", "-o", directory_.path()}).exit, 2);
  // Like a full disk: the write fails in the middle.
  std::vector<gilscope_segment> many(20'000);
  for (size_t i = 0; i < many.size(); ++i) {
    many[i].run_ns = many[i].end_ns = 1000 + i;
    many[i].ended = GILSCOPE_ENDED_BLOCKED_GIL, many[i].gil_state = GILSCOPE_WAITING;
  }
  add_run({traced_thread("main", 4000, 1000)}, many);
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  for (const char* format : {"perfetto", "ndjson"}) {
    const rlimit limit = {100'000, before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const Outcome full = run_export({"--format", format});
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    EXPECT_EQ(full.exit, 2);
    EXPECT_THAT(full.err, HasSubstr(std::strerror(EFBIG)));
    EXPECT_FALSE(std::filesystem::exists(output()));
  }
  std::signal(SIGXFSZ, SIG_DFL);

  std::filesystem::create_symlink(directory_ / "report.json", output());
  const Outcome outcome = run_export({"--format", "csv"});
  EXPECT_EQ(outcome.exit, 2);
  EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1);
  EXPECT_TRUE(std::filesystem::is_symlink(output()));
}

}  // namespace
}  // namespace gilscope
