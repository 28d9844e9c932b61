#include "userspace/report/out_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <filesystem>

#include "userspace/base/quote.h"
#include "userspace/report/json.h"

namespace gilscope {
namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

Result<Fd> make_and_open(int parent, const std::string& name, const std::string& shown) {
  if (mkdirat(parent, name.c_str(), 0755) && errno != EEXIST) {
    return fail_errno(fmt::format("cannot create the directory {}", in_quotes(shown)));
  }
  Fd directory(openat(parent, name.c_str(), kDirectory));
  if (!directory) {
    if (errno == ELOOP || errno == ENOTDIR) {
      return fail(fmt::format("{} is a file or a symbolic link: give --out a directory of its own",
                              in_quotes(shown)));
    }
    return fail_errno(fmt::format("cannot open the directory {}", in_quotes(shown)));
  }
  return directory;
}

// An interrupted block runs again, and the files of its first attempt stay.
std::string unused_name(int directory, const std::string& stem, const char* ending) {
  for (int attempt = 1;; ++attempt) {
    std::string name =
        fmt::format("{}{}{}", stem, attempt > 1 ? fmt::format("-{}", attempt) : "", ending);
    if (faccessat(directory, name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) != 0) return name;
  }
}

// Whether the directory is empty, apart from temporary files that a gilscope left when it was
// killed while writing its first report (OutputFile's names).
Result<bool> holds_nothing(const std::string& path) {
  std::error_code error;
  std::filesystem::directory_iterator entry(path, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (!name.starts_with(".report.json.") || !name.ends_with(".tmp")) return false;
  }
  if (error) return fail_errno(fmt::format("cannot read {}", in_quotes(path)), error.value());
  return true;
}

}  // namespace

Result<OutDir> OutDir::open(const std::string& path) {
  if (path == "-") {
    return fail("--out takes a directory, not standard output; './-' is a directory of that name");
  }
  OutDir out;
  out.path_ = path;
  while (out.path_.size() > 1 && out.path_.back() == '/') out.path_.pop_back();
  auto directory = make_and_open(AT_FDCWD, out.path_, out.path_);
  if (!directory) return fail(directory.error());
  out.directory_ = std::move(*directory);
  if (flock(out.directory_.get(), LOCK_EX | LOCK_NB)) {
    return fail(fmt::format("another gilscope is writing to {}: give --out another directory",
                            in_quotes(path)));
  }
  if (faccessat(out.directory_.get(), ".", W_OK, AT_EACCESS)) {
    return fail_errno(fmt::format("cannot write into {}", in_quotes(path)));
  }

  std::string report = out.path_ + "/report.json";
  if (faccessat(out.directory_.get(), "report.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
    auto earlier = read_report(report);
    if (!earlier) return fail(earlier.error());
    out.earlier_ = std::move(*earlier);
    return out;
  }
  const auto nothing = holds_nothing(out.path_);
  if (!nothing) return fail(nothing.error());
  if (!*nothing) {
    return fail(fmt::format(
        "{} is not empty and holds no report: give --out a directory of its own", in_quotes(path)));
  }
  return out;
}

Status OutDir::write(const Report& report) const {
  return write_report(report, path_ + "/report.json");
}

Result<std::pair<SegmentWriter, std::string>> OutDir::new_segments(
    const SegmentFileHeader& header) const {
  auto directory = make_and_open(directory_.get(), "segments", path_ + "/segments");
  if (!directory) return fail(directory.error());
  const std::string name = unused_name(
      directory->get(), fmt::format("cell{:04}-block{:04}", header.cell, header.block), ".bin");
  auto writer = SegmentWriter::create(directory->get(), name, header);
  if (!writer) return fail(writer.error());
  return std::pair{std::move(*writer), "segments/" + name};
}

Result<std::string> OutDir::write_samples(size_t cell, int block, const std::string& trace,
                                          std::span<const SampleRow> rows) const {
  auto directory = make_and_open(directory_.get(), "samples", path_ + "/samples");
  if (!directory) return fail(directory.error());
  const std::string name = unused_name(
      directory->get(), fmt::format("cell{:04}-block{:04}-{}", cell, block, trace), ".npy");
  if (Status written = gilscope::write_samples(directory->get(), name, rows); !written) {
    return fail(written.error());
  }
  return "samples/" + name;
}

}  // namespace gilscope
