#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a person gets wrong at the command line is said, with the exit status for it; nothing hangs, and nothing is written over.
usage: mistakes.py LANYARD"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

LANYARD = os.path.abspath(sys.argv[1])
LAB = """lab: {name}
hosts:
  alice: {{ run: {{ do: ping bob -c 1, at: when bob listens on 9 }} }}
  bob: {{ run: http serve }}
links: [alice -- bob: {{ delay: 5ms }}]
"""


class Folder:
    def __init__(self, path):
        self.path = path
        self.environment = dict(os.environ, XDG_RUNTIME_DIR=path)

    def write(self, name, text):
        with open(os.path.join(self.path, name), 'w') as file:
            file.write(text)

    def read(self, name):
        with open(os.path.join(self.path, name)) as file:
            return file.read()

    def lanyard(self, *words):
        return subprocess.run([LANYARD, *words], cwd=self.path, env=self.environment, capture_output=True, text=True, timeout=60)

    def expect(self, status, error, *words):
        done = self.lanyard(*words)
        assert done.returncode == status, (words, done)
        assert error in done.stderr if error else not done.stderr, (words, done)
        return done.stdout


def words(folder):
    everything = folder.expect(0, '')
    assert '\n  hunt ' in everything
    assert folder.expect(0, '', 'help') == everything
    folder.expect(2, 'there is no option `--sed`; did you mean `--seed`?', 'run', 'a.yaml', '--sed', '1')
    folder.expect(2, '`b.yaml` was not expected', 'run', 'a.yaml', 'b.yaml', 'c.yaml')
    folder.expect(2, 'there is no option `-v`\n', '-v')


def files(folder):
    text = LAB.format(name='mistakes')
    folder.write('lab.yaml', text)
    folder.expect(2, 'the file cannot be read: No such file or directory', 'run', 'nowhere.yaml')
    folder.expect(2, 'the file cannot be read: Is a directory', 'run', folder.path)
    folder.write('wrong.yaml', 'hosts: [alice, bob]\nlinks:\n  - alice -- zed: { dealy: 1ms, loss: 1 }\n')
    for problem in ('3:14: unknown node `zed`', '3:21: unknown key `dealy`', '3:39: bad loss `1`'):
        folder.expect(2, 'wrong.yaml:' + problem, 'run', 'wrong.yaml')
    for verb, option in (('run', '-o'), ('run', '--junit'), ('up', '-o'), ('hunt', '-o'), ('hunt', '--resume'), ('import', '-o')):
        folder.expect(2, 'lab.yaml is what is read here', verb, 'lab.yaml', option, 'lab.yaml')
        if verb != 'import':
            folder.expect(2, 'nowhere/file: No such file or directory', verb, 'lab.yaml', option, 'nowhere/file')
    assert folder.read('lab.yaml') == text
    folder.expect(0, 'alice was never started: its moment did not come: ping bob -c 1', 'run', 'lab.yaml', '-q', '-o', 'run.pcapng')
    folder.expect(2, 'run.pcapng is what is read here', 'replay', 'run.pcapng', '-o', 'run.pcapng')
    folder.expect(2, 'nowhere/file: No such file', 'replay', 'run.pcapng', '-o', 'nowhere/file')


def ping_interrupted(folder):
    """Ctrl-C ends a ping with its statistics."""
    with subprocess.Popen([LANYARD, 'ping', '-c', '1000', 'alice', 'bob'], env=folder.environment, stdout=subprocess.PIPE,
                          text=True) as process:
        for _ in range(3):
            process.stdout.readline()
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[0]
    assert process.returncode == 0 and '0% packet loss\nrtt' in said, (process.returncode, said)


def crashed(folder):
    """What is asked of a machine that is down is refused; it waited for ever."""
    name = 'down' + str(os.getpid())
    folder.write('live.yaml', LAB.format(name=name))
    folder.expect(0, '', 'up', '-d', 'live.yaml', '--wait', '0')
    try:
        folder.expect(2, 'write `crash bob`', 'act', 'crash')
        folder.expect(2, 'unknown key `los` in `set`: did you mean `loss`?', 'set', 'alice', '--', 'bob', 'delay=5ms', 'los=3%')
        folder.expect(0, '', 'act', 'crash', 'alice')
        why = 'alice has crashed: `lanyard act restart alice` brings it back'
        folder.expect(127, why, 'exec', 'alice', '--', 'true')
        folder.expect(127, why, 'exec', '-b', 'alice', '--', 'ping', 'bob')
        folder.expect(127, why, 'ping', 'alice', 'bob')
        folder.expect(2, why, 'sockets', 'alice')
        folder.expect(0, why, 'routes')
        folder.expect(0, '', 'act', 'restart', 'alice')
        folder.expect(0, '', 'ping', '-c', '1', 'alice', 'bob')
        ping_interrupted(folder)
    finally:
        folder.lanyard('down')


def interrupted(folder):
    """Ctrl-C ends a hunt as a budget does: the state is kept."""
    folder.write('hunted.yaml', LAB.format(name='hunted').replace('when bob listens on 9', '1s'))
    process = subprocess.Popen([LANYARD, 'hunt', 'hunted.yaml', '--faults', 'duplicate', '--budget', '40s', '--resume', 'state'],
                               cwd=folder.path, stdout=subprocess.PIPE, text=True)
    caught = 1 << (signal.SIGINT - 1)
    while process.poll() is None:  # until it listens
        with open(f'/proc/{process.pid}/status') as file:
            if any(int(line.split()[1], 16) & caught for line in file if line.startswith('SigCgt')):
                break
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, (process.returncode, said)
    runs = json.loads(folder.read('state'))['runs']
    assert said == f'Interrupted. {runs} runs, none fails (seed 1).\n', (said, runs)


def main():
    with tempfile.TemporaryDirectory() as path:
        folder = Folder(path)
        words(folder)
        files(folder)
        crashed(folder)
        interrupted(folder)


main()
