// Pairs of connected sockets on the loopback interface. Both ends are made before the processes are
// forked, so that neither process has to find the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "userspace/base/fd.h"
#include "userspace/base/result.h"

namespace gilscope {

struct Connection {
  Fd server, client;
};

// TCP: one listening socket, without Nagle's delay. Port 0: any free one.
Result<std::vector<Connection>> connect_tcp(size_t count, uint16_t port);
// UDP: a port for each connection, from `port` up. Port 0: any free ones.
Result<std::vector<Connection>> connect_udp(size_t count, uint16_t port);

}  // namespace gilscope
