#include "userspace/report/samples_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <bit>

#include "userspace/util/fd.h"
#include "userspace/util/quote.h"

namespace gilscope {
namespace {

// The header's length, magic and all, is a multiple of 64, padded with spaces before the newline.
std::string header(size_t rows) {
  std::string text = fmt::format("{{'descr': '{}u8', 'fortran_order': False, 'shape': ({}, 3), }}",
                                 std::endian::native == std::endian::little ? '<' : '>', rows);
  constexpr size_t kBefore = 10, kUnit = 64;
  const size_t unpadded = kBefore + text.size() + 1;
  text.append((kUnit - unpadded % kUnit) % kUnit, ' ');
  text += '\n';
  std::string out = {'\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0};
  out += static_cast<char>(text.size() & 0xff);
  out += static_cast<char>(text.size() >> 8);
  return out + text;
}

Status append(int file, const std::string& name, const char* data, size_t bytes) {
  while (bytes > 0) {
    const ssize_t written = ::write(file, data, bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno(fmt::format("cannot write {}", in_quotes(name)));
    data += written;
    bytes -= static_cast<size_t>(written);
  }
  return {};
}

}  // namespace

Status write_samples(int directory, const std::string& name, std::span<const SampleRow> rows) {
  const Fd file(::openat(directory, name.c_str(),
                         O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file) return fail_errno(fmt::format("cannot make {}", in_quotes(name)));
  const std::string head = header(rows.size());
  if (Status s = append(file.get(), name, head.data(), head.size()); !s) return s;
  if (Status s =
          append(file.get(), name, reinterpret_cast<const char*>(rows.data()), rows.size_bytes());
      !s) {
    return s;
  }
  if (::fsync(file.get())) return fail_errno(fmt::format("cannot sync {}", in_quotes(name)));
  return {};
}

}  // namespace gilscope
