#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs that end in other ways than a quiet end, each made again from its file alone: ended by Ctrl-C, with a program that
crashed, with a machine that crashed, and of a lab that was up while a person cut links, changed them and started programs.
Then a byte of what a program sent is changed in the file, which must be noticed.

usage: replay_live.py LANYARD
Exit status 77 means skipped: a program the labs need is not installed, or the kernel lacks something.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
LANYARD = os.path.abspath(sys.argv[1])
AGAIN = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'again.sh')

TRANSFER = '''lab: transfer
seed: 7
hosts:
  bob: { run: python3 -u -m http.server 80 --directory FOLDER }
  alice: { run: { do: "sh AGAIN 'curl -sS -o /dev/null http://bob/big'", expect: any } }
routers: [r1]
links:
  - alice -- r1
  - r1 -- bob: { delay: 5ms, rate: 20Mbit, loss: 1% }
'''
CRASHES = TRANSFER.replace('lab: transfer', 'lab: crashes').replace(
    "run: { do: \"sh AGAIN 'curl -sS -o /dev/null http://bob/big'\", expect: any }",
    'run: { do: "python3 FOLDER/crash.py", expect: any }')
CRASH = '''import os, signal, socket, time
for _ in range(200):
    try:
        peer = socket.create_connection(('bob', 80))
        break
    except OSError:
        time.sleep(0.05)
peer.sendall(b'GET /big HTTP/1.0\\r\\n\\r\\n')
got = 0
while got < 200000:
    got += len(peer.recv(65536))
os.kill(os.getpid(), signal.SIGSEGV)
'''
MACHINE = TRANSFER.replace('lab: transfer', 'lab: machine').replace(
    'expect: any }', 'expect: any }').replace('links:', 'until: 5s\nat:\n  - 2s: crash bob\nlinks:')


class Folder:
    def __init__(self, path):
        self.path = path
        with open(os.path.join(path, 'big'), 'wb') as file:
            file.write(bytes(i * 7 & 0xff for i in range(4_000_000)))
        self.write('crash.py', CRASH)

    def write(self, name, text):
        path = os.path.join(self.path, name)
        with open(path, 'w') as file:
            file.write(text.replace('FOLDER', self.path).replace('AGAIN', AGAIN))
        return path

    def run_file(self, name):
        return os.path.join(self.path, name + '.pcapng')


def skip_if_it_says_so(text):
    if 'needs a kernel with' in text:
        print('skipped:', text.strip())
        sys.exit(SKIPPED)


def replay(run_file):
    done = subprocess.run([LANYARD, 'replay', run_file, '--json'], capture_output=True, text=True, timeout=200)
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


def expect_same(name, run_file):
    status, page = replay(run_file)
    print(name, status, page)
    if status != 0 or not page['same'] or page['frames'] < 20:
        sys.exit(f'{name}: the replay is not the same')


def run(folder, name, text, interrupt_after=None):
    """Runs a lab; with `interrupt_after` seconds, as ended by Ctrl-C."""
    lab, run_file = folder.write(name + '.yaml', text), folder.run_file(name)
    process = subprocess.Popen([LANYARD, 'run', lab, '-q', '-o', run_file], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True)
    if interrupt_after:
        deadline = time.monotonic() + 60
        while not (os.path.exists(run_file) and os.path.getsize(run_file) > 100_000):
            if process.poll() is not None or time.monotonic() > deadline:
                break
            time.sleep(0.1)
        time.sleep(interrupt_after)
        process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=120)
    print(said[-3000:])
    skip_if_it_says_so(said)
    if interrupt_after and 'Interrupted' not in said:
        sys.exit(f'{name}: it ended before it was interrupted')
    expect_same(name, run_file)
    return run_file


def live(folder):
    """A lab that is up, and a person at it."""
    lab, run_file = folder.write('live.yaml', TRANSFER.replace('lab: transfer', 'lab: live-replay')), folder.run_file('live')
    environment = dict(os.environ, XDG_RUNTIME_DIR=folder.path)

    def command(*words):
        done = subprocess.run([LANYARD, *words], env=environment, capture_output=True, text=True, timeout=60)
        print(words, done.returncode, done.stdout[-500:], done.stderr[-500:])
        return done
    done = command('up', '-d', lab, '-o', run_file)
    skip_if_it_says_so(done.stderr)
    command('exec', 'alice', '--', 'sh', AGAIN, 'curl -sS -o /dev/null http://bob/crash.py')
    command('cut', 'r1', '--', 'bob')
    command('exec', 'alice', '--', 'sh', '-c', 'curl -sS -m 1 http://bob/crash.py')
    command('heal', 'r1', '--', 'bob')
    command('act', 'set r1 -- bob delay 2ms, loss 3%')
    command('exec', 'alice', '--', 'curl', '-sS', 'http://bob/crash.py')
    command('ping', '-c', '3', 'alice', 'bob')
    command('sockets')
    command('act', 'crash bob')
    command('down')
    deadline = time.monotonic() + 30
    status, page = replay(run_file)
    while status == 2 and time.monotonic() < deadline:  # the end of the file is still being written
        time.sleep(0.2)
        status, page = replay(run_file)
    expect_same('live', run_file)


def changed_byte(folder, run_file):
    """In the inputs, what alice asked for is the last text of its kind in a block of them."""
    with open(run_file, 'rb') as file:
        data = bytearray(file.read())
    places = []
    at = 0
    while (at := data.find(b'GET /big HTTP', at)) >= 0:
        places.append(at)
        at += 1
    noticed = 0
    for place in places:
        changed = folder.run_file('changed')
        data[place + 5] ^= 1
        with open(changed, 'wb') as file:
            file.write(data)
        data[place + 5] ^= 1
        status, page = replay(changed)
        noticed += status == 1 and not page['same']
    print('a changed byte was noticed', noticed, 'times of', len(places))
    if not places or noticed != len(places):
        sys.exit('a changed byte was not noticed')


def main():
    missing = [name for name in ('python3', 'curl') if not shutil.which(name)]
    if missing:
        print('skipped: not installed:', ', '.join(missing))
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory(prefix='lanyard-replay-') as path:
        os.chmod(path, 0o755)
        folder = Folder(path)
        interrupted = run(folder, 'interrupted', TRANSFER.replace('20Mbit', '2Mbit'), interrupt_after=1.0)
        changed_byte(folder, interrupted)
        run(folder, 'crashes', CRASHES)
        run(folder, 'machine', MACHINE)
        live(folder)


main()
