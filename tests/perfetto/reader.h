// Reads Perfetto traces for the tests: the part of the format that an export uses, taken from the
// public schema and not from the exporter. A violation of the format's rules fails the test.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <protozero/pbf_reader.hpp>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace gilscope::perfetto_test {

using protozero::pbf_reader;

struct Switch {
  uint64_t ns;
  int64_t prev_state;
  int32_t next;  // thread id
  std::string comm;
  bool operator==(const Switch&) const = default;
};

struct Waking {
  uint64_t ns;
  int32_t tid;
  int32_t target_cpu;
  std::string comm;
  bool operator==(const Waking&) const = default;
};

struct Cpu {
  std::vector<Switch> switches;
  std::vector<Waking> wakings;
  size_t bundles = 0, lossy_bundles = 0;
};

// A stretch of a thread on a CPU.
struct Slice {
  uint64_t from_ns, to_ns;
  int32_t tid;
  uint32_t cpu;
  int64_t end_state;
};

struct Event {
  enum class Type { begin = 1, end = 2, mark = 3, counter = 4 };
  Type type;
  uint64_t ns;
  std::string name;
  int64_t value = 0;
  std::map<std::string, uint64_t> notes;
  std::vector<uint64_t> flows, ended_flows;
};

struct Track {
  uint64_t parent = 0;
  std::string name;
  bool counter = false;
  int32_t pid = 0, tid = 0;   // of a process's or a thread's track
  std::vector<Event> events;  // in order of time
};

// A slice on a track of events.
struct Span {
  std::string name;
  uint64_t from_ns, to_ns;
  bool operator==(const Span&) const = default;
};

