#include "tools/export/perfetto_packets.h"

namespace gilscope::perfetto {

void Packets::append() {
  if (!status_) return;
  framed_.clear();
  Builder<Trace>(framed_).add_message(Trace::packet, packet_);
  status_ = file_.write(framed_);
}

}  // namespace gilscope::perfetto
