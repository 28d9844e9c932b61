#include "tools/export/perfetto_tracks.h"

#include <fmt/format.h>

namespace gilscope::perfetto {
namespace {

template <typename Fill>
void describe(Packets& packets, uint64_t uuid, uint64_t parent, const std::string& name,
              Fill fill) {
  packets.write([&](Builder<TracePacket>& packet) {
    Builder<TrackDescriptor> track(packet, TracePacket::track_descriptor);
    track.add_uint64(TrackDescriptor::uuid, uuid);
    if (parent) track.add_uint64(TrackDescriptor::parent_uuid, parent);
    if (!name.empty()) track.add_string(TrackDescriptor::name, name);
    fill(track);
  });
}

// A track of the GIL's group, in the order of `rank`. Tracks of the same name, as threads may have,
// are drawn apart.
template <typename Fill>
void describe_row(Packets& packets, const TrackIds& ids, uint64_t uuid, uint32_t rank,
                  const std::string& name, Fill fill) {
  describe(packets, uuid, ids.group(), name, [&](Builder<TrackDescriptor>& track) {
    track.add_int32(TrackDescriptor::sibling_order_rank, static_cast<int32_t>(rank));
    track.add_enum(TrackDescriptor::sibling_merge_behavior, kSiblingsNotMerged);
    fill(track);
  });
}

void count(Builder<TrackDescriptor>& track) {
  Builder<CounterDescriptor> counter(track, TrackDescriptor::counter);
  counter.add_enum(CounterDescriptor::unit, kUnitCount);
}

void nothing_more(Builder<TrackDescriptor>&) {}

}  // namespace

std::vector<TracedThread> traced_threads(const Run& run) {
  std::vector<TracedThread> threads;
  for (const Thread& thread : run.threads) {
    threads.push_back({thread.trace ? thread.trace->tid : 0, thread.name});
  }
  return threads;
}

void Tracks::declare(const TrackIds& ids, const std::string& process,
                     const std::vector<TracedThread>& threads, bool one_owner) {
  // Slot 0 is the main thread, whose id is the process's.
  const auto pid = static_cast<int32_t>(threads.empty() ? 0 : threads[0].tid);
  describe(packets_, ids.process(), 0, "", [&](Builder<TrackDescriptor>& track) {
    Builder<ProcessDescriptor> descriptor(track, TrackDescriptor::process);
    descriptor.add_int32(ProcessDescriptor::pid, pid);
    descriptor.add_string(ProcessDescriptor::process_name, process);
  });
  describe(packets_, ids.group(), ids.process(), "GIL", [](Builder<TrackDescriptor>& track) {
    track.add_enum(TrackDescriptor::child_ordering, kChildrenExplicit);
  });
  if (one_owner) describe_row(packets_, ids, ids.owner(), 0, "GIL owner", nothing_more);
  describe_row(packets_, ids, ids.waiters(), 1, "waiters", count);
  for (uint32_t slot = 0; slot < threads.size(); ++slot) {
    const TracedThread& thread = threads[slot];
    if (!thread.tid) continue;
    describe(packets_, ids.thread(slot), ids.process(), "", [&](Builder<TrackDescriptor>& track) {
      Builder<ThreadDescriptor> descriptor(track, TrackDescriptor::thread);
      descriptor.add_int32(ThreadDescriptor::pid, pid);
      descriptor.add_int32(ThreadDescriptor::tid, static_cast<int32_t>(thread.tid));
      descriptor.add_string(ThreadDescriptor::thread_name, thread.name);
    });
    describe_row(packets_, ids, ids.gil_of_thread(slot), 2 + slot, thread.name, nothing_more);
  }
}

void Tracks::declare_cpu(const TrackIds& ids, uint32_t cpu) {
  const uint32_t rank = 1'000'000 + 3 * cpu;  // below the threads
  const auto declare = [&](uint64_t uuid, uint32_t offset, const char* kind) {
    describe_row(packets_, ids, uuid, rank + offset,
                 fmt::format("failed acquisitions, {}, CPU {}", kind, cpu), count);
  };
  declare(ids.contended(cpu), 0, "contended");
  declare(ids.woken_lost(cpu), 1, "woken_lost");
  declare(ids.timed_out(cpu), 2, "timed_out");
}

}  // namespace gilscope::perfetto
