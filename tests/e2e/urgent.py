# SPDX-License-Identifier: Apache-2.0
"""Urgent data both ways: urgent.py server PORT | urgent.py client HOST PORT. Prints the same on Linux as in a lab."""
import array
import fcntl
import os
import select
import signal
import socket
import sys

SIOCATMARK = 0x8905


def is_at_mark(stream):
    answer = array.array('i', [0])
    fcntl.ioctl(stream, SIOCATMARK, answer)
    return answer[0] != 0


def until_mark(stream):
    got = b''
    while not is_at_mark(stream):
        got += stream.recv(100)
    return got


def wait_for_urgent(stream):
    """What select(2) calls an exceptional condition."""
    return select.select([], [], [stream], 20)[2] == [stream]


def serve(port):
    listener = socket.create_server(('0.0.0.0', port))
    print('listening', flush=True)
    stream = listener.accept()[0]
    print('urgent data waits:', wait_for_urgent(stream))
    print('before the mark:', until_mark(stream))
    print('out of band:', stream.recv(1, socket.MSG_OOB))
    try:
        stream.recv(1, socket.MSG_OOB)
    except OSError as error:
        print('once more:', error.strerror)
    print('after the mark:', stream.recv(5, socket.MSG_WAITALL))
    stream.sendall(b'reply')
    stream.sendmsg([b'Q', b'?'], [], socket.MSG_OOB)
    stream.sendall(b'end')
    print('the end:', stream.recv(1))


def ask(host, port):
    signals = []
    signal.signal(signal.SIGURG, lambda number, frame: signals.append(number))
    stream = socket.create_connection((host, port))
    fcntl.fcntl(stream, fcntl.F_SETOWN, os.getpid())
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
    stream.sendall(b'hello')
    stream.send(b'!', socket.MSG_OOB)
    stream.sendall(b'world')
    wait_for_urgent(stream)
    print('before the mark:', until_mark(stream))
    print('in line:', stream.recv(4, socket.MSG_WAITALL))
    print('signals:', [signal.Signals(number).name for number in signals][:1])


if sys.argv[1] == 'server':
    serve(int(sys.argv[2]))
else:
    ask(sys.argv[2], int(sys.argv[3]))
