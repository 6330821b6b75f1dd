"""TLS in front of a plain server: prints its port, and passes bytes on until it is ended.

usage: tls.py CERTIFICATE KEY HOST PORT
"""

import socket
import ssl
import sys
import threading

certificate, key, host, port = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)


def copy(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(plain):
    try:
        client = context.wrap_socket(plain, server_side=True)
    except OSError:
        # A client that does not trust us goes away.
        return
    upstream = socket.create_connection((host, int(port)))
    threading.Thread(target=copy, args=(client, upstream), daemon=True).start()
    copy(upstream, client)
    client.close()
    upstream.close()


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
