#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""labs.py [--update] FOLDER_OF_LABS RUN_LABS..: each lab gives the same run file on one, two and four threads, each time,
from every RUN_LABS, which are built by different compilers: the one whose SHA-256 is in run_files.sha256 beside the folder.

So nothing changes what happens on the wire, or what is kept of it, without saying so: where that is what a change is for,
--update writes the file anew (`sha256sum` reads it), and the commit says which labs changed and why.

A RUN_LABS that is not there (a build that was not made) is left out, and it says so; exit 77 if nothing is left to do.
"""
import collections
import hashlib
import pathlib
import subprocess
import sys
import tempfile

THREADS = (1, 2, 4)
REPEATS = 3
KEPT = "run_files.sha256"


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


def kept_hashes(folder):
    """{lab: hash}"""
    lines = (folder.parent / KEPT).read_text(encoding="utf-8").splitlines()
    return {name.removesuffix(".pcapng"): digest for digest, name in (line.split() for line in lines)}


def write_hashes(folder, hashes):
    text = "".join(f"{digest}  {lab}.pcapng\n" for lab, digest in sorted(hashes.items()))
    (folder.parent / KEPT).write_text(text, encoding="utf-8")


def is_as_kept(folder, hashes):
    kept = kept_hashes(folder)
    changed = sorted(lab for lab in kept.keys() | hashes.keys() if kept.get(lab) != hashes.get(lab))
    for lab in changed:
        print(f"{lab}: the run file is not the one kept: {hashes.get(lab, 'no such lab')[:16]}, kept {kept.get(lab, 'none')[:16]}")
    if changed:
        print(f"if that is what the change is for: {sys.argv[0]} --update {folder} RUN_LABS")
    return not changed


def main():
    arguments = sys.argv[1:]
    update = arguments[:1] == ["--update"]
    folder, *programs = [pathlib.Path(name) for name in arguments[1 if update else 0:]]
    labs = sorted(folder.glob("*.yaml"))
    programs = list(dict.fromkeys(programs))
    there = [program for program in programs if program.exists()]
    if not labs or not there:
        print(f"SKIP: {programs[0] if labs else folder} is not there")
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
    if different:
        return 1
    hashes = {lab: next(iter(ways)) for lab, ways in found.items()}
    if update:
        write_hashes(folder, hashes)
        return 0
    return 0 if is_as_kept(folder, hashes) else 1


sys.exit(main())
