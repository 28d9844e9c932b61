// The numbers of the fields of Perfetto's public schema that an export writes (google/perfetto,
// protos/perfetto/trace/**). tests/perfetto/trace.proto is the same for protoc.
#pragma once

#include <cstdint>
#include <protozero/types.hpp>

namespace gilscope::perfetto {

using Tag = protozero::pbf_tag_type;

enum class Trace : Tag { packet = 1 };

enum class TracePacket : Tag {
  ftrace_events = 1,
  clock_snapshot = 6,
  timestamp = 8,
  trusted_packet_sequence_id = 10,
  track_event = 11,
  interned_data = 12,
  sequence_flags = 13,
  system_info = 45,
  trace_packet_defaults = 59,
  track_descriptor = 60,
};

inline constexpr uint32_t kIncrementalStateCleared = 1;  // SequenceFlags
inline constexpr uint32_t kNeedsIncrementalState = 2;

enum class TracePacketDefaults : Tag { timestamp_clock_id = 58 };

enum class ClockSnapshot : Tag { clocks = 1, primary_trace_clock = 2 };
enum class Clock : Tag { clock_id = 1, timestamp = 2 };
inline constexpr uint32_t kClockMonotonic = 3;  // BuiltinClock
inline constexpr uint32_t kClockBoottime = 6;

enum class SystemInfo : Tag { utsname = 1 };
enum class Utsname : Tag { sysname = 1, version = 2, release = 3, machine = 4 };

enum class FtraceEventBundle : Tag { cpu = 1, lost_events = 3, compact_sched = 4 };
enum class CompactSched : Tag {
  switch_timestamp = 1,
  switch_prev_state = 2,
  switch_next_pid = 3,
  switch_next_prio = 4,
  intern_table = 5,
  switch_next_comm_index = 6,
  waking_timestamp = 7,
  waking_pid = 8,
  waking_target_cpu = 9,
  waking_prio = 10,
  waking_comm_index = 11,
};

enum class TrackDescriptor : Tag {
  uuid = 1,
  name = 2,
  process = 3,
  thread = 4,
  parent_uuid = 5,
  counter = 8,
  child_ordering = 11,
  sibling_order_rank = 12,
  sibling_merge_behavior = 15,
};
inline constexpr int32_t kChildrenExplicit = 3;   // ChildTracksOrdering
inline constexpr int32_t kSiblingsNotMerged = 2;  // SiblingMergeBehavior

enum class ProcessDescriptor : Tag { pid = 1, process_name = 6 };
enum class ThreadDescriptor : Tag { pid = 1, tid = 2, thread_name = 5 };
enum class CounterDescriptor : Tag { unit = 3 };
inline constexpr int32_t kUnitCount = 2;

enum class InternedData : Tag {
  event_categories = 1,
  event_names = 2,
  debug_annotation_names = 3,
};
enum class Interned : Tag { iid = 1, name = 2 };

enum class TrackEvent : Tag {
  category_iids = 3,
  debug_annotations = 4,
  type = 9,
  name_iid = 10,
  track_uuid = 11,
  name = 23,
  counter_value = 30,
  flow_ids = 47,
  terminating_flow_ids = 48,
};
inline constexpr int32_t kSliceBegin = 1;  // Type
inline constexpr int32_t kSliceEnd = 2;
inline constexpr int32_t kInstant = 3;
inline constexpr int32_t kCounter = 4;

enum class DebugAnnotation : Tag { name_iid = 1, uint_value = 3 };

}  // namespace gilscope::perfetto
