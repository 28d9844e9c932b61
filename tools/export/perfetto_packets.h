// The packets of a Perfetto trace. Each is written as it is made, so that memory does not grow with
// the trace.
#pragma once

#include <protozero/pbf_builder.hpp>
#include <string>

#include "tools/export/perfetto_schema.h"
#include "userspace/base/output_file.h"

namespace gilscope::perfetto {

template <typename Message>
using Builder = protozero::pbf_builder<Message>;

class Packets {
 public:
  explicit Packets(OutputFile& file) : file_(file) {}

  // `fill` gets the packet's Builder<TracePacket>.
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

  // The first failure; later packets are dropped.
  const Status& status() const { return status_; }

 private:
  static constexpr uint32_t kSequence = 1;  // there is one writer

  void append();

  OutputFile& file_;
  std::string packet_, framed_;
  Status status_;
};

}  // namespace gilscope::perfetto
