"""A TLS front before a server of plain HTTP: tls.py PORT UPSTREAM_PORT CERTIFICATE KEY"""

import socket
import ssl
import sys
import threading

PORT, UPSTREAM = int(sys.argv[1]), int(sys.argv[2])


def pour(source, sink):
    try:
        while piece := source.recv(1 << 16):
            sink.sendall(piece)
    except OSError:
        pass
    for one in (source, sink):
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(client):
    try:
        shown = context.wrap_socket(client, server_side=True)
        behind = socket.create_connection(("127.0.0.1", UPSTREAM))
    except OSError:
        return client.close()
    threading.Thread(target=pour, args=(shown, behind), daemon=True).start()
    pour(behind, shown)


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[3], sys.argv[4])
listener = socket.create_server(("127.0.0.1", PORT), backlog=64)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
