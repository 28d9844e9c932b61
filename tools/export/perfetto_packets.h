// A Perfetto trace is a row of packets; each is written as it is made, so that the trace's length
// costs no memory.
#pragma once

#include <protozero/pbf_builder.hpp>
#include <string>

#include "tools/export/perfetto_schema.h"
#include "userspace/util/output_file.h"

namespace gilscope::perfetto {

template <typename Message>
using Builder = protozero::pbf_builder<Message>;

class Packets {
 public:
  explicit Packets(OutputFile& file) : file_(file) {}

  // `fill` is given the packet's Builder<TracePacket>.
  template <typename Fill>
  void write(Fill fill) {
    packet_.clear();
    {
      Builder<TracePacket> packet(packet_);
      packet.add_uint32(TracePacket::trusted_packet_sequence_id, kSequence);
      fill(packet);
    }
    append();
  }

  // The first thing that failed; what is written after it goes nowhere.
  const Status& status() const { return status_; }

 private:
  static constexpr uint32_t kSequence = 1;  // there is one writer

  void append();

  OutputFile& file_;
  std::string packet_, framed_;
  Status status_;
};

}  // namespace gilscope::perfetto
