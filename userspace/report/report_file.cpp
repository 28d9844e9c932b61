#include "userspace/report/report_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <new>

#include "userspace/base/below.h"
#include "userspace/base/fd.h"
#include "userspace/base/file_io.h"
#include "userspace/base/output_file.h"
#include "userspace/base/quote.h"
#include "userspace/report/embedded_report.h"
#include "userspace/report/json.h"

namespace gilscope {
namespace {

constexpr size_t kMaxBytes = size_t{1} << 30;

Result<std::string> read_text(int fd, const std::string& path) {
  const std::string shown = printable(path);
  return read_to_end(fd, kMaxBytes, "cannot read " + shown,
                     shown + ": larger than 1 GiB, not a report");
}

}  // namespace

Result<std::string> read_report_text(const std::string& path) {
  std::string file = path;
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) file += "/report.json";
  Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_errno("cannot read " + printable(file));
  try {
    Result<std::string> text = read_text(fd.get(), file);
    if (!text || !is_page(*text)) return text;
    return unpack_report(*text, printable(file));
  } catch (const std::bad_alloc&) {
    return fail(printable(file) + ": too large for the memory of this machine");
  }
}

bool is_page_file(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return false;
  std::string start(kPageFirstLine.size(), '\0');
  const auto got = read_at(fd.get(), 0, start.data(), start.size(), "");
  return got && *got == start.size() && is_page(start);
}

Result<std::string> read_report_below(int directory, const std::string& path) {
  const std::string file = path + "/report.json";
  const auto fd = open_below(directory, "report.json", file);
  if (!fd) return fail(fd.error());
  try {
    Result<std::string> text = read_text(fd->get(), file);
    if (text && is_page(*text)) {
      return fail(Exit::no_data, printable(file) + ": a page and not the report itself");
    }
    return text;
  } catch (const std::bad_alloc&) {
    return fail(printable(file) + ": too large for the memory of this machine");
  }
}

Result<Report> read_report(const std::string& path) {
  const Result<std::string> text = read_report_text(path);
  if (!text) return fail(text.error());
  return from_json(*text, printable(path));
}

Status write_report(const Report& report, const std::string& path) {
  auto file = OutputFile::create(path);
  if (!file) return fail(file.error());
  if (Status s = file->write(to_json(report)); !s) return s;
  return file->finish();
}

}  // namespace gilscope
