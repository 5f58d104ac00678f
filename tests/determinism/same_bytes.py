#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""same_bytes.py LAB LANYARD..: the lab, in virtual time, gives the same run file from each LANYARD, twice each.

A LANYARD that is not there (a build of another compiler that was not made) is left out; exit 77 if nothing is left to do.
"""
import hashlib
import pathlib
import subprocess
import sys
import tempfile


def run_hash(lanyard, lab):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "run.pcapng"
        run = subprocess.run([str(lanyard), "run", str(lab), "-o", str(path)], cwd=folder, capture_output=True, text=True,
                             timeout=250, check=False)
        if run.returncode != 0:
            print(run.stdout[-2000:] + run.stderr[-2000:])
            raise SystemExit(f"{lanyard} run {lab} ended with {run.returncode}")
        return hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size


def main():
    lab, programs = pathlib.Path(sys.argv[1]), [pathlib.Path(name) for name in sys.argv[2:]]
    there = [program for program in programs if program.exists()]
    if not lab.exists() or not there:
        print(f"SKIP: {lab if not lab.exists() else programs[0]} is not there")
        return 77
    hashes = set()
    for program in there:
        for _ in range(2):
            digest, size = run_hash(program, lab)
            print(f"{digest}  {size} bytes  {program}")
            hashes.add(digest)
    return 0 if len(hashes) == 1 else 1


sys.exit(main())
