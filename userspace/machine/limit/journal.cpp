#include "userspace/machine/limit/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "userspace/base/file_io.h"
#include "userspace/base/quote.h"
#include "userspace/base/refusal.h"
#include "userspace/base/uuid.h"
#include "userspace/machine/machine.h"

namespace gilscope {
namespace {

constexpr std::string_view kFormat = "gilscope journal 1";
constexpr std::string_view kBoot = "boot ";
constexpr size_t kMaxBytes = size_t{16} << 20;

}  // namespace

Result<JournalText> parse_journal(std::string_view text) {
  JournalText journal;
  text = text.substr(0, text.rfind('\n') + 1);  // npos + 1 is 0: nothing
  size_t number = 0;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() + 1);
    ++number;
    if (number == 1 && line != kFormat) {
      return fail(fmt::format("line 1 is {} instead of '{}'", in_quotes(line), kFormat));
    }
    if (number == 2) {
      if (!line.starts_with(kBoot) || !is_uuid(line.substr(kBoot.size()))) {
        return fail(fmt::format("line 2 is {}, which names no boot", in_quotes(line)));
      }
      journal.boot = line.substr(kBoot.size());
    }
    if (number < 3) continue;
    auto change = parse_change(line);
    if (!change) return fail(fmt::format("line {}: {}", number, change.error().message));
    journal.changes.push_back(std::move(*change));
  }
  return journal;
}

Result<std::string> this_boot() {
  auto boot = Machine().line("/proc/sys/kernel/random/boot_id");
  if (!boot) return fail("cannot read /proc/sys/kernel/random/boot_id: is /proc mounted?");
  return boot;
}

Result<Journal> Journal::open(const std::string& directory) {
  Journal journal;
  journal.path_ = directory + "/journal";
  auto boot = this_boot();
  if (!boot) return fail(boot.error());
  journal.this_boot_ = *boot;
  auto opened = open_state_directory(directory);
  if (!opened) return fail(opened.error());
  journal.directory_ = std::move(*opened);
  if (::faccessat(journal.directory_.get(), "journal", F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
    return journal;
  }
  auto file = open_state_file(journal.directory_, "journal", O_RDWR | O_APPEND, journal.path_);
  if (!file) return fail(file.error());
  journal.exists_ = true;
  const std::string shown = printable(journal.path_);
  auto text = read_to_end(file->get(), kMaxBytes, "cannot read " + shown,
                          shown + " is too large to be a journal");
  if (!text) return fail(text.error().message);
  auto parsed = parse_journal(*text);
  if (!parsed) {
    return fail(fmt::format(
        "{}: {}: nothing was undone; read the file, restore the machine by hand, remove the file",
        journal.path_, parsed.error().message));
  }
  journal.boot_ = parsed->boot;
  journal.changes_ = std::move(parsed->changes);
  return journal;
}

Status Journal::append(const std::string& text) {
  // In one write, so that a process killed in it leaves at most one line without an end. Where the
  // kernel takes a part, the next write says why.
  for (std::string_view rest = text; !rest.empty();) {
    const ssize_t written = ::write(file_.get(), rest.data(), rest.size());
    if (written < 0) return refused("cannot write " + path_, errno);
    rest.remove_prefix(static_cast<size_t>(written));
  }
  if (::fsync(file_.get()) != 0) return fail_errno("cannot sync " + path_);
  return {};
}

Status Journal::add(const Change& change) {
  if (auto same = parse_change(to_line(change)); !same) return fail(same.error());
  if (!file_) {
    auto file =
        open_state_file(directory_, "journal", O_WRONLY | O_CREAT | O_EXCL | O_APPEND, path_);
    if (!file) return fail(file.error());
    file_ = std::move(*file);
    exists_ = true;
    boot_ = this_boot_;
    if (Status s = append(fmt::format("{}\n{}{}\n", kFormat, kBoot, boot_)); !s) return s;
    if (::fsync(directory_.get()) != 0) return fail_errno("cannot sync the directory of " + path_);
  }
  if (Status s = append(to_line(change) + "\n"); !s) return s;
  changes_.push_back(change);
  return {};
}

Status Journal::clear() {
  if (::unlinkat(directory_.get(), "journal", 0) != 0 && errno != ENOENT) {
    return fail_errno("cannot remove " + path_);
  }
  if (::fsync(directory_.get()) != 0) return fail_errno("cannot sync the directory of " + path_);
  file_ = Fd();
  exists_ = false;
  changes_.clear();
  return {};
}

Status refuse_leftovers(const std::string& directory) {
  if (::faccessat(AT_FDCWD, (directory + "/journal").c_str(), F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
    return {};
  }
  return fail(fmt::format(
      "an interrupted run left this machine changed ({}/journal): undo it with `gilscope restore`",
      directory));
}

}  // namespace gilscope
