#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs one lab with stock programs from beginning to end, lets tshark judge every frame of its run file, and makes the run
again from the file alone, which must give the same bytes.

usage: run_lab.py LANYARD LAB.yaml
Exit status 77 means skipped: a program the lab needs is not installed, or the kernel lacks something.
"""
import os
import re
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'tools'))
import scratch  # noqa: E402

SKIPPED = 77
# For the kernel's stack, or for what asks netlink about interfaces.
NAMESPACE_NEEDED = re.compile('kind: linux|needs a network namespace')
# What a lab may need, by the first word of its commands.
NEEDED = ['python3', 'curl', 'nginx', 'wrk', 'redis-server', 'redis-cli', 'redis-benchmark', 'git', 'node', 'busybox',
          'nc', 'dig', 'getent', 'iperf3', 'ping', 'traceroute.db', 'tracepath']
# Expert remarks that a damaged or a closing conversation brings with it; anything else of severity warning is a fault.
EXPECTED_REMARKS = ['retransmission', 'Previous segment', 'Duplicate ACK', 'Out-Of-Order', 'out-of-order', 'D-SACK', 'ACKed segment',
                    'Connection reset', 'TCP window', 'Window', 'window', 'Connection establish', 'Connection finish',
                    'keep-alive', 'Keep-Alive', 'unseen segment', 'No response seen', 'Unencrypted', 'no response',
                    'Cleartext', 'DNS response', 'DNS query']
# Hosts see their own loss and rebuild; with a lossless lab even retransmissions are unexpected.
# What an ICMP error quotes is mostly cut off, and tshark sums up the piece of a segment in an ICMPv6 one as if it were all.
BAD_FRAMES = ('_ws.malformed || ip.checksum.status == "Bad" || icmp.checksum.status == "Bad" || icmpv6.checksum.status == "Bad" || '
              '((tcp.checksum.status == "Bad" || udp.checksum.status == "Bad") && !icmp && !icmpv6)')
OUR_PROTOCOLS = ['Ethernet', 'ARP/RARP', 'ARP', 'IPv4', 'IPv6', 'ICMP', 'ICMPv6', 'UDP', 'TCP', 'DNS']
long_run_bytes = 20_000_000
CHECKSUMS = ['-o', 'ip.check_checksum:TRUE', '-o', 'tcp.check_checksum:TRUE', '-o', 'udp.check_checksum:TRUE']


def make_files(folder):
    """What the labs serve: a small file, large ones, and a git repository."""
    with open(os.path.join(folder, 'hello.txt'), 'w') as file:
        file.write('hello from a file\n')
    block = bytes((i * 2654435761 >> 13) & 0xff for i in range(1_000_000))
    for name, megabytes in (('ten-megabytes', 10), ('hundred-megabytes', 100)):
        with open(os.path.join(folder, name), 'wb') as file:
            for i in range(megabytes):
                file.write(block[i * 997:] + block[:i * 997])
    git = ['git', '-c', 'user.name=Test', '-c', 'user.email=test@example.org', '-c', 'init.defaultBranch=main']
    repository = os.path.join(folder, 'repository.git')
    if shutil.which('git'):
        subprocess.run(git + ['init', '-q', repository], check=True)
        shutil.copy(os.path.join(folder, 'hello.txt'), repository)
        subprocess.run(git + ['-C', repository, 'add', '.'], check=True)
        subprocess.run(git + ['-C', repository, 'commit', '-q', '-m', 'the first commit'], check=True)


def blocks_of(data):
    at = 0
    while at + 12 <= len(data):
        kind, length = struct.unpack_from('<II', data, at)
        yield kind, data[at:at + length]
        at += length


def interfaces(data):
    return sum(kind == 1 for kind, _ in blocks_of(data))


def one_interface(data, number):
    """The run file as one interface saw it, since analysis of a conversation must see each frame once."""
    enhanced_packet, interface_description, section = 6, 1, 0x0a0d0d0a
    kept = [block for kind, block in blocks_of(data)
            if kind in (section, interface_description)
            or (kind == enhanced_packet and struct.unpack_from('<I', block, 8)[0] == number)]
    return b''.join(kept)


def tshark(path, *arguments):
    done = subprocess.run(['tshark', '-n', '-r', path, *CHECKSUMS, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f'tshark cannot read {path}: {done.stderr}')
    return [line for line in done.stdout.splitlines() if line.strip()]


def judge(run_file, folder):
    """What tshark finds wrong with the run file, as lines."""
    # A frame stands in the file once for each port it passed, which reassembly takes for overlap.
    faults = tshark(run_file, '-o', 'tcp.desegment_tcp_streams:FALSE', '-Y', BAD_FRAMES)
    with open(run_file, 'rb') as file:
        data = file.read()
    # The expert sees each conversation at the first few ports, of a long run at the first: the rest says the same again.
    is_long = len(data) >= long_run_bytes
    looked_at = 1 if is_long else 4
    # A long transfer put together for whoever reads its payload takes tshark minutes, and says no more of TCP.
    pieces = ['-o', 'tcp.desegment_tcp_streams:FALSE'] if is_long else []
    for number in range(min(interfaces(data), looked_at)):
        part = os.path.join(folder, 'part.pcapng')
        with open(part, 'wb') as file:
            file.write(one_interface(data, number))
        for line in tshark(part, '-q', *pieces, '-z', 'expert,warn'):
            words = line.split(maxsplit=3)
            # What other dissectors guess a payload to be is no matter of ours.
            is_remark = len(words) == 4 and words[0].isdigit() and words[2] in OUR_PROTOCOLS
            if is_remark and not any(remark in words[3] for remark in EXPECTED_REMARKS):
                faults.append(f'port {number}: {line.strip()}')
    return faults


def needed_programs(text):
    commands = text[:text.find('\nlinks:')]
    return [name for name in NEEDED if name in commands]


def main():
    lanyard, lab = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    with open(lab) as file:
        text = file.read()
    missing = [name for name in needed_programs(text) if not shutil.which(name)]
    if missing:
        print('skipped: not installed:', ', '.join(missing))
        sys.exit(SKIPPED)
    without = [name for name in os.environ.get('LANYARD_KERNEL_WITHOUT', '').split(',') if name]
    said = subprocess.run([lanyard, 'version'], capture_output=True, text=True, timeout=60, check=True).stdout
    for name in without:
        if not any(line.startswith('no ') and name.split('_')[0] in line.lower() for line in said.splitlines()):
            sys.exit(f'`lanyard version` knows nothing of a kernel without {name}:\n{said}')
    if NAMESPACE_NEEDED.search(text) and 'no namespaces for this user' in said:
        print('skipped: the lab needs a network namespace, and this user may make none')
        sys.exit(SKIPPED)
    with scratch.folder() as folder:
        files, own = os.path.join(folder, 'files'), os.path.join(folder, 'own')
        os.mkdir(files)
        os.mkdir(own)
        os.chmod(folder, 0o755)
        make_files(files)
        source = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        environment = dict(os.environ, LANYARD_TEST_FILES=files, LANYARD_TEST_DIRECTORY=own, LANYARD_SOURCE=source,
                           NO_COLOR='1', GIT_CONFIG_COUNT='1', GIT_CONFIG_KEY_0='safe.directory',
                           GIT_CONFIG_VALUE_0='*')
        run_file = os.path.join(own, 'run.pcapng')
        # nginx started as root wants to become somebody else; as an ordinary user none of this matters.
        done = subprocess.run([lanyard, 'run', lab, '-o', run_file], env=environment, timeout=400,
                              capture_output=True, text=True, errors='replace')
        print(done.stdout[-20000:])
        print(done.stderr[-5000:], file=sys.stderr)
        if 'needs a kernel with' in done.stderr:
            print('skipped:', done.stderr.strip())
            sys.exit(SKIPPED)
        if done.returncode != 0:
            sys.exit(f'lanyard run ended with {done.returncode}')
        if shutil.which('tshark'):
            faults = judge(run_file, own)
            if faults:
                sys.exit('tshark objects:\n' + '\n'.join(faults[:40]))
            print('tshark finds nothing wrong')
        again = subprocess.run([lanyard, 'replay', run_file], timeout=400, capture_output=True, text=True, errors='replace')
        print(again.stdout, again.stderr)
        if again.returncode != 0 or 'the same run file, byte for byte' not in again.stdout:
            sys.exit(f'lanyard replay ended with {again.returncode}')


main()
