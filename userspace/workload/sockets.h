// Pairs of connected sockets on the loopback interface. Both ends are made before the processes are
// forked, so that nobody has to find the other, and no port can be missed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "userspace/util/fd.h"
#include "userspace/util/result.h"

namespace gilscope {

struct Connection {
  Fd server, client;
};

// `port` 0: any that is free. TCP: one listening socket, without Nagle's delay.
Result<std::vector<Connection>> connect_tcp(size_t count, uint16_t port);
// UDP: a port for each connection, from `port` up.
Result<std::vector<Connection>> connect_udp(size_t count, uint16_t port);

}  // namespace gilscope
