#include "userspace/workload/sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

#include "userspace/base/refusal.h"

namespace gilscope {
namespace {

sockaddr_in loopback(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

const sockaddr* generic(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

Result<Fd> new_socket(int type) {
  Fd socket(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  if (!socket) return refused("cannot make a socket");
  return socket;
}

Status bind_to(const Fd& socket, uint16_t port, const char* protocol) {
  const sockaddr_in address = loopback(port);
  if (::bind(socket.get(), generic(address), sizeof(address)) == 0) return {};
  if (errno == EADDRINUSE) {
    return fail(
        fmt::format("{} port {} of 127.0.0.1 is in use: give the workload another port=, or "
                    "none, and a free one is taken",
                    protocol, port));
  }
  return fail_errno(fmt::format("cannot bind {} port {} of 127.0.0.1", protocol, port));
}

Result<sockaddr_in> address_of(const Fd& socket) {
  sockaddr_in address = {};
  socklen_t size = sizeof(address);
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size)) {
    return fail_errno("getsockname");
  }
  return address;
}

Status connect_to(const Fd& socket, const sockaddr_in& address) {
  if (::connect(socket.get(), generic(address), sizeof(address)) == 0) return {};
  return fail_errno(
      "cannot connect to 127.0.0.1 (is the loopback interface up? `ip link set lo up`)");
}

Status set_option(const Fd& socket, int level, int option) {
  const int on = 1;
  if (::setsockopt(socket.get(), level, option, &on, sizeof(on))) return fail_errno("setsockopt");
  return {};
}

Result<Connection> next_of(const Fd& listener, const sockaddr_in& address) {
  auto client = new_socket(SOCK_STREAM);
  if (!client) return fail(client.error());
  if (Status s = connect_to(*client, address); !s) return fail(s.error());
  Fd server(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!server) return fail_errno("accept");
  for (const Fd* end : {&*client, &server}) {
    if (Status s = set_option(*end, IPPROTO_TCP, TCP_NODELAY); !s) return fail(s.error());
  }
  return Connection{std::move(server), std::move(*client)};
}

Result<Connection> datagram_pair(uint16_t port) {
  auto server = new_socket(SOCK_DGRAM);
  if (!server) return fail(server.error());
  auto client = new_socket(SOCK_DGRAM);
  if (!client) return fail(client.error());
  if (Status s = bind_to(*server, port, "UDP"); !s) return fail(s.error());
  if (Status s = bind_to(*client, 0, "UDP"); !s) return fail(s.error());
  auto of_server = address_of(*server);
  if (!of_server) return fail(of_server.error());
  auto of_client = address_of(*client);
  if (!of_client) return fail(of_client.error());
  if (Status s = connect_to(*server, *of_client); !s) return fail(s.error());
  if (Status s = connect_to(*client, *of_server); !s) return fail(s.error());
  return Connection{std::move(*server), std::move(*client)};
}

}  // namespace

Result<std::vector<Connection>> connect_tcp(size_t count, uint16_t port) {
  auto listener = new_socket(SOCK_STREAM);
  if (!listener) return fail(listener.error());
  // The previous run's connections linger on a port given by number.
  if (Status s = set_option(*listener, SOL_SOCKET, SO_REUSEADDR); !s) return fail(s.error());
  if (Status s = bind_to(*listener, port, "TCP"); !s) return fail(s.error());
  if (::listen(listener->get(), 1)) {
    if (errno == EADDRINUSE) return fail(fmt::format("TCP port {} of 127.0.0.1 is in use", port));
    return fail_errno("listen");
  }
  auto address = address_of(*listener);
  if (!address) return fail(address.error());
  std::vector<Connection> connections;
  for (size_t i = 0; i < count; ++i) {
    auto connection = next_of(*listener, *address);
    if (!connection) return fail(connection.error());
    connections.push_back(std::move(*connection));
  }
  return connections;
}

Result<std::vector<Connection>> connect_udp(size_t count, uint16_t port) {
  std::vector<Connection> connections;
  for (size_t i = 0; i < count; ++i) {
    auto connection = datagram_pair(port == 0 ? 0 : static_cast<uint16_t>(port + i));
    if (!connection) return fail(connection.error());
    connections.push_back(std::move(*connection));
  }
  return connections;
}

}  // namespace gilscope
