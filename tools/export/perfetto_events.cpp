#include "tools/export/perfetto_events.h"

#include <utility>

namespace gilscope::perfetto {
namespace {

constexpr uint64_t kCategory = 1;

constexpr std::pair<Name, const char*> kNames[] = {
    {Name::holding, "holding"},
    {Name::waiting, "waiting for the GIL"},
    {Name::released, "released"},
    {Name::acquired, "acquired"},
    {Name::forced_switch, "forced switch"},
    {Name::wasted_wakeup, "wasted wakeup"},
    {Name::drop_request, "drop request"},
};

constexpr std::pair<Note, const char*> kNotes[] = {
    {Note::requests, "requests"},
    {Note::waiters, "waiters"},
    {Note::latency_ns, "latency_ns"},
    {Note::records_dropped, "records_dropped"},
};

void intern(Builder<InternedData>& data, InternedData index, uint64_t iid, const char* name) {
  Builder<Interned> entry(data, index);
  entry.add_uint64(Interned::iid, iid);
  entry.add_string(Interned::name, name);
}

void annotate(Builder<TrackEvent>& event, Annotations annotations) {
  for (const Annotation& annotation : annotations) {
    Builder<DebugAnnotation> written(event, TrackEvent::debug_annotations);
    written.add_uint64(DebugAnnotation::name_iid, static_cast<uint64_t>(annotation.name));
    written.add_uint64(DebugAnnotation::uint_value, annotation.value);
  }
}

}  // namespace

void Events::declare() {
  packets_.write([](Builder<TracePacket>& packet) {
    packet.add_uint32(TracePacket::sequence_flags, kIncrementalStateCleared);
    {
      Builder<TracePacketDefaults> defaults(packet, TracePacket::trace_packet_defaults);
      defaults.add_uint32(TracePacketDefaults::timestamp_clock_id, kClockMonotonic);
    }
    Builder<InternedData> data(packet, TracePacket::interned_data);
    intern(data, InternedData::event_categories, kCategory, "gil");
    for (const auto& [name, text] : kNames) {
      intern(data, InternedData::event_names, static_cast<uint64_t>(name), text);
    }
    for (const auto& [note, text] : kNotes) {
      intern(data, InternedData::debug_annotation_names, static_cast<uint64_t>(note), text);
    }
  });
}

template <typename Fill>
void Events::event(uint64_t track, uint64_t ns, int32_t type, Fill fill) {
  packets_.write([&](Builder<TracePacket>& packet) {
    packet.add_uint64(TracePacket::timestamp, ns);
    packet.add_uint32(TracePacket::sequence_flags, kNeedsIncrementalState);
    Builder<TrackEvent> written(packet, TracePacket::track_event);
    written.add_uint64(TrackEvent::track_uuid, track);
    written.add_enum(TrackEvent::type, type);
    if (type == kSliceBegin || type == kInstant) {
      written.add_uint64(TrackEvent::category_iids, kCategory);
    }
    fill(written);
  });
}

void Events::slice(uint64_t track, uint64_t from_ns, uint64_t to_ns, Name name) {
  event(track, from_ns, kSliceBegin, [&](Builder<TrackEvent>& begin) {
    begin.add_uint64(TrackEvent::name_iid, static_cast<uint64_t>(name));
  });
  event(track, to_ns, kSliceEnd, [](Builder<TrackEvent>&) {});
}

void Events::slice(uint64_t track, uint64_t from_ns, uint64_t to_ns, const std::string& name) {
  event(track, from_ns, kSliceBegin,
        [&](Builder<TrackEvent>& begin) { begin.add_string(TrackEvent::name, name); });
  event(track, to_ns, kSliceEnd, [](Builder<TrackEvent>&) {});
}

void Events::mark(uint64_t track, uint64_t ns, Name name, Annotations annotations, Flow flow) {
  event(track, ns, kInstant, [&](Builder<TrackEvent>& mark) {
    mark.add_uint64(TrackEvent::name_iid, static_cast<uint64_t>(name));
    annotate(mark, annotations);
    if (flow.end == Flow::End::begins) mark.add_fixed64(TrackEvent::flow_ids, flow.id);
    if (flow.end == Flow::End::ends) mark.add_fixed64(TrackEvent::terminating_flow_ids, flow.id);
  });
}

void Events::mark(uint64_t track, uint64_t ns, const std::string& name, Annotations annotations) {
  event(track, ns, kInstant, [&](Builder<TrackEvent>& mark) {
    mark.add_string(TrackEvent::name, name);
    annotate(mark, annotations);
  });
}

void Events::counter(uint64_t track, uint64_t ns, uint64_t value) {
  event(track, ns, kCounter, [&](Builder<TrackEvent>& counter) {
    counter.add_int64(TrackEvent::counter_value, static_cast<int64_t>(value));
  });
}

}  // namespace gilscope::perfetto
