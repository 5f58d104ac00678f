#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The course's programs, unmodified: on plain Linux and in a lab they print the same.

usage: course_same_output.py LANYARD
Linux means the loopback of a network namespace of its own, so that no port of this machine is touched.
"""
import os
import subprocess
import sys
import tempfile

SKIPPED = 77
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COURSE = os.path.join(SOURCE, 'examples', 'course')
PROGRAMS = ['tcp_server', 'tcp_client', 'udp_server', 'udp_client']

ON_LINUX = '''
ip link set lo up || exit 77
for kind in tcp udp; do
  python3 {course}/${{kind}}_server.py > {out}/${{kind}}_server.linux &
  for i in $(seq 100); do [ -s {out}/${{kind}}_server.linux ] && break; sleep 0.05; done
  python3 {course}/${{kind}}_client.py 127.0.0.1 > {out}/${{kind}}_client.linux || exit 1
  wait
done
'''

IN_A_LAB = '''
lab: course-same-output
hosts:
  bob:
    run:
      - {{ do: "python3 {course}/tcp_server.py > {out}/tcp_server.lab", expect: exit 0 }}
      - {{ do: "python3 {course}/udp_server.py > {out}/udp_server.lab", expect: exit 0 }}
  alice:
    run:
      - {{ do: "python3 {course}/tcp_client.py bob > {out}/tcp_client.lab", at: 1s, expect: exit 0 }}
      - {{ do: "python3 {course}/udp_client.py bob > {out}/udp_client.lab", at: 1s, expect: exit 0 }}
switches: [lan]
links: [alice -- lan, lan -- bob]
'''


def main():
    lanyard = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix='lanyard-course-') as out:
        namespace = ['unshare', '-Urn'] if os.geteuid() != 0 else ['unshare', '-n']
        done = subprocess.run(namespace + ['sh', '-c', ON_LINUX.format(course=COURSE, out=out)], timeout=60)
        if done.returncode != 0:
            print('skipped: no network namespace can be made here')
            sys.exit(SKIPPED)
        lab = os.path.join(out, 'course.yaml')
        with open(lab, 'w') as file:
            file.write(IN_A_LAB.format(course=COURSE, out=out))
        subprocess.run([lanyard, 'run', lab, '-o', os.path.join(out, 'run.pcapng')], check=True, timeout=60)
        for program in PROGRAMS:
            texts = [open(os.path.join(out, f'{program}.{place}')).read() for place in ('linux', 'lab')]
            if not texts[0] or texts[0] != texts[1]:
                sys.exit(f'{program} prints {texts[0]!r} on Linux and {texts[1]!r} in the lab')
            print(f'{program}: the same {len(texts[0])} bytes')


main()
