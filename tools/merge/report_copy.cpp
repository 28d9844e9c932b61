#include "tools/merge/report_copy.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "tools/trace/run_trace.h"
#include "userspace/base/below.h"
#include "userspace/base/digest.h"
#include "userspace/base/natural_order.h"
#include "userspace/base/quote.h"
#include "userspace/base/uuid.h"
#include "userspace/report/json.h"
#include "userspace/report/report_file.h"
#include "userspace/report/samples_file.h"

namespace gilscope {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxDepth = 8;

std::string machine_of(const Report& report) {
  for (const Fact& fact : report.environment) {
    const auto* name = std::get_if<std::string>(&fact.value);
    if (fact.key == "host.name" && name) return *name;
  }
  return "";
}

// False if the file does not exist; fails if that cannot be found out.
Result<bool> is_there(const TraceDirectory& directory, const std::string& name) {
  if (::faccessat(directory.fd(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) return true;
  if (errno == ENOENT) return false;
  return fail_errno("cannot open " + in_quotes(directory.path() + "/" + name));
}

Status check_samples(const TraceDirectory& directory, const Run& run) {
  const std::string origin = directory.path() + "/" + run.samples_file;
  auto file = open_below(directory.fd(), run.samples_file, origin);
  if (!file) return fail(file.error());
  auto rows = sample_count(file->get(), origin);
  if (!rows) return fail(rows.error());
  const auto recorded = run.workload.find("latency_samples");
  if (recorded != run.workload.end() && recorded->second != static_cast<double>(*rows)) {
    return fail(Exit::no_data, fmt::format("{} holds {} samples, but the report says {}: it is "
                                           "not this run's",
                                           in_quotes(origin), *rows, recorded->second));
  }
  return {};
}

class FilesOf {
 public:
  FilesOf(const TraceDirectory& directory, ReportCopy& copy) : directory_(directory), copy_(copy) {}

  // `check` verifies that an existing file is what the report says.
  template <typename Check>
  Status take(const std::string& name, Check check) {
    if (name.empty()) return {};
    if (!stays_below(name)) {
      return fail(Exit::no_data, fmt::format("{} names the file {}, which is not beside it",
                                             in_quotes(copy_.report()), in_quotes(name)));
    }
    const auto there = is_there(directory_, name);
    if (!there) return fail(there.error());
    if (seen_.insert(name).second) {
      (*there ? copy_.files : copy_.missing).push_back(name);
    }
    return *there ? check() : Status();
  }

 private:
  const TraceDirectory& directory_;
  ReportCopy& copy_;
  std::set<std::string> seen_;
};

Status search(const std::string& path, int depth, std::vector<std::string>& found,
              std::vector<std::string>& links) {
  std::error_code error;
  if (fs::symlink_status(path + "/report.json", error).type() != fs::file_type::not_found) {
    found.push_back(path);
    return {};
  }
  std::vector<std::string> below;
  auto entry = fs::directory_iterator(path, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(".")) continue;
    std::error_code dangling;
    if (entry->is_symlink(error)) {
      if (entry->is_directory(dangling)) links.push_back(path + "/" + name);
    } else if (entry->is_directory(error)) {
      below.push_back(path + "/" + name);
    }
  }
  if (error) return fail(fmt::format("cannot read {}: {}", in_quotes(path), error.message()));
  if (!below.empty() && depth == kMaxDepth) {
    return fail(
        fmt::format("{} nests directories more than {} deep: name those with reports in "
                    "them",
                    in_quotes(path), kMaxDepth));
  }
  std::ranges::sort(below, naturally_less);  // block10 after block9
  for (const std::string& directory : below) {
    if (Status s = search(directory, depth + 1, found, links); !s) return s;
  }
  return {};
}

}  // namespace

Result<ReportCopy> inspect_copy(const std::string& path) {
  const auto directory = TraceDirectory::of(path);
  if (!directory) return fail(directory.error());
  const auto text = read_report_below(directory->fd(), path);
  if (!text) return fail(text.error());
  ReportCopy copy;
  copy.path = path;
  const auto report = from_json(*text, printable(copy.report()));
  if (!report) return fail(report.error());
  if (!is_uuid(report->id)) {
    return fail(Exit::no_data, fmt::format("{}: its id {} is not a UUID", printable(copy.report()),
                                           in_quotes(report->id)));
  }
  copy.id = report->id;
  copy.digest = sha256(*text);
  copy.machine = machine_of(*report);
  copy.state = state_of(*report);
  FilesOf files(*directory, copy);
  for (const Cell& cell : report->cells) {
    for (const Run& run : cell.runs) {
      const auto segments = [&]() -> Status {
        auto reader = open_segments(*directory, *report, cell, run);
        if (!reader) return fail(reader.error());
        return {};
      };
      if (Status s = files.take(run.segments_file, segments); !s) return fail(s.error());
      const auto samples = [&] { return check_samples(*directory, run); };
      if (Status s = files.take(run.samples_file, samples); !s) return fail(s.error());
    }
  }
  return copy;
}

Result<std::string> text_of(const ReportCopy& copy) {
  const auto directory = TraceDirectory::of(copy.path);
  if (!directory) return fail(directory.error());
  auto text = read_report_below(directory->fd(), copy.path);
  if (text && sha256(*text) != copy.digest) {
    return fail(fmt::format(
        "{} changed while it was being merged: merge again when its experiment has ended",
        in_quotes(copy.report())));
  }
  return text;
}

Result<std::vector<std::string>> find_reports(const std::string& path,
                                              std::vector<std::string>& links) {
  std::vector<std::string> found;
  if (Status s = search(path, 0, found, links); !s) return fail(s.error());
  return found;
}

}  // namespace gilscope
