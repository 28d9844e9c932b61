// Where output goes for each name given to -o, and what is left when writing fails.
#include "userspace/base/output_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "tests/unit/temporary_directory.h"
#include "userspace/base/fd.h"
#include "userspace/base/file_io.h"

namespace gilscope {
namespace {

using testing::HasSubstr;

// Replaces our own standard output while the object exists.
class StandardOutput {
 public:
  explicit StandardOutput(int fd) : before_(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)) {
    ::dup2(fd, STDOUT_FILENO);
  }
  ~StandardOutput() { ::dup2(before_.get(), STDOUT_FILENO); }
  StandardOutput(const StandardOutput&) = delete;
  StandardOutput& operator=(const StandardOutput&) = delete;

 private:
  Fd before_;
};

struct Pipe {
  Pipe() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    from = Fd(ends[0]), to = Fd(ends[1]);
  }
  std::string read() {
    to = Fd();
    return read_to_end(from.get(), 1 << 20, "", "").value();
  }
  Fd from, to;
};

// Returns "" or the error.
std::string write(const std::string& path, const std::string& bytes) {
  auto file = OutputFile::open(path);
  if (!file) return file.error().message;
  if (Status s = file->write(bytes); !s) return s.error().message;
  const Status s = file->finish();
  return s ? "" : s.error().message;
}

class OutputFileTest : public testing::Test {
 protected:
  OutputFileTest() : broken_pipe_(::signal(SIGPIPE, SIG_IGN)) {}
  ~OutputFileTest() override { ::signal(SIGPIPE, broken_pipe_); }

  std::string contents(const std::string& name) {
    const Fd file(::open((directory_ / name).c_str(), O_RDONLY | O_CLOEXEC));
    return read_to_end(file.get(), 1 << 20, "", "").value_or("not there");
  }

  TemporaryDirectory directory_;
  sighandler_t broken_pipe_;
};

TEST_F(OutputFileTest, ARegularFileIsThereWhenItIsFinished) {
  directory_.write("file", "older");
  {
    auto file = OutputFile::open(directory_ / "file");
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_FALSE(file->is_standard_output());
    ASSERT_TRUE(file->write("half"));
  }
  EXPECT_EQ(contents("file"), "older");
  EXPECT_EQ(write(directory_ / "file", "newer"), "");
  EXPECT_EQ(contents("file"), "newer");
}

TEST_F(OutputFileTest, StandardOutputHasManyNames) {
  std::filesystem::create_symlink("/dev/stdout", directory_ / "link");
  std::filesystem::create_symlink("link", directory_ / "again");
  for (const std::string& name :
       {std::string("-"), std::string("/dev/stdout"), std::string("/dev/fd/1"),
        std::string("/proc/self/fd/1"), std::string("/proc/thread-self/fd/1"),
        std::string("/dev/../dev/fd/1"), directory_ / "link", directory_ / "again"}) {
    Pipe pipe;
    std::string error;
    {
      const StandardOutput output(pipe.to.get());
      error = write(name, "bytes");
      const auto file = OutputFile::open(name);
      EXPECT_TRUE(file && file->is_standard_output()) << name;
    }
    EXPECT_EQ(error, "") << name;
    EXPECT_EQ(pipe.read(), "bytes") << name;
  }
  EXPECT_FALSE(std::filesystem::exists("-"));
}

