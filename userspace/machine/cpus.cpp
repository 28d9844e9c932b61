#include "userspace/machine/cpus.h"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>

#include "userspace/base/quote.h"
#include "userspace/base/refusal.h"
#include "userspace/base/term.h"
#include "userspace/machine/cpu_list.h"

namespace gilscope {
namespace {

constexpr std::string_view kListPrefix = "cpu:";

std::optional<int> to_int(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

std::optional<std::string> read_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  if (!file || !std::getline(file, line)) return {};
  return line;
}

std::optional<int> read_int(const std::filesystem::path& path) {
  const auto line = read_line(path);
  return line ? to_int(*line) : std::nullopt;
}

// A CPU's directory has a link named after its node; without NUMA there is no such link.
int read_node(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::directory_iterator entry(directory, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename();
    const auto node = name.starts_with("node") ? to_int(name.substr(4)) : std::nullopt;
    if (node && *node >= 0) return *node;
  }
  return 0;
}

Cpu read_cpu(const std::filesystem::path& directory, int id) {
  Cpu cpu;
  cpu.id = id;
  // A CPU that cannot go offline (often CPU 0) has no `online` file.
  cpu.online = read_int(directory / "online").value_or(1) != 0;
  // Without topology (offline CPUs, some kernels), each CPU counts as a core of its own. Some
  // architectures write -1 for an unknown package.
  cpu.package = std::max(0, read_int(directory / "topology/physical_package_id").value_or(0));
  cpu.core = read_int(directory / "topology/core_id").value_or(id);
  // Some packages number their cores anew on each die; equal numbers do not make siblings there.
  const int die = std::max(0, read_int(directory / "topology/die_id").value_or(0));
  cpu.core += die * kMaxCpus;
  cpu.node = read_node(directory);
  return cpu;
}

Status check_named_cpu(int id, const std::vector<Cpu>& topology, const std::vector<int>& allowed) {
  const auto cpu = std::find_if(topology.begin(), topology.end(),
                                [&](const Cpu& candidate) { return candidate.id == id; });
  if (cpu == topology.end()) {
    std::vector<int> present;
    for (const Cpu& candidate : topology) present.push_back(candidate.id);
    std::sort(present.begin(), present.end());
    return fail(
        fmt::format("this machine has no CPU {}: choose from {}", id, format_cpu_list(present)));
  }
  if (!cpu->online) {
    return fail(fmt::format(
        "CPU {} is offline: bring it back with echo 1 > /sys/devices/system/cpu/cpu{}/online", id,
        id));
  }
  if (std::find(allowed.begin(), allowed.end(), id) == allowed.end()) {
    return fail(
        fmt::format("CPU {} is outside this process's affinity mask, {}: see taskset and the "
                    "cgroup's cpuset",
                    id, format_cpu_list(allowed)));
  }
  return {};
}

constexpr std::string_view kRange = "..";

struct Range {
  int low = 1;
  std::optional<int> high;  // empty: all
};

std::optional<Range> parse_range(std::string_view text) {
  const size_t dots = text.find(kRange);
  if (dots == text.npos || text.starts_with(kListPrefix)) return {};
  const auto low = parse_count(text.substr(0, dots), 1, kMaxCpus);
  const std::string_view last = text.substr(dots + kRange.size());
  if (!low) return {};
  if (last == "all") return Range{static_cast<int>(*low), {}};
  const auto high = parse_count(last, *low, kMaxCpus);
  if (!high) return {};
  return Range{static_cast<int>(*low), static_cast<int>(*high)};
}

struct Request {
  enum class Kind { all, count, list } kind = Kind::all;
  int count = 0;
  std::vector<int> list;
};

Result<Request> parse_request(const std::string& text) {
  Request request;
  if (text == "all") return request;
  if (text.starts_with(kListPrefix)) {
    auto list = parse_cpu_list(std::string_view(text).substr(kListPrefix.size()));
    if (!list) return fail(list.error());
    if (list->empty()) return fail(fmt::format("{} names no CPU", in_quotes(text)));
    request.kind = Request::Kind::list;
    request.list = std::move(*list);
    return request;
  }
  const auto count = parse_count(text, 1, kMaxCpus);
  if (!count) {
    return fail(fmt::format(
        "{} is not a choice of CPUs: write a count from 1 to {}, \"all\", \"1..all\", or a "
        "list like \"cpu:0,2-3\"",
        in_quotes(text), kMaxCpus));
  }
  request.kind = Request::Kind::count;
  request.count = static_cast<int>(*count);
  return request;
}

}  // namespace

Result<std::vector<Cpu>> read_topology(const std::string& root) {
  std::error_code error;
  std::filesystem::directory_iterator entry(root, error);
  if (error) return refused(fmt::format("cannot read {}", root), error.value());

  std::vector<Cpu> cpus;
  while (entry != std::filesystem::directory_iterator()) {
    const std::string name = entry->path().filename();
    const auto id = name.starts_with("cpu") ? to_int(name.substr(3)) : std::nullopt;
    if (id && *id >= 0) cpus.push_back(read_cpu(entry->path(), *id));
    entry.increment(error);
    if (error) return refused(fmt::format("cannot read {}", root), error.value());
  }
  if (cpus.empty()) return fail(fmt::format("{} lists no CPU", root));

  std::sort(cpus.begin(), cpus.end(), [](const Cpu& a, const Cpu& b) { return a.id < b.id; });
  // The kernel's own list decides: a CPU without an `online` file may still be offline.
  const auto line = read_line(std::filesystem::path(root) / "online");
  if (const auto online = parse_cpu_list(line.value_or("")); line && online && !online->empty()) {
    for (Cpu& cpu : cpus) {
      cpu.online = std::binary_search(online->begin(), online->end(), cpu.id);
    }
  }
  return cpus;
}

const std::vector<std::string>& cpu_orders() {
  static const std::vector<std::string> orders = {"cores-first", "siblings-first", "packages-first",
                                                  "nodes-first"};
  return orders;
}

std::vector<int> in_order(const std::vector<Cpu>& given, const std::string& order) {
  std::vector<Cpu> cpus = given;
  std::sort(cpus.begin(), cpus.end(), [](const Cpu& a, const Cpu& b) { return a.id < b.id; });
  using CpuTrace = std::pair<int, int>;
  struct Place {
    Cpu cpu;
    int first;  // the lowest CPU of its core; cores are ordered by it
    int rank;   // among its core's siblings
    int turn;   // among the CPUs of its package or node
  };
  std::map<CpuTrace, std::vector<int>> cores;
  std::vector<Place> places;
  for (const Cpu& cpu : cpus) {
    auto& siblings = cores[{cpu.package, cpu.core}];
    siblings.push_back(cpu.id);
    places.push_back({cpu, siblings.front(), static_cast<int>(siblings.size()) - 1, 0});
  }
  const auto sort_by = [&](auto key) {
    std::stable_sort(places.begin(), places.end(),
                     [&](const Place& a, const Place& b) { return key(a) < key(b); });
  };
  if (order == "siblings-first") {
    sort_by([](const Place& p) { return std::tuple(p.cpu.package, p.first, p.rank); });
  } else {
    sort_by([](const Place& p) { return std::tuple(p.rank, p.cpu.package, p.cpu.id); });
  }
  if (order == "packages-first" || order == "nodes-first") {
    const auto group = [&](const Place& p) {
      return order == "nodes-first" ? p.cpu.node : p.cpu.package;
    };
    std::map<int, int> turns;
    for (Place& place : places) place.turn = turns[group(place)]++;
    sort_by([&](const Place& p) { return std::tuple(p.turn, group(p)); });
  }
  std::vector<int> ids;
  for (const Place& place : places) ids.push_back(place.cpu.id);
  return ids;
}

Result<std::vector<int>> resolve_cpus(const std::string& request_text,
                                      const std::vector<Cpu>& topology,
                                      const std::vector<int>& allowed, const std::string& order) {
  auto request = parse_request(request_text);
  if (!request) return fail(request.error());

  if (request->kind == Request::Kind::list) {
    for (const int id : request->list) {
      if (const Status status = check_named_cpu(id, topology, allowed); !status) {
        return fail(status.error());
      }
    }
    return std::move(request->list);
  }

  std::vector<Cpu> usable;
  std::copy_if(topology.begin(), topology.end(), std::back_inserter(usable), [&](const Cpu& cpu) {
    return cpu.online && std::find(allowed.begin(), allowed.end(), cpu.id) != allowed.end();
  });
  std::vector<int> ids = in_order(usable, order);
  const size_t wanted =
      request->kind == Request::Kind::all ? ids.size() : static_cast<size_t>(request->count);
  if (wanted > ids.size() || ids.empty()) {
    const size_t available = ids.size();
    std::sort(ids.begin(), ids.end());
    return fail(fmt::format(
        "{} CPU{} requested, but only {} available{}{}: online and within this process's affinity "
        "mask",
        request->kind == Request::Kind::all ? "all" : std::to_string(wanted),
        wanted == 1 ? "" : "s", available, available == 0 ? "" : ", ", format_cpu_list(ids)));
  }
  ids.resize(wanted);
  std::sort(ids.begin(), ids.end());
  return ids;
}

Result<std::vector<int>> allowed_cpus() {
  // The kernel refuses a mask shorter than its own, and does not tell how long its own is.
  for (int size = 1024; size <= kMaxCpus * 8; size *= 2) {
    cpu_set_t* mask = CPU_ALLOC(static_cast<size_t>(size));
    if (mask == nullptr) return fail("out of memory for a CPU mask");
    const size_t bytes = CPU_ALLOC_SIZE(static_cast<size_t>(size));
    CPU_ZERO_S(bytes, mask);
    const int refused = ::sched_getaffinity(0, bytes, mask) != 0 ? errno : 0;
    std::vector<int> cpus;
    for (int cpu = 0; refused == 0 && cpu < size; ++cpu) {
      if (CPU_ISSET_S(static_cast<size_t>(cpu), bytes, mask)) cpus.push_back(cpu);
    }
    CPU_FREE(mask);
    if (refused == 0) return cpus;
    if (refused != EINVAL) return fail_errno("sched_getaffinity", refused);
  }
  return fail(fmt::format("sched_getaffinity: this kernel's CPU mask is larger than {} bits",
                          kMaxCpus * 8));
}

std::vector<std::string> expand_cpus(const std::vector<std::string>& requests,
                                     const std::vector<Cpu>& topology,
                                     const std::vector<int>& allowed) {
  const auto usable = std::ranges::count_if(topology, [&](const Cpu& cpu) {
    return cpu.online && std::ranges::find(allowed, cpu.id) != allowed.end();
  });
  std::vector<std::string> expanded;
  for (const std::string& request : requests) {
    const auto range = parse_range(request);
    if (!range) {
      expanded.push_back(request);
      continue;
    }
    const int high = range->high.value_or(static_cast<int>(usable));
    for (int count = range->low; count < high; count *= 2) {
      expanded.push_back(std::to_string(count));
    }
    expanded.push_back(range->high ? std::to_string(high) : "all");
  }
  return expanded;
}

Result<std::string> canonical_cpus(const std::string& request) {
  if (const auto range = parse_range(request)) {
    return fmt::format("{}{}{}", range->low, kRange,
                       range->high ? std::to_string(*range->high) : "all");
  }
  const auto parsed = parse_request(request);
  if (!parsed) return fail(parsed.error());
  return parsed->kind == Request::Kind::count ? std::to_string(parsed->count) : request;
}

}  // namespace gilscope
