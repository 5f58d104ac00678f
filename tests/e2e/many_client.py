# SPDX-License-Identifier: Apache-2.0
# Opens the given number of connections at once and counts the answers, with a selector.
import selectors
import socket
import sys

host, number = sys.argv[1], int(sys.argv[2])
address = socket.getaddrinfo(host, 9000, socket.AF_INET, socket.SOCK_STREAM)[0][4]
selector = selectors.DefaultSelector()
for index in range(number):
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(address)
    selector.register(client, selectors.EVENT_WRITE, index)
answers = 0
while selector.get_map():
    for key, events in selector.select():
        if events & selectors.EVENT_WRITE:
            key.fileobj.sendall(b'client %d' % key.data)
            selector.modify(key.fileobj, selectors.EVENT_READ, key.data)
        elif text := key.fileobj.recv(100):
            answers += text.startswith(b'client %d is number' % key.data)
        else:
            selector.unregister(key.fileobj)
            key.fileobj.close()
print(answers, 'answers')
