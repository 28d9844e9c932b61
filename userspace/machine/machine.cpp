#include "userspace/machine/machine.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <system_error>
#include <utility>

#include "userspace/base/fd.h"
#include "userspace/base/natural_order.h"

namespace gilscope {
namespace {

// Far more than the largest of these files (a kernel's configuration has 300 KB).
constexpr size_t kMaxBytes = 4 << 20;

constexpr std::string_view kSpace = " \t\r\n";

}  // namespace

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(kSpace);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::optional<int64_t> to_number(std::string_view text) {
  text = trimmed(text);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  while (true) {
    const size_t first = text.find_first_not_of(kSpace);
    if (first == text.npos) return out;
    text.remove_prefix(first);
    const size_t end = std::min(text.find_first_of(kSpace), text.size());
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

std::vector<std::string> lines(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::optional<std::string> value_of(std::string_view text, std::string_view key, char separator) {
  for (const std::string& line : lines(text)) {
    const size_t at = line.find(separator);
    if (at == line.npos || trimmed(std::string_view(line).substr(0, at)) != key) continue;
    return std::string(trimmed(std::string_view(line).substr(at + 1)));
  }
  return {};
}

Machine::Machine(std::string root) : root_(std::move(root)) {
  while (root_.ends_with('/')) root_.pop_back();
}

Result<std::string> Machine::bytes(const std::string& path) const {
  // O_NONBLOCK, so that a FIFO without a writer does not block.
  const Fd file(::open(at(path).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return fail_errno(path);
  std::string text;
  std::array<char, 16384> buffer;
  while (text.size() < kMaxBytes) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(path);
    if (got == 0) break;
    text.append(buffer.data(), static_cast<size_t>(got));
  }
  return text;
}

Result<std::string> Machine::text(const std::string& path) const {
  auto text = bytes(path);
  if (text) text->resize(text->find_last_not_of(std::string(kSpace) + '\0') + 1);
  return text;
}

Result<std::string> Machine::line(const std::string& path) const {
  auto whole = text(path);
  if (!whole) return whole;
  return std::string(trimmed(std::string_view(*whole).substr(0, whole->find('\n'))));
}

Result<int64_t> Machine::number(const std::string& path) const {
  const auto whole = text(path);
  if (!whole) return fail(whole.error());
  const auto number = to_number(*whole);
  if (!number) return fail(path + ": not a number");
  return *number;
}

Result<std::string> Machine::unzipped(const std::string& path) const {
  gzFile file = ::gzopen(at(path).c_str(), "rbe");
  if (file == nullptr) return fail_errno(path);
  std::string text;
  std::array<char, 16384> buffer;
  int got = 0;
  while (text.size() < kMaxBytes && (got = ::gzread(file, buffer.data(), buffer.size())) > 0) {
    text.append(buffer.data(), static_cast<size_t>(got));
  }
  ::gzclose(file);
  if (got < 0) return fail(path + ": cannot be decompressed");
  return text;
}

Result<std::string> Machine::link(const std::string& path) const {
  std::array<char, 4096> buffer;
  const ssize_t got = ::readlink(at(path).c_str(), buffer.data(), buffer.size());
  if (got < 0) return fail_errno(path);
  return std::string(buffer.data(), static_cast<size_t>(got));
}

Result<std::vector<std::string>> Machine::names(const std::string& path,
                                                std::string_view prefix) const {
  std::error_code error;
  std::vector<std::string> out;
  std::filesystem::directory_iterator entry(at(path), error);
  while (!error && entry != std::filesystem::directory_iterator()) {
    std::string name = entry->path().filename();
    if (name.starts_with(prefix)) out.push_back(std::move(name));
    entry.increment(error);
  }
  if (error) return fail(fmt::format("{}: {}", path, error.message()));
  std::sort(out.begin(), out.end(), naturally_less);  // cpu10 after cpu9
  return out;
}

bool Machine::exists(const std::string& path) const {
  return ::access(at(path).c_str(), F_OK) == 0;
}

}  // namespace gilscope
