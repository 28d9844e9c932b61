#include "userspace/cli/recording.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <utility>

#include "userspace/base/kernel_time.h"
#include "userspace/base/output.h"
#include "userspace/base/quote.h"
#include "userspace/base/refusal.h"
#include "userspace/base/time.h"
#include "userspace/machine/features/features.h"
#include "userspace/recording/window.h"
#include "userspace/report/json.h"

namespace gilscope {

void add_lock_flag(Command& command, std::optional<LockName>& into) {
  command
      .option(
          "--lock",
          [&into](const std::string& text) -> Status {
            auto lock = parse_lock(text);
            if (!lock) return fail(lock.error());
            into = std::move(*lock);
            return {};
          },
          "report this lock in place of the GIL: mutex@SYMBOL, mutex@0xADDRESS or mutex:auto; "
          "likewise rwlock@... and cond@...")
      .value_kind("LOCK");
}

void add_recording_flags(Command& command, RecordingFlags& flags,
                         const std::string& what_for_does) {
  command
      .option(
          "--for",
          [&flags](const std::string& text) -> Status {
            flags.endless = flags.may_be_endless && text == "0";
            if (flags.endless) return {};
            const auto ns = parse_window_ns(text);
            if (!ns) return fail(ns.error());
            flags.for_ns = *ns;
            return {};
          },
          what_for_does)
      .value_kind("TIME");
  command.option("--out", flags.out, "directory for report.json and the segments")
      .value_kind("DIR");
  add_lock_flag(command, flags.lock);
  command.option("--trace", flags.trace, "full or counters").one_of({"full", "counters"});
  command.flag("--quiet", flags.quiet, "print no messages but errors");
  const Option json = command.flag("--json", flags.json, "print the report as JSON");
  command.flag("--all", flags.all, "print every table, and not only one screen").excludes(json);
}

Status require_recording() {
  if (Status there = require_proc(); !there) return there;
  if (Status there = require_sys(); !there) return there;
  if (auto offset = time_namespace_offset_ns(); !offset) return fail(offset.error());
  return require_tracing();
}

Result<ChildOptions> command_options() {
  if (Status there = require_proc(); !there) return fail(there.error());
  ChildOptions options;
  auto inherited = Inherited::look();
  if (!inherited) return fail(inherited.error());
  options.inherited = std::move(*inherited);
  if (Status able = require_recording(); !able) return fail(able.error());
  auto user = user_of_sudo();
  if (!user) return fail(user.error());
  options.user = std::move(*user);
  return options;
}

Result<RecordingDir> RecordingDir::open(const RecordingFlags& flags) {
  RecordingDir dir;
  if (flags.out.empty()) {
    std::string path = "/tmp/gilscope-XXXXXX";
    if (!::mkdtemp(path.data())) return fail_errno("cannot make a directory in /tmp");
    auto out = OutDir::open(path);
    if (!out) return fail(out.error());
    dir.directory_ = std::move(*out);
    dir.temporary_ = true;
    return dir;
  }
  dir.made_ = ::access(flags.out.c_str(), F_OK) != 0;
  auto out = OutDir::open(flags.out);
  if (!out) return fail(out.error());
  if (out->earlier()) {
    return fail(fmt::format("{} already holds a report: give --out another directory",
                            in_quotes(flags.out)));
  }
  dir.directory_ = std::move(*out);
  return dir;
}

RecordingDir::RecordingDir(RecordingDir&& other) noexcept
    : directory_(std::exchange(other.directory_, std::nullopt)),
      made_(other.made_),
      temporary_(other.temporary_) {}

RecordingDir::~RecordingDir() {
  if (directory_ && temporary_) {
    std::error_code ignored;  // what is left of it is in the way of nobody
    std::filesystem::remove_all(directory_->path(), ignored);
    return;
  }
  // Only an empty directory can be removed so.
  if (directory_ && made_) ::rmdir(directory_->path().c_str());
}

Status print_recording(const Recorder& recorder, const Report& report, const RecordingFlags& flags,
                       const RecordingDir& dir, const ReportPrinter& print) {
  const std::string why_not = recorder.why_not_found();
  if (report.cells.empty() && flags.lock) {
    return fail(Exit::no_data, "the lock was not found in time: " +
                                   (why_not.empty() ? "no process ran long enough" : why_not));
  }
  if (report.cells.empty() && !why_not.empty()) {
    return fail("an interpreter ran, but its GIL was not found in time: " + why_not);
  }
  if (report.cells.empty()) {
    return fail(
        "no interpreter was seen (CPython, PyPy, Ruby or Jython), so there is nothing to report");
  }
  const Status printed = flags.json ? write_output(to_json(report) + "\n")
                                    : print(report, dir.path(), dir.kept_as(), flags.all);
  if (!printed) return printed;
  if (!flags.quiet && !dir.kept_as().empty()) {
    write_message(fmt::format("report: {}/report.json\n", dir.path()));
  }
  return {};
}

RecordingWatch::RecordingWatch(Recorder& recorder, Interrupt& interrupt, int process,
                               std::optional<uint64_t> for_ns)
    : recorder_(&recorder), interrupt_(interrupt), process_(process) {
  if (for_ns) deadline_ns_ = monotonic_ns() + *for_ns;
}

int RecordingWatch::timeout_ms() const {
  if (recorder_ == nullptr) return -1;
  int timeout = recorder_->timeout_ms();
  if (deadline_ns_) {
    const uint64_t now = monotonic_ns();
    // Rounded up, so as not to poll again and again within the last millisecond.
    const uint64_t left = *deadline_ns_ > now ? (*deadline_ns_ - now + 999'999) / 1'000'000 : 0;
    const int left_ms = static_cast<int>(
        std::min<uint64_t>(left, static_cast<uint64_t>(std::numeric_limits<int>::max())));
    timeout = timeout < 0 ? left_ms : std::min(timeout, left_ms);
  }
  return timeout;
}

Result<RecordingWatch::Event> RecordingWatch::next() {
  for (;;) {
    std::vector<pollfd> fds = {{process_, POLLIN, 0}, {interrupt_.fd(), POLLIN, 0}};
    if (recorder_ != nullptr) {
      for (const int fd : recorder_->fds()) fds.push_back({fd, POLLIN, 0});
    }
    if (::poll(fds.data(), fds.size(), timeout_ms()) < 0 && errno != EINTR) {
      return fail_errno("poll");
    }
    if (recorder_ != nullptr) {
      if (Status taken = recorder_->step(); !taken) return fail(taken.error());
    }
    if (process_ >= 0 && fds[0].revents != 0) {
      process_ = -1;
      ended_ = true;
      return Event::ended;
    }
    if (const auto arrived = interrupt_.next()) {
      signal_ = *arrived;
      return Event::signal;
    }
    if (recorder_ == nullptr) continue;
    if (deadline_ns_ && monotonic_ns() >= *deadline_ns_) return Event::time_over;
    if (ended_ && recorder_->processes() == 0) return Event::all_gone;
  }
}

}  // namespace gilscope
