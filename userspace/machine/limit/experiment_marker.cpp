#include "userspace/machine/limit/experiment_marker.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <cstdint>
#include <string_view>

namespace gilscope {
namespace {

constexpr const char* kName = "gilscope_lock";
// Queues require CAP_BPF even where unprivileged BPF is allowed.
constexpr bpf_map_type kType = BPF_MAP_TYPE_QUEUE;

std::optional<bpf_map_info> info_of(const Fd& map) {
  bpf_map_info info = {};
  uint32_t bytes = sizeof(info);
  if (!map || ::bpf_obj_get_info_by_fd(map.get(), &info, &bytes) != 0) return {};
  return info;
}

bool is_mark(const bpf_map_info& info) {
  return info.type == kType && std::string_view(info.name) == kName;
}

}  // namespace

ExperimentMarker ExperimentMarker::set() {
  ExperimentMarker marker;
  Fd map(::bpf_map_create(kType, kName, 0, sizeof(uint32_t), 1, nullptr));
  const auto own = info_of(map);
  if (!own) return marker;
  // Of two processes at the same time, the one whose map has the lower id wins.
  uint32_t id = 0;
  while (::bpf_map_get_next_id(id, &id) == 0 && id < own->id) {
    const auto other = info_of(Fd(::bpf_map_get_fd_by_id(id)));
    if (!other || !is_mark(*other)) continue;
    marker.state_ = State::taken;
    return marker;
  }
  if (id < own->id) return marker;  // not even this process's own map is listed
  marker.state_ = State::alone;
  marker.map_ = std::move(map);
  return marker;
}

}  // namespace gilscope
