#include "tools/merge/merged_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <filesystem>

#include "tools/merge/staging.h"
#include "tools/trace/run_trace.h"
#include "userspace/base/below.h"
#include "userspace/base/file_io.h"
#include "userspace/base/quote.h"

namespace gilscope {
namespace {

namespace fs = std::filesystem;

// Whether the directory has no visible entries.
Result<bool> shows_nothing(const std::string& path) {
  std::error_code error;
  auto entry = fs::directory_iterator(path, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (!entry->path().filename().string().starts_with(".")) return false;
  }
  if (error) return fail(fmt::format("cannot read {}: {}", in_quotes(path), error.message()));
  return true;
}

Status copy_file(const ReportCopy& from, const std::string& name, Staging& to) {
  const auto directory = TraceDirectory::of(from.path);
  if (!directory) return fail(directory.error());
  const std::string origin = from.path + "/" + name;
  const auto file = open_below(directory->fd(), name, origin);
  if (!file) return fail(file.error());
  return to.copy(name, file->get(), origin);
}

// Fails if the report's directory has a different file of this name. An interrupted update may have
// left a file that the report does not name yet; it must equal the one to be added now.
Status expect_no_other(int mine, const std::string& mine_path, const Staging& staged,
                       const std::string& name) {
  if (::faccessat(mine, name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? Status()
                           : fail_errno("cannot open " + in_quotes(mine_path + "/" + name));
  }
  const auto there = open_below(mine, name, mine_path + "/" + name);
  if (!there) return fail(there.error());
  const auto ours = open_below(staged.fd(), name, staged.path() + "/" + name);
  if (!ours) return fail(ours.error());
  const std::string shown = in_quotes(mine_path + "/" + name);
  const auto same = same_contents(there->get(), ours->get(), "cannot read " + shown);
  if (!same) return fail(same.error());
  if (*same) return {};
  return fail(shown +
              " exists, but its report does not name it, and it differs from the file to be "
              "written there: move it away");
}

}  // namespace

Result<MergedDirectory> MergedDirectory::open(const std::string& path) {
  MergedDirectory merged;
  merged.path_ = path;
  merged.made_ = ::mkdir(path.c_str(), 0755) == 0;
  if (!merged.made_ && errno != EEXIST) {
    return fail_errno("cannot create the directory " + in_quotes(path));
  }
  merged.directory_ = Fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!merged.directory_) {
    if (errno == ELOOP || errno == ENOTDIR) {
      return fail(in_quotes(path) +
                  " is a file or a symbolic link: give -o a directory of its own");
    }
    return fail_errno("cannot open the directory " + in_quotes(path));
  }
  if (::flock(merged.directory_.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail("another gilscope is writing to " + in_quotes(path) +
                ": give -o another directory");
  }
  if (Status s = merged.scan(); !s) return fail(s.error());
  return merged;
}

MergedDirectory::MergedDirectory(MergedDirectory&& other) noexcept
    : path_(std::move(other.path_)),
      directory_(std::move(other.directory_)),
      made_(std::exchange(other.made_, false)),
      copies_(std::move(other.copies_)) {}

MergedDirectory::~MergedDirectory() {
  if (made_) ::rmdir(path_.c_str());  // fails unless it is empty
}

Status MergedDirectory::scan() {
  std::vector<std::string> links;
  const auto reports = find_reports(path_, links);
  if (!reports) return fail(reports.error());
  for (const std::string& report : *reports) {
    auto copy = inspect_copy(report);
    if (!copy) return fail(copy.error());
    if (report != path_ + "/" + copy->id) {
      return fail(
          fmt::format("{} was not made by merge: it holds the report {} as {}; give -o a "
                      "directory of its own",
                      in_quotes(path_), copy->id, in_quotes(report)));
    }
    copies_.push_back(std::move(*copy));
  }
  if (!copies_.empty()) return {};
  const auto empty = shows_nothing(path_);
  if (!empty) return fail(empty.error());
  if (*empty) return {};
  return fail(fmt::format("{} is not empty and holds no reports: give -o a directory of its own",
                          in_quotes(path_)));
}

Status MergedDirectory::add(const Reconciled& report) {
  auto staging = Staging::begin(directory_.get(), path_);
  if (!staging) return fail(staging.error());
  for (const auto& [name, copy] : report.files) {
    if (Status s = copy_file(*copy, name, *staging); !s) return s;
  }
  const auto text = text_of(*report.latest);
  if (!text) return fail(text.error());
  if (Status s = staging->put("report.json", *text); !s) return s;
  return staging->rename_to(report.latest->id);
}

Status MergedDirectory::update(const ReportCopy& mine, const Reconciled& report) {
  auto staging = Staging::begin(directory_.get(), path_);
  if (!staging) return fail(staging.error());
  const auto directory = open_directory_below(directory_.get(), mine.id, mine.path);
  if (!directory) return fail(directory.error());
  // Copies everything before moving anything, so that a full disk changes nothing.
  std::vector<std::string> added;
  for (const auto& [name, copy] : report.files) {
    if (copy == &mine) continue;
    if (Status s = copy_file(*copy, name, *staging); !s) return s;
    if (Status s = expect_no_other(directory->get(), mine.path, *staging, name); !s) return s;
    added.push_back(name);
  }
  const bool later = report.latest->digest != mine.digest;
  if (later) {
    const auto text = text_of(*report.latest);
    if (!text) return fail(text.error());
    if (Status s = staging->put("report.json", *text); !s) return s;
    added.push_back("report.json");
  }
  for (const std::string& name : added) {
    if (Status s = staging->move(name, directory->get(), mine.path); !s) return s;
  }
  return {};
}

}  // namespace gilscope
