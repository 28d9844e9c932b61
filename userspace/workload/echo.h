// echo:background=1,seconds=2[,size=64][,task=count][,port=0]: TCP request and response over
// loopback. Each measured thread serves one connection: receive and send release the GIL, as a
// socket's recv and sendall do, so an answer takes the GIL twice. The client keeps one request in
// flight on each connection and measures from its sending to the whole answer; one operation is one
// request answered.
#pragma once

#include "userspace/workload/workload.h"

namespace gilscope {

std::vector<Parameter> echo_parameters();
std::unique_ptr<Workload> make_echo(const Parameters& parameters);

}  // namespace gilscope
