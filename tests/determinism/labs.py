#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""labs.py FOLDER_OF_LABS RUN_LABS..: each lab gives the same run file on one, two and four threads, each time, from
every RUN_LABS, which are built by different compilers.

One that is not there (a build that was not made) is left out, and it says so; exit 77 if nothing is left to do.
"""
import collections
import hashlib
import pathlib
import subprocess
import sys
import tempfile

THREADS = (1, 2, 4)
REPEATS = 3


def hashes_of(program, threads, labs):
    """(compiler, {(lab, hash)})"""
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run([str(program), str(threads), str(REPEATS), folder] + [str(lab) for lab in labs],
                             capture_output=True, text=True, timeout=250, check=False)
        if run.returncode != 0:
            raise SystemExit(f"{program} ended with {run.returncode}: {run.stderr.strip()[-1000:]}")
        files = sorted(pathlib.Path(folder).glob("*.pcapng"))
        if len(files) != REPEATS * len(labs):
            raise SystemExit(f"{program} left {len(files)} run files of {REPEATS * len(labs)}")
        return run.stdout.strip(), {(file.name.split(".")[0], hashlib.sha256(file.read_bytes()).hexdigest()) for file in files}


def main():
    labs = sorted(pathlib.Path(sys.argv[1]).glob("*.yaml"))
    programs = list(dict.fromkeys(pathlib.Path(name) for name in sys.argv[2:]))
    there = [program for program in programs if program.exists()]
    if not labs or not there:
        print(f"SKIP: {programs[0] if labs else sys.argv[1]} is not there")
        return 77
    for program in programs:
        if program not in there:
            print(f"left out: {program} is not built")
    found = collections.defaultdict(lambda: collections.defaultdict(list))
    compilers = set()
    for program in there:
        for threads in THREADS:
            compiler, hashes = hashes_of(program, threads, labs)
            compilers.add(compiler)
            for lab, digest in hashes:
                found[lab][digest].append(f"{compiler}, {threads} threads")
    different = {lab: ways for lab, ways in found.items() if len(ways) != 1}
    for lab, ways in sorted(different.items()):
        for digest, where in ways.items():
            print(f"{lab}: {digest[:16]} from {'; '.join(where)}")
    print(f"{len(found)} labs, {REPEATS} times each on {THREADS} threads, built by {' and '.join(sorted(compilers))}: "
          f"{len(different)} differ")
    return 1 if different else 0


sys.exit(main())
