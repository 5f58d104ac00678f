#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`lanyard up -d` returns when its servers listen, or says after a while who does not. usage: up_waits.py LANYARD"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
LAB = """lab: {name}
hosts: {{ bob: {{ run: {command} }}, carol: {{ run: exit 3 }}, alice: {{}} }}
links: [bob -- alice, carol -- alice]
"""


def up(lanyard, folder, name, command, *options):
    path = os.path.join(folder, name + '.yaml')
    with open(path, 'w') as file:
        file.write(LAB.format(name=name, command=json.dumps(command)))
    begin = time.monotonic()
    done = subprocess.run([lanyard, 'up', '-d', path, *options], capture_output=True, text=True, timeout=60)
    if 'seccomp' in done.stderr:
        print('skipped:', done.stderr.strip())
        sys.exit(SKIPPED)
    assert done.returncode == 0, done.stderr
    assert "carol's `exit 3` ended with 3" in done.stderr, done.stderr
    return done.stderr, time.monotonic() - begin


def unheard(lanyard, path, copy):
    with open(path) as file, open(copy, 'w') as other:
        other.write(file.read().replace('lab: half', 'lab: mute'))
    read, write = os.pipe()
    os.close(read)
    subprocess.run([lanyard, 'up', '-d', copy, '--wait', '1'], stdout=write, stderr=write, timeout=60, check=True)
    os.close(write)


def main():
    lanyard, own = os.path.abspath(sys.argv[1]), str(os.getpid())
    if not shutil.which('curl'):
        print('skipped: not installed: curl')
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory() as folder:
        try:
            said, took = up(lanyard, folder, 'late' + own, 'sleep 1; exec python3 -m http.server 80', '--wait', '50')
            assert took >= 1 and 'listen' not in said, (took, said)
            # No second try: it listens, or the test fails.
            asked = [lanyard, 'exec', '--lab', 'late' + own, 'alice', '--', 'curl', '-sSf', 'http://bob/']
            subprocess.run(asked, stdout=subprocess.DEVNULL, timeout=60, check=True)
            said, took = up(lanyard, folder, 'deaf' + own, 'exec sleep 1000', '--wait', '1')
            assert "after 1 s bob's `exec sleep 1000` listens on nothing yet" in said and 1 <= took < 20, (took, said)
            # Of two, one listens: it is not said that neither does.
            said, _ = up(lanyard, folder, 'half' + own, ['exec python3 -m http.server 80', 'exec sleep 1000'], '--wait', '8')
            half = "1 of bob's 2 programs (`exec python3 -m http.server 80`, `exec sleep 1000`) listens on nothing yet"
            assert half in said, said
            # Nobody reads what is said, and the lab is up all the same.
            unheard(lanyard, os.path.join(folder, 'half' + own + '.yaml'), os.path.join(folder, 'mute' + own + '.yaml'))
            asked = [lanyard, 'ping', '--lab', 'mute' + own, 'alice', 'bob', '-c', '1']
            subprocess.run(asked, stdout=subprocess.DEVNULL, timeout=60, check=True)
        finally:
            for name in ('late', 'deaf', 'half', 'mute'):
                subprocess.run([lanyard, 'down', '--lab', name + own], capture_output=True, timeout=60, check=False)


main()
