# SPDX-License-Identifier: Apache-2.0
# A UDP server, step by step: socket, bind, recvfrom, sendto, close. No connection, no promise.
import socket

# 1. A socket: IPv4, datagrams (UDP).
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 0)

# 2. Bind it to an address and a port.
server.bind(('0.0.0.0', 8888))
print('waiting for datagrams', flush=True)

# 3. Receive a datagram, learn who sent it, and answer there.
while True:
    data, address = server.recvfrom(1024)
    print('received:', data.decode(), flush=True)
    server.sendto(b'Received: ' + data, address)
    if data == b'goodbye':
        break

# 4. Close.
server.close()
