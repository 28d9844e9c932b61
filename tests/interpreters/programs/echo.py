"""A server that answers one client over TCP, beside threads that compute: [1]."""
import socket

import gate


def serve(g, listener):
    connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    answered = 0
    while True:
        asked = connection.recv(64)
        if not asked:
            break
        connection.sendall(asked)
        answered += 1
    connection.close()
    return answered


def ask(g, address):
    client = socket.create_connection(address)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while g.open:
        client.sendall(b'x')
        client.recv(64)
    client.close()


busy, = gate.arguments([1])
listener = socket.socket()
listener.bind(('127.0.0.1', 0))
listener.listen(1)
gate.run((serve, 'serves', listener), (ask, 'asks', listener.getsockname()),
         *[(gate.busy, 'computes-%d' % i) for i in range(busy)])
