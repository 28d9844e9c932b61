#include "tools/merge/reconcile.h"

#include <sys/stat.h>

#include <algorithm>

#include "tools/trace/run_trace.h"
#include "userspace/base/below.h"
#include "userspace/base/file_io.h"
#include "userspace/base/quote.h"

namespace gilscope {
namespace {

// The digest only makes the choice between two spellings of the same state deterministic.
bool before(const ReportCopy* a, const ReportCopy* b) {
  return std::tie(a->state, a->digest) < std::tie(b->state, b->digest);
}

Result<Fd> open_file(const ReportCopy& copy, const std::string& name) {
  const auto directory = TraceDirectory::of(copy.path);
  if (!directory) return fail(directory.error());
  return open_below(directory->fd(), name, copy.path + "/" + name);
}

Status expect_same(const ReportCopy& one, const ReportCopy& other, const std::string& name) {
  const auto here = open_file(one, name);
  if (!here) return fail(here.error());
  const auto there = open_file(other, name);
  if (!there) return fail(there.error());
  struct stat a {
  }, b{};
  const std::string path = one.path + "/" + name, other_path = other.path + "/" + name;
  if (::fstat(here->get(), &a) != 0 || ::fstat(there->get(), &b) != 0) {
    return fail_errno("cannot read " + in_quotes(path));
  }
  if (a.st_dev == b.st_dev && a.st_ino == b.st_ino) return {};
  const auto same =
      same_contents(here->get(), there->get(),
                    fmt::format("cannot read {} and {}", in_quotes(path), in_quotes(other_path)));
  if (!same) return fail(same.error());
  if (*same) return {};
  return fail(fmt::format("{} and {} belong to the same run but differ: leave one of them out",
                          in_quotes(path), in_quotes(other_path)));
}

Status expect_earlier(const ReportCopy& copy, const ReportCopy& latest, const std::string& text) {
  const auto other = text_of(copy);
  if (!other) return fail(other.error());
  const auto found = contradiction(*other, text);
  if (!found) return fail(found.error());
  if (!*found) return {};
  return fail(
      fmt::format("{} and {} have the same id, but neither continues the other: {}; leave one "
                  "of them out",
                  in_quotes(copy.report()), in_quotes(latest.report()), **found));
}

}  // namespace

Result<Reconciled> reconcile(const std::vector<const ReportCopy*>& copies) {
  Reconciled result;
  result.latest = *std::ranges::max_element(copies, before);
  const ReportCopy& latest = *result.latest;
  std::string text;
  for (const ReportCopy* copy : copies) {
    if (copy->digest == latest.digest) continue;
    if (text.empty()) {
      auto read = text_of(latest);
      if (!read) return fail(read.error());
      text = std::move(*read);
    }
    if (Status s = expect_earlier(*copy, latest, text); !s) return fail(s.error());
  }
  // The latest state names every file that an earlier one does.
  for (const ReportCopy* copy : copies) {
    for (const std::string& name : copy->files) {
      const auto [known, first] = result.files.emplace(name, copy);
      if (first) continue;
      if (Status s = expect_same(*known->second, *copy, name); !s) return fail(s.error());
    }
  }
  for (const std::string& name : latest.missing) {
    if (!result.files.contains(name)) result.missing.push_back(name);
  }
  return result;
}

}  // namespace gilscope
