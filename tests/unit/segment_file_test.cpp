// A run's segments on disk: written data are read back, and other files are refused.
#include "userspace/report/segment_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <iterator>

#include "tests/unit/temporary_directory.h"

namespace gilscope {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Segments = std::vector<gilscope_segment>;

constexpr const char* kName = "run.bin";

Segments some_segments(size_t count) {
  Segments segments(count);
  for (size_t i = 0; i < count; ++i) {
    segments[i].end_ns = 1000 + i;
    segments[i].thread = static_cast<uint32_t>(i % 7);
    segments[i].drop_requests = static_cast<uint32_t>(i);
  }
  return segments;
}

SegmentFileHeader some_header() {
  SegmentFileHeader header;
  header.cell = 3, header.block = 14;
  std::strcpy(header.report_id.data(), "6a3c1e0e-4a1f-4b5c-9d27-1b1f0f6c0d11");
  return header;
}

bool same(const Segments& a, const Segments& b) {
  return std::ranges::equal(a, b, [](const gilscope_segment& one, const gilscope_segment& other) {
    return std::memcmp(&one, &other, sizeof(one)) == 0;
  });
}

class SegmentFileTest : public testing::Test {
 protected:
  // Writes in several steps, as a run does.
  Status write(const std::string& name, const Segments& segments, size_t at_once = 1000) {
    auto writer = SegmentWriter::create(at.get(), name, some_header());
    if (!writer) return fail(writer.error());
    for (size_t i = 0; i < segments.size(); i += at_once) {
      const size_t count = std::min(at_once, segments.size() - i);
      if (Status s = writer->write({segments.data() + i, count}); !s) return s;
    }
    return writer->finish();
  }

