#include "userspace/machine/features/bpf_probes.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fmt/ranges.h>
#include <linux/bpf.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "userspace/base/fd.h"
#include "userspace/base/refusal.h"
#include "userspace/machine/machine.h"
#include "userspace/tracer/kernel_types.h"

namespace gilscope {
namespace {

constexpr const char* kNewerKernel = "boot Linux 5.10 or later";

// Silences libbpf, which would report every failed probe on standard error.
class Hush {
 public:
  Hush() : before_(libbpf_set_print(nullptr)) {}
  Hush(const Hush&) = delete;
  Hush& operator=(const Hush&) = delete;
  ~Hush() { libbpf_set_print(before_); }

 private:
  libbpf_print_fn_t before_;
};

// `return 0`: the smallest program that the verifier accepts.
constexpr bpf_insn kReturnZero[] = {
    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .src_reg = 0, .off = 0, .imm = 0},
    {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
};

// Returns the program's descriptor or a negative errno. Newer libbpf versions take options that are
// not const.
int load(bpf_prog_type type, bpf_prog_load_opts* options) {
  return bpf_prog_load(type, "gilscope_probe", "GPL", kReturnZero, std::size(kReturnZero), options);
}

std::string outcome(int result, const char* good) {
  return result >= 0 ? good : std::strerror(-result);
}

// Lack of privilege or memory has the same fix for every feature; any other failure has the
// feature's own.
std::string fix_for(int result, const char* otherwise) {
  const std::string way = result < 0 ? remedy(-result) : "";
  return way.empty() ? otherwise : way;
}

Feature probe_btf(const Result<KernelTypes>& types) {
  Feature feature{"kernel types (BTF)", types.has_value(), true, kKernelTypesPath, ""};
  if (types) return feature;
  // The error reads "what is wrong: what to do".
  const std::string& why = types.error().message;
  const size_t colon = std::min(why.rfind(": "), why.size());
  feature.detail = why.substr(0, colon);
  feature.fix = colon < why.size() ? why.substr(colon + 2) : kNewerKernel;
  return feature;
}

Feature probe_tracepoints(const btf* types) {
  Feature feature{"sched tracepoints", false, true, "", "boot a kernel with CONFIG_TRACEPOINTS=y"};
  std::vector<std::string> missing;
  for (const char* name : {"sched_switch", "sched_waking", "sched_wakeup_new", "sched_migrate_task",
                           "sched_process_exit"}) {
    const std::string type = fmt::format("btf_trace_{}", name);
    const bool found =
        types != nullptr && btf__find_by_name_kind(types, type.c_str(), BTF_KIND_TYPEDEF) > 0;
    if (!found) missing.emplace_back(name);
  }
  feature.ok = missing.empty();
  if (types == nullptr) {
    feature.detail = "unknown without BTF";
  } else {
    feature.detail = feature.ok ? "switch, waking, wakeup_new, migrate_task, process_exit"
                                : fmt::format("missing: {}", fmt::join(missing, ", "));
  }
  return feature;
}

Feature probe_raw_tracepoint(int program) {
  return {"BPF programs (raw_tp)", program >= 0, true, outcome(program, "a program loads"),
          fix_for(program, "boot a kernel with CONFIG_BPF_SYSCALL=y and CONFIG_BPF_EVENTS=y")};
}

Feature probe_typed_tracepoint(const btf* types) {
  Feature feature{"typed tracepoints (tp_btf)", false, false, "unknown without BTF",
                  "none needed: gilscope uses raw tracepoints instead"};
  const int id = types == nullptr
                     ? -ENOENT
                     : btf__find_by_name_kind(types, "btf_trace_sched_switch", BTF_KIND_TYPEDEF);
  if (id <= 0) return feature;
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_RAW_TP,
              .attach_btf_id = static_cast<__u32>(id));
  const int result = load(BPF_PROG_TYPE_TRACING, &options);
  const Fd program(result);
  feature.ok = result >= 0;
  feature.detail = outcome(result, "a program on sched_switch loads");
  return feature;
}

Feature probe_ring_buffer() {
  const int result = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "gilscope_probe", 0, 0,
                                    static_cast<__u32>(::sysconf(_SC_PAGESIZE)), nullptr);
  const Fd map(result);
  return {"ring buffer", result >= 0, true, outcome(result, "a map can be created"),
          fix_for(result, kNewerKernel)};
}

Feature probe_mapped_array() {
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
  const int result = bpf_map_create(BPF_MAP_TYPE_ARRAY, "gilscope_probe", sizeof(__u32),
                                    sizeof(__u64), 1, &options);
  const Fd map(result);
  return {"mapped arrays (the board)", result >= 0, true, outcome(result, "a map can be created"),
          fix_for(result, kNewerKernel)};
}

Feature probe_test_run(int program) {
  Feature feature{"BPF_PROG_TEST_RUN of raw_tp", false, true, "unknown: no program loads",
                  fix_for(program, kNewerKernel)};
  if (program < 0) return feature;
  LIBBPF_OPTS(bpf_test_run_opts, options);
  const int result = bpf_prog_test_run_opts(program, &options);
  feature.ok = result == 0;
  feature.detail = outcome(result, "a program runs when called");
  feature.fix = fix_for(result, kNewerKernel);
  return feature;
}

Feature probe_run_time_statistics() {
  const int result = bpf_enable_stats(BPF_STATS_RUN_TIME);
  const Fd statistics(result);
  return {"BPF run-time statistics", result >= 0, false,
          outcome(result, "the tracer's own time can be measured"),
          fix_for(result, "none needed: untraced runs still show what tracing costs")};
}

Feature probe_jit() {
  constexpr const char* kPath = "/proc/sys/net/core/bpf_jit_enable";
  Feature feature{"BPF compiled (JIT)", false, false, "", ""};
  const auto enabled = Machine().number(kPath);
  feature.ok = enabled && *enabled > 0;
  feature.detail =
      enabled ? fmt::format("bpf_jit_enable is {}", *enabled) : enabled.error().message;
  feature.fix = enabled ? fmt::format("echo 1 > {} (interpreted programs are slow)", kPath)
                        : "boot a kernel with CONFIG_BPF_JIT=y";
  return feature;
}

}  // namespace

std::vector<Feature> probe_bpf() {
  const Hush hush;
  const auto loaded = load_kernel_types();
  const btf* types = loaded ? loaded->get() : nullptr;
  const int result = load(BPF_PROG_TYPE_RAW_TRACEPOINT, nullptr);
  const Fd program(result);
  return {
      probe_btf(loaded),
      probe_tracepoints(types),
      probe_raw_tracepoint(result),
      probe_typed_tracepoint(types),
      probe_ring_buffer(),
      probe_mapped_array(),
      probe_test_run(result),
      probe_run_time_statistics(),
      probe_jit(),
  };
}

}  // namespace gilscope
