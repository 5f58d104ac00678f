# SPDX-License-Identifier: Apache-2.0
"""An echo request whose IPv4 header the program writes itself (raw(7), IP_HDRINCL), to the host named."""
import socket
import struct
import sys


def checksum(data):
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def main():
    to = socket.gethostbyname(sys.argv[1])
    replies = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    replies.settimeout(5)
    sends = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    assert sends.getsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL) == 1
    echo = struct.pack('!BBHHH', 8, 0, 0, 0x4c61, 7) + b'lanyard!'
    echo = echo[:2] + struct.pack('!H', checksum(echo)) + echo[4:]
    header = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 0, 0, 0, 33, socket.IPPROTO_ICMP, 0, bytes(4), socket.inet_aton(to))
    sends.sendto(header + echo, (to, 0))
    while True:
        packet, peer = replies.recvfrom(2048)
        message = packet[(packet[0] & 15) * 4:]
        if message[0] == 0 and message[4:8] == echo[4:8]:
            print('answered by', peer[0], 'with', message[8:].decode())
            return


main()
