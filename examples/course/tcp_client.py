# SPDX-License-Identifier: Apache-2.0
# A TCP client, step by step: socket, connect, send, recv, close. Say the server's name or address.
import socket
import sys

# 1. A socket of the same kind as the server's: only like sockets can talk.
client = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0)

# 2. Connect to the server: the three-way handshake.
client.connect((sys.argv[1], 8888))

# 3. Send a message and receive the answer, three times.
for message in ('hello', 'how are you', 'goodbye'):
    client.send(message.encode())
    data = client.recv(1024)
    print('the server says:', data.decode(), flush=True)

# 4. Close: the four-way goodbye begins.
client.close()
