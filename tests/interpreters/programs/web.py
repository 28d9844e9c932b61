"""A small web server, asked by two clients, in whose process one thread computes."""
import socket
import threading

try:
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from socketserver import ThreadingMixIn
except ImportError:
    from BaseHTTPServer import BaseHTTPRequestHandler, HTTPServer
    from SocketServer import ThreadingMixIn

import gate


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True

    def do_GET(self):
        gate.name_thread('serves')
        page = b' '.join(b'%d' % (i * i) for i in range(200))
        self.send_response(200)
        self.send_header('Content-Length', str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *arguments):
        pass


class Server(ThreadingMixIn, HTTPServer):
    daemon_threads = True


def ask(g, port):
    asked = 0
    client = socket.create_connection(('127.0.0.1', port))
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    answer = client.makefile('rb')
    while g.open:
        client.sendall(b'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
        length = 0
        for line in iter(answer.readline, b'\r\n'):
            if line.lower().startswith(b'content-length:'):
                length = int(line.split(b':')[1])
        answer.read(length)
        asked += 1
    answer.close()
    client.close()
    return asked


server = Server(('127.0.0.1', 0), Handler)
accepts = threading.Thread(target=server.serve_forever)
accepts.daemon = True
accepts.start()
port = server.server_address[1]
gate.run((gate.busy, 'computes'), (ask, 'asks-0', port), (ask, 'asks-1', port))
