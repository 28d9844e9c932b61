#include "userspace/experiment/plan/builtin.h"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "userspace/base/fd.h"
#include "userspace/base/quote.h"
#include "userspace/base/term.h"

namespace gilscope {
namespace {

struct Embedded {
  const char* name;
  const char* toml;
};
// Every file of builtin/, by name (Makefile).
constexpr Embedded kEmbedded[] = {
#include "userspace/experiment/builtin.inc"
};

constexpr size_t kMaxSpecBytes = 1 << 20;

Result<std::string> load_builtin(const std::string& name) {
  std::vector<std::string> names;
  for (const Builtin& builtin : builtin_specs()) {
    if (builtin.name == name) return builtin.toml;
    names.push_back(builtin.name);
  }
  const std::string near = nearest(name, names);
  return fail(fmt::format(
      "no built-in experiment is called {}{}: there are {} (a file's name has a '/' in it or ends "
      "in .toml)",
      in_quotes(name), near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near),
      fmt::join(names, ", ")));
}

// The path comes from the caller of a program that may run as root. So no link is followed, and
// only a regular file is read: a fifo or a device would block or have effects.
Result<std::string> load_file(const std::string& path) {
  const std::string name = in_quotes(path);
  const Fd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file) {
    if (errno == ELOOP) {
      return fail(fmt::format("{} is a symbolic link: name the spec file itself", name));
    }
    return fail_errno(fmt::format("cannot open the spec {}", name));
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return fail_errno(fmt::format("cannot read {}", name));
  if (!S_ISREG(status.st_mode)) return fail(fmt::format("{} is not a regular file", name));

  std::string text(kMaxSpecBytes + 1, '\0');
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(fmt::format("cannot read {}", name));
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  if (size > kMaxSpecBytes) {
    return fail(fmt::format("{} is larger than 1 MiB: that is no spec", name));
  }
  text.resize(size);
  return text;
}

}  // namespace

std::string spec_header(const std::string& toml, const std::string& key) {
  const std::string begin = "# " + key + ": ";
  for (size_t at = 0; at < toml.size() && toml[at] == '#';) {
    const size_t end = std::min(toml.find('\n', at), toml.size());
    const std::string line = toml.substr(at, end - at);
    if (line.starts_with(begin)) return line.substr(begin.size());
    at = end + 1;
  }
  return "";
}

const std::vector<Builtin>& builtin_specs() {
  static const std::vector<Builtin> specs = [] {
    std::vector<std::pair<uint64_t, Builtin>> placed;
    for (const auto& [name, toml] : kEmbedded) {
      const auto place = parse_count(spec_header(toml, "place"));
      placed.push_back({place ? *place : UINT64_MAX, {name, spec_header(toml, "summary"), toml}});
    }
    std::ranges::stable_sort(placed, {}, &std::pair<uint64_t, Builtin>::first);
    std::vector<Builtin> in_order;
    for (auto& [place, builtin] : placed) in_order.push_back(std::move(builtin));
    return in_order;
  }();
  return specs;
}

Result<std::pair<std::string, std::string>> load_spec_text(const std::string& name_or_path) {
  const bool is_path =
      name_or_path.find('/') != std::string::npos || name_or_path.ends_with(".toml");
  auto text = is_path ? load_file(name_or_path) : load_builtin(name_or_path);
  if (!text) return fail(text.error());
  return std::pair(std::move(*text), is_path ? name_or_path : "built-in " + name_or_path);
}

}  // namespace gilscope