  std::string bytes() const {
    std::ifstream file(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // The error of reading the file with other contents.
  Error refusal_of(const std::string& content) {
    directory.write(kName, content);
    auto file = read_segments(path());
    if (file) return {Exit::done, "not refused"};
    return file.error();
  }
  std::string path() const { return directory / kName; }

  TemporaryDirectory directory;
  Fd at{open(directory.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
};

TEST_F(SegmentFileTest, ReadsBackWhatWasWritten) {
  // None, one, and more than are written at once.
  for (const size_t count : {0, 1, 2, 50'000}) {
    const std::string name = std::to_string(count);
    const Segments segments = some_segments(count);
    const Status written = write(name, segments);
    ASSERT_TRUE(written) << written.error().message;
    const auto file = read_segments(directory / name);
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_TRUE(same(file->segments, segments)) << count;
    EXPECT_EQ(file->header.cell, 3u);
    EXPECT_EQ(file->header.block, 14u);
    EXPECT_EQ(file->header.report_id, some_header().report_id);
    EXPECT_EQ(std::filesystem::file_size(directory / name), 72 + 48 * count);
  }
}

TEST_F(SegmentFileTest, IsTheSameHoweverItWasWritten) {
  const Segments segments = some_segments(40'000);
  for (const size_t at_once : {size_t{1}, size_t{333}, segments.size()}) {
    ASSERT_TRUE(write("by" + std::to_string(at_once), segments, at_once));
    EXPECT_TRUE(
        same(read_segments(directory / ("by" + std::to_string(at_once)))->segments, segments));
  }
}

TEST_F(SegmentFileTest, DoesNotTouchAFileThatExists) {
  directory.write(kName, "precious");
  const Status status = write(kName, some_segments(1));
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, AllOf(HasSubstr("'run.bin'"), HasSubstr("exists")));
  EXPECT_EQ(bytes(), "precious");
}

TEST_F(SegmentFileTest, FollowsNoLink) {
  directory.write("target", "precious");
  std::filesystem::create_symlink(directory / "target", directory / kName);
  EXPECT_FALSE(write(kName, some_segments(1)));
  EXPECT_EQ(bytes(), "precious");
  std::filesystem::create_symlink(directory / "nowhere", directory / "dangling");
  EXPECT_FALSE(write("dangling", some_segments(1)));
  EXPECT_FALSE(std::filesystem::exists(directory / "nowhere"));

  ASSERT_TRUE(write("good", some_segments(1)));
  std::filesystem::create_symlink(directory / "good", directory / "link");
  EXPECT_TRUE(read_segments(directory / "good"));
  EXPECT_FALSE(read_segments(directory / "link"));
}

TEST_F(SegmentFileTest, CannotBeMadeInADirectoryThatIsGone) {
  const Fd nowhere;
  EXPECT_FALSE(SegmentWriter::create(nowhere.get(), kName, some_header()));
}

TEST_F(SegmentFileTest, IsRefusedWhereItEndsTooEarly) {
  ASSERT_TRUE(write(kName, some_segments(3)));
  const std::string whole = bytes();
  constexpr size_t kHeader = sizeof(SegmentFileHeader), kRecord = sizeof(SegmentRecord);
  ASSERT_EQ(whole.size(), kHeader + 3 * kRecord);
  for (size_t size = 0; size < whole.size(); ++size) {
    const bool at_an_edge = size >= kHeader && (size - kHeader) % kRecord == 0;
    const Error error = refusal_of(whole.substr(0, size));
    if (at_an_edge) {
      EXPECT_EQ(error.code, Exit::done) << size;
    } else {
      EXPECT_EQ(error.code, Exit::no_data) << size;
      EXPECT_THAT(error.message,
                  HasSubstr(size < kHeader ? "is not a file of segments" : "truncated"));
    }
  }
  EXPECT_THAT(refusal_of(whole + "x").message, HasSubstr("truncated"));
}

// The header, altered by `change`, with some records.
template <typename Change>
std::string file_with(Change change) {
  SegmentFileHeader header = some_header();
  change(header);
  std::string content(reinterpret_cast<const char*>(&header), sizeof(header));
  return content + std::string(2 * sizeof(SegmentRecord), '\0');
}

TEST_F(SegmentFileTest, IsRefusedWhereItIsAnother) {
  ASSERT_EQ(refusal_of(file_with([](SegmentFileHeader&) {})).code, Exit::done);
  const auto refused = [this](auto change, const char* why) {
    const Error error = refusal_of(file_with(change));
    EXPECT_EQ(error.code, Exit::no_data);
    EXPECT_THAT(error.message, AllOf(HasSubstr(kName), HasSubstr(why)));
  };
  for (size_t i = 0; i < 8; ++i) {
    refused([i](SegmentFileHeader& h) { h.magic[i] ^= 1; }, "is not a file of segments");
  }
  refused([](SegmentFileHeader& h) { h.byte_order = 0x04030201; }, "byte order");
  refused([](SegmentFileHeader& h) { h.version = kSegmentFileVersion + 1; }, "version 3");
  refused([](SegmentFileHeader& h) { h.version = 0; }, "version 0");
  refused([](SegmentFileHeader& h) { h.header_bytes += 8; }, "version");
  refused([](SegmentFileHeader& h) { h.record_bytes = 72; }, "version");
  // As a machine of the other byte order writes them.
  refused(
      [](SegmentFileHeader& h) {
        for (uint32_t* word : {&h.version, &h.byte_order, &h.header_bytes, &h.record_bytes}) {
          *word = __builtin_bswap32(*word);
        }
      },
      "byte order");
}

TEST_F(SegmentFileTest, IsRefusedWhereItIsNoRegularFile) {
  ASSERT_EQ(mkfifo((directory / "pipe").c_str(), 0600), 0);
  const auto pipe = read_segments(directory / "pipe");  // must not wait for a writer
  ASSERT_FALSE(pipe);
  EXPECT_THAT(pipe.error().message, HasSubstr("not a regular file"));
  EXPECT_FALSE(read_segments(directory.path()));
  EXPECT_FALSE(read_segments("/dev/null"));
  const auto missing = read_segments(directory / "missing\x1b");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, AllOf(HasSubstr("missing\\x1b"), HasSubstr("No such file")));
}

// A file size limit stands in for a full disk: either fails a write in the middle.
TEST_F(SegmentFileTest, SaysThatItCouldNotBeWritten) {
  // More than one buffer, so that write() fails, and less, so that finish() fails.
  for (const size_t count : {200, 200'000}) {
    const std::string name = "full" + std::to_string(count);
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      std::signal(SIGXFSZ, SIG_IGN);
      const rlimit limit = {4096, 4096};
      setrlimit(RLIMIT_FSIZE, &limit);
      const Status status = write(name, some_segments(count));
      const std::string printed = status ? "it succeeded" : status.error().message;
      const ssize_t sent = ::write(ends[1], printed.data(), printed.size());
      _exit(sent == static_cast<ssize_t>(printed.size()) ? 0 : 1);
    }
    const Fd from(ends[0]);
    close(ends[1]);
    char printed[1000];
    const ssize_t bytes = read(from.get(), printed, sizeof(printed));
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_GT(bytes, 0);
    EXPECT_EQ(status, 0);
    EXPECT_THAT(std::string(printed, static_cast<size_t>(bytes)),
                AllOf(HasSubstr("cannot write the segments"), HasSubstr(name),
                      HasSubstr(std::strerror(EFBIG))));
  }
}

}  // namespace
}  // namespace gilscope
