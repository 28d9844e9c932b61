// Workloads whose threads do I/O without a client.
//
// file:background=1,seconds=2[,size=4k][,dir=/var/tmp][,task=count]
//   Each measured thread writes `size` bytes to a file of its own and syncs it, the GIL released
//   for each of the two calls. The file has no name and is gone with the run. One operation is one
//   write made durable; its latency is measured from before the write until the GIL is back.
// convoy:background=1,seconds=2[,burst=100][,task=count]
//   Each measured thread computes `burst` iterations of counting and then makes two calls that
//   never wait for anything, a send over UDP to itself and its receipt, the GIL released for each:
//   short I/O that queues up behind the computing threads. One operation is one such exchange.
#pragma once

#include "userspace/workload/workload.h"

namespace gilscope {

std::vector<Parameter> file_parameters();
std::unique_ptr<Workload> make_file(const Parameters& parameters);

std::vector<Parameter> convoy_parameters();
std::unique_ptr<Workload> make_convoy(const Parameters& parameters);

}  // namespace gilscope
