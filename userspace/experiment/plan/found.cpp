#include "userspace/experiment/plan/found.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <optional>
#include <set>

#include "userspace/base/fd.h"
#include "userspace/base/natural_order.h"
#include "userspace/base/quote.h"
#include "userspace/descriptor/program.h"
#include "userspace/machine/machine.h"

namespace gilscope {
namespace {

std::vector<std::string> split(const char* text, char separator) {
  std::vector<std::string> parts;
  std::string_view rest = text == nullptr ? "" : text;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(separator), rest.size());
    if (end > 0) parts.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return parts;
}

// "python3.11", "pypy3", "ruby3.1", "jython"; free-threaded builds end in a t.
std::optional<FoundInterpreter> named_as_one(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  for (const std::string& kind : interpreter_kinds()) {
    if (!name.starts_with(kind)) continue;
    std::string version = name.substr(kind.size());
    if (version.ends_with('t')) version.pop_back();
    if (version.find_first_not_of("0123456789.") != version.npos) continue;
    return FoundInterpreter{kind, version, path};
  }
  return {};
}

std::string real_path(const std::string& path) {
  char resolved[PATH_MAX];
  return ::realpath(path.c_str(), resolved) == nullptr ? path : resolved;
}

// pyenv's shims are scripts with an interpreter's name; Debian's Jython is one by right.
bool is_shim(const FoundInterpreter& one) {
  const Fd file(::open(one.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  char begin[2] = {};
  return one.kind != "jython" && ::read(file.get(), begin, sizeof(begin)) == 2 && begin[0] == '#' &&
         begin[1] == '!';
}

std::vector<std::string> candidates() {
  std::vector<std::string> paths;
  std::vector<std::string> directories = split(std::getenv("PATH"), ':');
  for (const char* known : {"/usr/bin", "/usr/local/bin"}) directories.emplace_back(known);
  const Machine machine;
  if (const char* home = std::getenv("HOME")) {
    const std::string versions = std::string(home) + "/.pyenv/versions";
    for (const std::string& name : machine.names(versions).value_or(std::vector<std::string>())) {
      directories.push_back(fmt::format("{}/{}/bin", versions, name));
    }
  }
  for (const std::string& directory : directories) {
    if (!directory.starts_with('/')) continue;
    for (const std::string& kind : interpreter_kinds()) {
      const auto names = machine.names(directory, kind);
      if (!names) continue;
      for (const std::string& name : *names) paths.push_back(directory + "/" + name);
    }
  }
  for (std::string& path : split(std::getenv("GILSCOPE_INTERPRETERS"), ':')) {
    paths.push_back(std::move(path));
  }
  return paths;
}

}  // namespace

std::vector<FoundInterpreter> found_interpreters() {
  std::vector<FoundInterpreter> found;
  std::set<std::string> files;
  std::vector<FoundInterpreter> named;
  for (const std::string& path : candidates()) {
    // A path of a root of its own may be a link that leads nowhere here.
    const bool there = ::access(path.c_str(), X_OK) == 0 || real_path(path) == path;
    auto one = named_as_one(path);
    if (one && there && !is_shim(*one)) named.push_back(std::move(*one));
  }
  // Of two names of a file the one with the longer version says more.
  std::ranges::stable_sort(named, std::greater<>(),
                           [](const FoundInterpreter& one) { return one.version.size(); });
  for (FoundInterpreter& one : named) {
    if (files.insert(real_path(one.path)).second) found.push_back(std::move(one));
  }
  const auto& kinds = interpreter_kinds();
  std::ranges::stable_sort(found, [&](const FoundInterpreter& a, const FoundInterpreter& b) {
    const auto place = [&](const FoundInterpreter& of) {
      return std::ranges::find(kinds, of.kind);
    };
    if (a.kind != b.kind) return place(a) < place(b);
    return naturally_less(a.version, b.version);
  });
  return found;
}

std::vector<std::string> with_found(const std::vector<std::string>& policies,
                                    std::vector<std::string>& missing) {
  std::vector<std::string> all;
  std::optional<std::vector<FoundInterpreter>> found;
  for (const std::string& policy : policies) {
    if (!policy.starts_with(kFoundPrefix)) {
      all.push_back(policy);
      continue;
    }
    if (!found) found = found_interpreters();
    const std::string wanted = policy.substr(kFoundPrefix.size());
    const auto one = std::ranges::find_if(*found, [&](const FoundInterpreter& each) {
      const std::string name = each.kind + each.version;
      return each.kind == wanted || name == wanted || name.starts_with(wanted + ".");
    });
    if (one == found->end()) {
      missing.push_back(wanted);
    } else if (std::ranges::find(all, one->policy()) == all.end()) {
      all.push_back(one->policy());
    }
  }
  return all;
}

std::string how_to_get(const std::string& name) {
  return fmt::format(
      "no {} was found here, and the experiment goes without it: "
      "scripts/fetch-interpreters gets one, and GILSCOPE_INTERPRETERS names where "
      "interpreters are",
      printable(name));
}

}  // namespace gilscope