// As with `>>`, or several commands of a script: existing contents stay.
TEST_F(OutputFileTest, AFileThatStandardOutputIsIsWrittenWhereItStands) {
  for (const char* name : {"-", "/dev/stdout", "/dev/fd/1"}) {
    directory_.write("file", "");
    const Fd file(::open((directory_ / "file").c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_TRUE(write_all(file.get(), "before ", ""));
    {
      const StandardOutput output(file.get());
      EXPECT_EQ(write(name, "bytes"), "") << name;
    }
    ASSERT_TRUE(write_all(file.get(), " behind", ""));
    EXPECT_EQ(contents("file"), "before bytes behind") << name;
  }
}

TEST_F(OutputFileTest, ADescriptorOfOursIsWrittenThrough) {
  Pipe pipe;
  EXPECT_EQ(write(fmt::format("/dev/fd/{}", pipe.to.get()), "bytes"), "");
  EXPECT_EQ(pipe.read(), "bytes");
  EXPECT_THAT(write("/dev/fd/987", "bytes"), HasSubstr("cannot write /dev/fd/987"));
}

TEST_F(OutputFileTest, AFifoIsWrittenWhereItIs) {
  const std::string fifo = directory_ / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  std::string got;
  std::thread reader([&] {
    const Fd file(::open(fifo.c_str(), O_RDONLY | O_CLOEXEC));
    got = read_to_end(file.get(), 1 << 20, "", "").value_or("");
  });
  EXPECT_EQ(write(fifo, "bytes"), "");
  reader.join();
  EXPECT_EQ(got, "bytes");
  EXPECT_TRUE(std::filesystem::is_fifo(fifo));
  EXPECT_EQ(write("/dev/null", "bytes"), "");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST_F(OutputFileTest, WhatCannotBeWrittenIsAnError) {
  const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  // The write fails in the middle, and at the last bytes.
  for (const size_t bytes : {size_t{1}, size_t{1} << 20}) {
    EXPECT_EQ(write("/dev/full", std::string(bytes, 'x')),
              "cannot write /dev/full: No space left on device");
    const StandardOutput output(full.get());
    EXPECT_EQ(write("-", std::string(bytes, 'x')),
              "cannot write to standard output: No space left on device");
  }
  Pipe pipe;
  pipe.from = Fd();
  const StandardOutput output(pipe.to.get());
  EXPECT_EQ(write("-", "bytes"), "cannot write to standard output: Broken pipe");
}

TEST_F(OutputFileTest, APipeThatTakesNothingYetIsWaitedFor) {
  Pipe pipe;
  ASSERT_EQ(::fcntl(pipe.to.get(), F_SETFL, O_NONBLOCK), 0);
  const std::string much(1 << 20, 'x');
  std::string got, error;
  std::thread reader([&] { got = read_to_end(pipe.from.get(), 2 << 20, "", "").value_or(""); });
  error = write(fmt::format("/dev/fd/{}", pipe.to.get()), much);
  pipe.to = Fd();
  reader.join();
  EXPECT_EQ(error, "");
  EXPECT_EQ(got.size(), much.size());
}

TEST_F(OutputFileTest, WhatIsNeitherIsRefused) {
  directory_.write("file", "older");
  std::filesystem::create_symlink("file", directory_ / "link");
  std::filesystem::create_symlink("link", directory_ / "loop");
  std::filesystem::remove(directory_ / "loop");
  std::filesystem::create_symlink("loop", directory_ / "loop");
  std::filesystem::create_symlink("nowhere", directory_ / "dangling");
  EXPECT_THAT(write(directory_ / "link", "x"), HasSubstr("it is a symbolic link"));
  EXPECT_THAT(write(directory_ / "loop", "x"), HasSubstr("it is a symbolic link"));
  EXPECT_THAT(write(directory_ / "dangling", "x"), HasSubstr("it is a symbolic link"));
  EXPECT_THAT(write(directory_.path(), "x"), HasSubstr("it is a directory"));
  EXPECT_THAT(write(directory_ / "none/file", "x"), HasSubstr("No such file or directory"));
  EXPECT_EQ(contents("file"), "older");
  // A report and similar files are regular files, whatever their names.
  EXPECT_THAT(OutputFile::create("/dev/stdout").error().message,
              HasSubstr("it is a symbolic link"));
}

TEST_F(OutputFileTest, KnowsWhatItWouldReplaceOrWriteInto) {
  directory_.write("file", "older");
  struct stat about {};
  ASSERT_EQ(::stat((directory_ / "file").c_str(), &about), 0);
  EXPECT_TRUE(OutputFile::open(directory_ / "file")->is(about));
  EXPECT_FALSE(OutputFile::open(directory_ / "other")->is(about));
  const Fd file(::open((directory_ / "file").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  const StandardOutput output(file.get());
  EXPECT_TRUE(OutputFile::open("-")->is(about));
}

}  // namespace
}  // namespace gilscope
