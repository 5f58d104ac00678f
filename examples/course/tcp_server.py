# SPDX-License-Identifier: Apache-2.0
# A TCP server, step by step: socket, bind, listen, accept, recv, send, close.
import socket

# 1. A socket: IPv4, a stream (TCP).
server = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0)

# 2. Bind it to an address and a port: 0.0.0.0 is every address of this machine.
server.bind(('0.0.0.0', 8888))

# 3. Listen: up to five clients may wait to be accepted.
server.listen(5)
print('waiting for a client', flush=True)

# 4. Accept a client: a new socket for this one conversation, and the client's address.
client, address = server.accept()

# 5. Receive up to 1024 bytes at a time and answer; no bytes mean that the client has closed.
while True:
    data = client.recv(1024)
    if not data:
        break
    print('received:', data.decode(), flush=True)
    client.send(b'Received: ' + data)

# 6. Close both sockets.
client.close()
server.close()
print('the client has left', flush=True)
