# SPDX-License-Identifier: Apache-2.0
# A UDP client, step by step: socket, sendto, recvfrom, close. Say the server's name or address.
import socket
import sys

# 1. A socket of the same kind as the server's.
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 0)

# 2. Send a datagram and receive the answer, three times.
for message in ('hello', 'how are you', 'goodbye'):
    client.sendto(message.encode(), (sys.argv[1], 8888))
    data, address = client.recvfrom(1024)
    print('the server says:', data.decode(), flush=True)

# 3. Close.
client.close()
