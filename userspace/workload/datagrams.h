// ccbench's two conversations over UDP (CPython 2.7 to 3.11, Tools/ccbench), with every sample kept
// and losses counted.
//
// latency:background=1,seconds=2[,interval=1ms][,task=count][,port=0]
//   The client sends a ping to each measured thread every `interval`, at set times and whatever
//   became of the last one; the thread measures from the sending until it has the ping and the GIL.
//   One operation is one ping received.
// bandwidth:background=1,seconds=2[,size=1k][,window=16][,task=count][,port=0]
//   The client keeps `window` datagrams of `size` bytes in flight on each connection; the measured
//   threads send them back. One operation is one datagram sent back.
#pragma once

#include "userspace/workload/workload.h"

namespace gilscope {

std::vector<Parameter> latency_parameters();
std::unique_ptr<Workload> make_latency(const Parameters& parameters);

std::vector<Parameter> bandwidth_parameters();
std::unique_ptr<Workload> make_bandwidth(const Parameters& parameters);

}  // namespace gilscope
