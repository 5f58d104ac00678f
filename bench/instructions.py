#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""instructions.py: counts the instructions of one unit of work with callgrind and writes bench/instructions.md.

Unlike times they do not depend on what else the machine does. Each program runs twice, with a few and with more units; the
difference is what the units cost, both ends of the conversation and the benchmark's own loop counted.
"""
import datetime
import pathlib
import re
import subprocess
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent
BIN = TOP / "build/fast/bin"
# name, what a unit is, (program, measurement), a few units, more units
ROWS = [
    ("tcp_pingpong", "64 bytes there and back", ("bench_ours", "tcp_pingpong"), 200, 1200),
    ("tcp_pingpong, lwIP", "the same", ("bench_lwip", "tcp_pingpong"), 200, 1200),
    ("tcp_connections", "connect, accept, FIN both ways", ("bench_ours", "tcp_connections"), 200, 1200),
    ("tcp_connections, lwIP", "connect, accept, abort", ("bench_lwip", "tcp_connections"), 200, 1200),
    ("tcp_stream_mtu1500", "a megabyte in 1500-byte frames", ("bench_ours", "tcp_stream_mtu1500"), 3, 8),
    ("tcp_stream_mtu1500, lwIP", "the same", ("bench_lwip", "tcp_stream_mtu1500"), 3, 8),
    ("tcp_stream", "a megabyte in super-segments", ("bench_ours", "tcp_stream"), 20, 60),
    ("udp_datagrams", "32 datagrams of 64 bytes", ("bench_ours", "udp_datagrams"), 100, 300),
    ("ipv4_forward", "a packet through a router", ("bench_scaling", "ipv4_forward"), 10_000, 30_000),
    ("lab_hops", "a byte of each of 50 flows, 0.27 hops in all", ("bench_lab", "hops"), 200_000, 600_000),
]


def instructions(program, measurement, units):
    """All instructions of one run."""
    with tempfile.TemporaryDirectory() as directory:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={directory}/out", str(BIN / program)]
        run = subprocess.run(command + [measurement, "--units", str(units)], capture_output=True, text=True, check=True)
    return int(re.search(r"Collected : (\d+)", run.stderr)[1])


def main():
    lines = []
    for name, unit, (program, measurement), few, more in ROWS:
        if not (BIN / program).exists():
            continue
        each = (instructions(program, measurement, more) - instructions(program, measurement, few)) / (more - few)
        lines.append(f"| {name} | {unit} | {each:,.0f} |")
        print(lines[-1], flush=True)
    compiler = subprocess.run(["g++", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    (TOP / "bench/instructions.md").write_text(f"""# Instructions of one unit of work

Written by `bench/instructions.py`: counted by callgrind, both ends and the benchmark's own loop included; they do not depend on
what else the machine does; a copy of 64 KiB counts one for each byte (rep movsb).
{datetime.date.today()}, {compiler}, -O2 -flto (the preset `fast`).

| name | one unit | instructions |
| --- | --- | --- |
""" + "\n".join(lines) + "\n", encoding="utf-8")


main()
