# SPDX-License-Identifier: Apache-2.0
# Accepts the given number of connections, answers none before all are there, then each.
import socket
import sys

number = int(sys.argv[1])
server = socket.create_server(('0.0.0.0', 9000), backlog=number)
clients = [server.accept()[0] for _ in range(number)]
for index, client in enumerate(clients):
    client.sendall(client.recv(100) + b' is number %d' % index)
    client.close()
