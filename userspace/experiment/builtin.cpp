#include "userspace/experiment/builtin.h"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string_view>

#include "userspace/util/fd.h"
#include "userspace/util/quote.h"
#include "userspace/util/term.h"

namespace gilscope {
namespace {

constexpr std::string_view kDemo =
#include "userspace/experiment/builtin/demo.toml.inc"
    ;
constexpr std::string_view kSeedCount =
#include "userspace/experiment/builtin/seed-count.toml.inc"
    ;
constexpr std::string_view kCpuScaling =
#include "userspace/experiment/builtin/cpu-scaling.toml.inc"
    ;
constexpr std::string_view kConvoy =
#include "userspace/experiment/builtin/convoy.toml.inc"
    ;
constexpr std::string_view kCcbench =
#include "userspace/experiment/builtin/ccbench.toml.inc"
    ;
constexpr std::string_view kPolicies =
#include "userspace/experiment/builtin/policies.toml.inc"
    ;
constexpr std::string_view kIntervalSweep =
#include "userspace/experiment/builtin/interval-sweep.toml.inc"
    ;
constexpr std::string_view kKernels =
#include "userspace/experiment/builtin/kernels.toml.inc"
    ;

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

// The path comes from whoever called a program that runs as root: no link is followed, and nothing
// but a regular file is read (a fifo or a device would block, or have effects).
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

const std::vector<Builtin>& builtin_specs() {
  static const std::vector<Builtin> specs = {
      {"demo", "two threads count under three GILs, in sequence and together, on 1 CPU and on all",
       std::string(kDemo)},
      {"seed-count",
       "the article's own: two threads count to 100 million each, and whether it was so",
       std::string(kSeedCount)},
      {"cpu-scaling", "counting under every GIL, on 1 CPU up to all, with 1 and 2 threads a CPU",
       std::string(kCpuScaling)},
      {"convoy", "short I/O beside threads that compute, under most GILs", std::string(kConvoy)},
      {"ccbench", "CPython's ccbench: throughput, latency and bandwidth by task",
       std::string(kCcbench)},
      {"policies", "every GIL, on counting and on answering requests", std::string(kPolicies)},
      {"interval-sweep", "requests answered beside a thread that computes, by interval",
       std::string(kIntervalSweep)},
      {"kernels", "what kernels differ in, one block short enough for an emulated guest",
       std::string(kKernels)},
  };
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