class Trace {
 public:
  static Trace read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    Trace trace;
    trace.bytes = bytes.size();
    try {
      pbf_reader reader(bytes);
      while (reader.next()) {
        EXPECT_EQ(reader.tag(), 1u) << "not a packet";
        trace.packet(reader.get_message());
      }
    } catch (const protozero::exception& broken) {
      ADD_FAILURE() << path << ": " << broken.what();
    }
    trace.finish();
    return trace;
  }

  size_t bytes = 0, packets = 0;
  std::map<uint32_t, Cpu> cpus;
  std::map<uint64_t, Track> tracks;
  std::map<uint32_t, uint64_t> clocks;  // by id
  uint64_t primary_clock = 0, default_clock = 0;
  std::string kernel_release;

  std::vector<Slice> slices() const {
    std::vector<Slice> slices;
    for (const auto& [id, cpu] : cpus) {
      for (size_t i = 0; i + 1 < cpu.switches.size(); ++i) {
        const Switch &in = cpu.switches[i], &out = cpu.switches[i + 1];
        if (in.next) slices.push_back({in.ns, out.ns, in.next, id, out.prev_state});
      }
      if (!cpu.switches.empty()) {
        EXPECT_EQ(cpu.switches.back().next, 0) << "CPU " << id;
        EXPECT_EQ(cpu.switches.front().next, 0) << "readers drop the first switch of CPU " << id;
      }
    }
    std::ranges::stable_sort(slices, {},
                             [](const Slice& s) { return std::tuple(s.tid, s.from_ns); });
    return slices;
  }

  size_t wakings() const {
    size_t count = 0;
    for (const auto& [id, cpu] : cpus) count += cpu.wakings.size();
    return count;
  }

  size_t migrations() const {
    size_t count = 0;
    const std::vector<Slice> all = slices();
    for (size_t i = 1; i < all.size(); ++i) {
      count += all[i].tid == all[i - 1].tid && all[i].cpu != all[i - 1].cpu;
    }
    return count;
  }

  // The tracks with this name; with `process`, only those below that process's track.
  std::vector<uint64_t> named(const std::string& name, uint64_t process = 0) const {
    std::vector<uint64_t> found;
    for (const auto& [uuid, track] : tracks) {
      if (track.name == name && !track.tid && (!process || process_of(uuid) == process)) {
        found.push_back(uuid);
      }
    }
    return found;
  }

  // The only track with this name.
  const Track& track(const std::string& name, uint64_t process = 0) const {
    static const Track none;
    const auto found = named(name, process);
    EXPECT_EQ(found.size(), 1u) << name;
    return found.size() == 1 ? tracks.at(found[0]) : none;
  }

  std::vector<uint64_t> processes() const {
    std::vector<uint64_t> found;
    for (const auto& [uuid, track] : tracks) {
      if (track.pid && !track.tid) found.push_back(uuid);
    }
    return found;
  }

  uint64_t process_of(uint64_t uuid) const {
    for (size_t depth = 0; depth < 10 && tracks.contains(uuid); ++depth) {
      const Track& track = tracks.at(uuid);
      if (!track.parent) return uuid;
      uuid = track.parent;
    }
    ADD_FAILURE() << "track " << uuid << " is below none";
    return 0;
  }

  static std::vector<Span> spans(const Track& track) {
    std::vector<Span> spans, open;
    for (const Event& event : track.events) {
      if (event.type == Event::Type::begin) open.push_back({event.name, event.ns, 0});
      if (event.type != Event::Type::end || open.empty()) continue;
      open.back().to_ns = event.ns;
      spans.push_back(open.back());
      open.pop_back();
    }
    return spans;
  }

  size_t marks(const std::string& name, uint64_t process = 0) const {
    size_t count = 0;
    for (const auto& [uuid, track] : tracks) {
      if (process && process_of(uuid) != process) continue;
      for (const Event& event : track.events) {
        count += event.type == Event::Type::mark && event.name == name;
      }
    }
    return count;
  }

  // Rules that every trace must obey, whatever it contains.
  void expect_rules(uint64_t first_ns, uint64_t last_ns) const {
    const auto within = [&](uint64_t ns, const std::string& what) {
      EXPECT_TRUE(first_ns <= ns && ns <= last_ns) << what << " at " << ns;
    };
    for (const auto& [id, cpu] : cpus) {
      for (size_t i = 0; i < cpu.switches.size(); ++i) {
        within(cpu.switches[i].ns, "switch");
        if (i) {
          EXPECT_LE(cpu.switches[i - 1].ns, cpu.switches[i].ns) << "CPU " << id;
        }
      }
      for (size_t i = 0; i < cpu.wakings.size(); ++i) {
        within(cpu.wakings[i].ns, "waking");
        if (i) {
          EXPECT_LE(cpu.wakings[i - 1].ns, cpu.wakings[i].ns) << "CPU " << id;
        }
        EXPECT_LE(cpu.switches.at(0).ns, cpu.wakings[i].ns) << "readers drop earlier wakings";
      }
    }
    // No thread runs in two places at once.
    const std::vector<Slice> all = slices();
    for (size_t i = 1; i < all.size(); ++i) {
      if (all[i].tid == all[i - 1].tid) {
        EXPECT_LE(all[i - 1].to_ns, all[i].from_ns) << all[i].tid;
      }
    }
    for (const auto& [uuid, track] : tracks) expect_track(track, within);
    expect_flows();
    EXPECT_EQ(default_clock, 3u) << "CLOCK_MONOTONIC";
    EXPECT_EQ(primary_clock, 3u);
    // Readers take the times of bundles for CLOCK_BOOTTIME; the snapshot must not shift them.
    EXPECT_TRUE(clocks.contains(3) && clocks.contains(6) && clocks.at(3) == clocks.at(6));
  }

 private:
  template <typename Within>
  static void expect_track(const Track& track, Within within) {
    int depth = 0;
    for (const Event& event : track.events) {
      within(event.ns, track.name);
      EXPECT_EQ(track.counter, event.type == Event::Type::counter) << track.name;
      if (event.type == Event::Type::begin) depth += 1;
      if (event.type == Event::Type::end) depth -= 1;
      EXPECT_TRUE(depth == 0 || depth == 1) << track.name << " at " << event.ns;
      EXPECT_EQ(event.name.empty(),
                event.type == Event::Type::end || event.type == Event::Type::counter);
    }
    EXPECT_EQ(depth, 0) << track.name;
  }

  void expect_flows() const {
    std::map<uint64_t, uint64_t> begun;
    std::set<uint64_t> ended;
    for (const auto& [uuid, track] : tracks) {
      for (const Event& event : track.events) {
        for (const uint64_t id : event.flows) EXPECT_TRUE(begun.emplace(id, event.ns).second) << id;
      }
    }
    for (const auto& [uuid, track] : tracks) {
      for (const Event& event : track.events) {
        for (const uint64_t id : event.ended_flows) {
          EXPECT_TRUE(ended.insert(id).second) << id;
          ASSERT_TRUE(begun.contains(id)) << id;
          EXPECT_LE(begun.at(id), event.ns);
        }
      }
    }
    EXPECT_EQ(begun.size(), ended.size());
  }

  void packet(pbf_reader reader) {
    packets += 1;
    uint64_t ns = 0, flags = 0;
    bool has_event = false;
    pbf_reader event;
    while (reader.next()) {
      switch (reader.tag()) {
        case 1:
          bundle(reader.get_message());
          break;
        case 6:
          clock_snapshot(reader.get_message());
          break;
        case 8:
          ns = reader.get_uint64();
          break;
        case 11:
          event = reader.get_message();
          has_event = true;
          break;
        case 12:
          interned(reader.get_message());
          break;
        case 13:
          flags = reader.get_uint32();
          break;
        case 45:
          system(reader.get_message());
          break;
        case 59: {
          pbf_reader defaults = reader.get_message();
          while (defaults.next(58)) default_clock = defaults.get_uint32();
          break;
        }
        case 60:
          descriptor(reader.get_message());
          break;
        default:
          reader.skip();
      }
    }
    if (packets == 1) {
      EXPECT_EQ(flags, 1u) << "nothing can be interned before SEQ_INCREMENTAL_STATE_CLEARED";
    }
    if (has_event) {
      EXPECT_EQ(flags, 2u) << "an event without SEQ_NEEDS_INCREMENTAL_STATE";
      track_event(event, ns);
    }
  }

  void system(pbf_reader reader) {
    while (reader.next(1)) {
      pbf_reader utsname = reader.get_message();
      while (utsname.next(3)) kernel_release = utsname.get_string();
    }
  }

  void clock_snapshot(pbf_reader reader) {
    EXPECT_TRUE(cpus.empty()) << "times before their clock is known";
    while (reader.next()) {
      if (reader.tag() == 2) {
        primary_clock = static_cast<uint64_t>(reader.get_enum());
        continue;
      }
      pbf_reader clock = reader.get_message();
      uint32_t id = 0;
      uint64_t at = 0;
      while (clock.next())
        (clock.tag() == 1 ? void(id = clock.get_uint32()) : void(at = clock.get_uint64()));
      clocks[id] = at;
    }
  }

  void interned(pbf_reader reader) {
    while (reader.next()) {
      auto& index = names_[reader.tag()];
      pbf_reader entry = reader.get_message();
      uint64_t iid = 0;
      std::string name;
      while (entry.next()) {
        entry.tag() == 1 ? void(iid = entry.get_uint64()) : void(name = entry.get_string());
      }
      EXPECT_NE(iid, 0u);
      EXPECT_TRUE(index.emplace(iid, name).second) << iid << " twice";
    }
  }

  void descriptor(pbf_reader reader) {
    Track track;
    uint64_t uuid = 0;
    while (reader.next()) {
      switch (reader.tag()) {
        case 1:
          uuid = reader.get_uint64();
          break;
        case 2:
          track.name = reader.get_string();
          break;
        case 3: {
          pbf_reader process = reader.get_message();
          while (process.next()) {
            process.tag() == 1 ? void(track.pid = process.get_int32())
                               : void(track.name = process.get_string());
          }
          break;
        }
        case 4: {
          pbf_reader thread = reader.get_message();
          while (thread.next()) {
            switch (thread.tag()) {
              case 1:
                track.pid = thread.get_int32();
                break;
              case 2:
                track.tid = thread.get_int32();
                break;
              default:
                track.name = thread.get_string();
            }
          }
          break;
        }
        case 5:
          track.parent = reader.get_uint64();
          break;
        case 8:
          track.counter = true;
          reader.skip();
          break;
        default:
          reader.skip();
      }
    }
    EXPECT_NE(uuid, 0u);
    if (track.parent) {
      EXPECT_TRUE(tracks.contains(track.parent)) << track.name;
    }
    EXPECT_TRUE(tracks.emplace(uuid, track).second) << "track " << uuid << " twice";
  }

  void track_event(pbf_reader reader, uint64_t ns) {
    Event event{Event::Type::begin, ns, "", 0, {}, {}, {}};
    uint64_t uuid = 0;
    while (reader.next()) {
      switch (reader.tag()) {
        case 3:
          EXPECT_EQ(names_[1][reader.get_uint64()], "gil");
          break;
        case 4: {
          pbf_reader note = reader.get_message();
          std::string name;
          uint64_t value = 0;
          while (note.next()) {
            note.tag() == 1 ? void(name = names_[3][note.get_uint64()])
                            : void(value = note.get_uint64());
          }
          EXPECT_NE(name, "");
          event.notes[name] = value;
          break;
        }
        case 9:
          event.type = static_cast<Event::Type>(reader.get_enum());
          break;
        case 10:
          event.name = names_[2][reader.get_uint64()];
          break;
        case 11:
          uuid = reader.get_uint64();
          break;
        case 23:
          event.name = reader.get_string();
          break;
        case 30:
          event.value = reader.get_int64();
          break;
        case 47:
          event.flows.push_back(reader.get_fixed64());
          break;
        case 48:
          event.ended_flows.push_back(reader.get_fixed64());
          break;
        default:
          ADD_FAILURE() << "field " << reader.tag() << " of an event";
          reader.skip();
      }
    }
    ASSERT_TRUE(tracks.contains(uuid)) << uuid;
    tracks[uuid].events.push_back(event);
  }

  void bundle(pbf_reader reader) {
    uint32_t id = 0;
    bool lost = false;
    pbf_reader compact;
    while (reader.next()) {
      switch (reader.tag()) {
        case 1:
          id = reader.get_uint32();
          break;
        case 3:
          lost = reader.get_bool();
          break;
        case 4:
          compact = reader.get_message();
          break;
        default:
          ADD_FAILURE() << "field " << reader.tag() << " of a bundle";
          reader.skip();
      }
    }
    Cpu& cpu = cpus[id];
    cpu.bundles += 1;
    cpu.lossy_bundles += lost;
    compact_sched(compact, cpu);
  }

  static void compact_sched(pbf_reader reader, Cpu& cpu) {
    std::map<uint32_t, std::vector<int64_t>> columns;
    std::vector<std::string> comms;
    while (reader.next()) {
      if (reader.tag() == 5) {
        comms.push_back(reader.get_string());
        continue;
      }
      std::vector<int64_t>& column = columns[reader.tag()];
      for (const int64_t value : reader.get_packed_int64()) column.push_back(value);
    }
    for (const auto& [tag, column] : columns) {
      const uint32_t first = tag <= 6 ? 1 : 7;
      ASSERT_TRUE((tag >= 1 && tag <= 4) || (tag >= 6 && tag <= 11)) << tag;
      ASSERT_EQ(column.size(), columns[first].size()) << "field " << tag;
    }
    uint64_t ns = 0;
    for (size_t i = 0; i < columns[1].size(); ++i) {
      ns += static_cast<uint64_t>(columns[1][i]);
      cpu.switches.push_back({ns, columns[2][i], static_cast<int32_t>(columns[3][i]),
                              comms.at(static_cast<size_t>(columns[6][i]))});
    }
    ns = 0;
    for (size_t i = 0; i < columns[7].size(); ++i) {
      ns += static_cast<uint64_t>(columns[7][i]);
      cpu.wakings.push_back({ns, static_cast<int32_t>(columns[8][i]),
                             static_cast<int32_t>(columns[9][i]),
                             comms.at(static_cast<size_t>(columns[11][i]))});
    }
  }

  // Orders events as Perfetto does: by time, and by position in the file if that is equal.
  void finish() {
    for (auto& [uuid, track] : tracks) std::ranges::stable_sort(track.events, {}, &Event::ns);
  }

  std::map<uint32_t, std::map<uint64_t, std::string>> names_;  // by field of InternedData
};

// Decodes the file with protoc and the public field numbers; fails on an unknown field.
inline void expect_protoc_decodes(const std::string& path) {
  const std::string command =
      "protoc --proto_path=tests/perfetto --decode=perfetto.protos.Trace trace.proto < '" + path +
      "' 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  char line[4096];
  size_t packets = 0, unknown = 0;
  while (fgets(line, sizeof(line), pipe)) {
    const std::string text(line);
    const size_t at = text.find_first_not_of(' ');
    if (at != std::string::npos && text[at] >= '0' && text[at] <= '9' && unknown++ == 0) {
      ADD_FAILURE() << "unknown field: " << text;
    }
    packets += text.starts_with("packet {");
  }
  EXPECT_EQ(pclose(pipe), 0)
      << "protoc failed; scripts/install-deps --tests installs it; its last line: " << line;
  EXPECT_GT(packets, 0u);
}

}  // namespace gilscope::perfetto_test
