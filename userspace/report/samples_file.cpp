#include "userspace/report/samples_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <charconv>

#include "userspace/base/fd.h"
#include "userspace/base/file_io.h"
#include "userspace/base/quote.h"

namespace gilscope {
namespace {

constexpr char kLittle = '<', kBig = '>';

// The header, magic included, is padded with spaces before its newline to a multiple of 64 bytes.
std::string header(size_t rows, char byte_order) {
  std::string text = fmt::format("{{'descr': '{}u8', 'fortran_order': False, 'shape': ({}, 3), }}",
                                 byte_order, rows);
  constexpr size_t kBefore = 10, kUnit = 64;
  const size_t unpadded = kBefore + text.size() + 1;
  text.append((kUnit - unpadded % kUnit) % kUnit, ' ');
  text += '\n';
  std::string out = {'\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0};
  out += static_cast<char>(text.size() & 0xff);
  out += static_cast<char>(text.size() >> 8);
  return out + text;
}

}  // namespace

Status write_samples(int directory, const std::string& name, std::span<const SampleRow> rows) {
  const Fd file(::openat(directory, name.c_str(),
                         O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file) return fail_errno(fmt::format("cannot make {}", in_quotes(name)));
  const std::string failure = fmt::format("cannot write {}", in_quotes(name));
  const char byte_order = std::endian::native == std::endian::little ? kLittle : kBig;
  if (Status s = write_all(file.get(), header(rows.size(), byte_order), failure); !s) return s;
  const std::string_view data(reinterpret_cast<const char*>(rows.data()), rows.size_bytes());
  if (Status s = write_all(file.get(), data, failure); !s) return s;
  if (::fsync(file.get())) return fail_errno(fmt::format("cannot sync {}", in_quotes(name)));
  return {};
}

Result<uint64_t> sample_count(int file, const std::string& origin) {
  const std::string what = in_quotes(origin);
  struct stat status {};
  if (::fstat(file, &status) != 0) return fail_errno(fmt::format("cannot read {}", what));
  // Longer than any header with these three columns and nothing else.
  std::string start(256, '\0');
  const auto got =
      read_at(file, 0, start.data(), start.size(), fmt::format("cannot read {}", what));
  if (!got) return fail(got.error());
  start.resize(*got);

  // Only headers as written here are accepted: all of it must follow from the number of rows.
  constexpr std::string_view kShape = "'shape': (";
  uint64_t rows = 0;
  const char* const end = start.data() + start.size();
  const size_t shape = start.find(kShape);
  const char* const digits = shape == start.npos ? end : start.data() + shape + kShape.size();
  const bool number = std::from_chars(digits, end, rows).ec == std::errc();
  const std::string ours = header(rows, kLittle);
  if (!number || (!start.starts_with(ours) && !start.starts_with(header(rows, kBig)))) {
    return fail(Exit::no_data, fmt::format("{} is not a file of samples", what));
  }
  const auto bytes = static_cast<uint64_t>(status.st_size) - ours.size();
  if (bytes % sizeof(SampleRow) != 0 || bytes / sizeof(SampleRow) != rows) {
    return fail(Exit::no_data,
                fmt::format("{} is truncated: it has {} bytes of samples, and says that it has {} "
                            "samples of {} bytes",
                            what, bytes, rows, sizeof(SampleRow)));
  }
  return rows;
}

}  // namespace gilscope
