#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""instructions.py: counts the instructions of one unit of work with callgrind and writes bench/instructions.md.

Unlike times they do not depend on what else the machine does. Each program runs twice, with a few and with more units; the
difference is what the units cost, both ends of the conversation and the benchmark's own loop counted.
"""
import collections
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


# Of these the instructions are also told by where they stand in the source: (program, measurement), few, more.
SPREAD = [("tcp_pingpong", ("bench_ours", "tcp_pingpong"), 200, 1200), ("tcp_connections", ("bench_ours", "tcp_connections"), 200, 1200)]


def collect(program, measurement, units, out):
    """One run under callgrind; all instructions."""
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", str(BIN / program)]
    run = subprocess.run(command + [measurement, "--units", str(units)], capture_output=True, text=True, check=True)
    return int(re.search(r"Collected : (\d+)", run.stderr)[1])


def instructions(program, measurement, units):
    """All instructions of one run."""
    with tempfile.TemporaryDirectory() as directory:
        return collect(program, measurement, units, f"{directory}/out")


def place_of(file):
    """What a source file belongs to: a folder of src/, or a part of TCP."""
    found = re.search(r"/src/(\w+)/(?:(tcp|congestion)/)?(\w+)", file)
    if not found:
        return "bench" if "/bench/" in file else "libraries (copying, vectors, allocation)"
    folder, part, name = found.groups()
    if part != "tcp":
        return part or folder
    receiving = ("arrives", "receiver", "segment", "demux", "time_wait", "listen")
    sending = ("output", "sender", "outgoing", "records", "path")
    loss = ("recover", "rack", "flight", "deliver", "round", "timeouts", "alarm", "busy")
    for what, names in (("receiving", receiving), ("loss and timers", loss), ("sending", sending)):
        if name.startswith(names):
            return f"transport: {what}"
    return "transport: " + ("bytes queued" if name.startswith("byte_queue") else "calls and the rest")


def by_place(program, measurement, units):
    """The instructions of one run by place_of()."""
    counts, files, file, is_call = collections.Counter(), {}, "", False
    with tempfile.TemporaryDirectory() as directory:
        collect(program, measurement, units, f"{directory}/out")
        text = pathlib.Path(directory, "out").read_text(encoding="utf-8")
    for line in text.splitlines():
        named = re.match(r"(fl|fi|fe|cfi|cfl)=\((\d+)\)(?: (.*))?$", line)
        if named:
            if named[3]:
                files[named[2]] = place_of(named[3])
            if named[1][0] == "f":
                file = files[named[2]]
        elif line.startswith("calls="):
            is_call = True
        elif re.match(r"[\d+*-]", line):
            counts[file] += 0 if is_call else int(line.split()[1])
            is_call = False
    return counts


def spread():
    columns = []
    for _, program, few, more in SPREAD:
        least, most = by_place(*program, few), by_place(*program, more)
        columns.append({place: (most[place] - least[place]) / (more - few) for place in most})
    places = sorted(set().union(*columns), key=lambda place: -columns[0].get(place, 0))
    rows = [(place, [round(column.get(place, 0)) for column in columns]) for place in places]
    lines = [f"| {place} | " + " | ".join(f"{cost:,}" for cost in costs) + " |" for place, costs in rows if any(costs)]
    return "\n".join(["| where | " + " | ".join(name for name, *_ in SPREAD) + " |", "| --- |" + " --- |" * len(SPREAD), *lines])


def main():
    lines = []
    for name, unit, (program, measurement), few, more in ROWS:
        if not (BIN / program).exists():
            continue
        each = (instructions(program, measurement, more) - instructions(program, measurement, few)) / (more - few)
        lines.append(f"| {name} | {unit} | {each:,.0f} |")
        print(lines[-1], flush=True)
    compiler = subprocess.run(["g++", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    path = TOP / "bench/instructions.md"
    # What people have written below the tables, under headings of their own, stays.
    below = "".join(path.read_text(encoding="utf-8").partition("\n## ")[1:]) if path.exists() else ""
    path.write_text(f"""# Instructions of one unit of work

Written by `bench/instructions.py`: counted by callgrind, both ends and the benchmark's own loop included; they do not depend on
what else the machine does; a copy of 64 KiB counts one for each byte (rep movsb).
{datetime.date.today()}, {compiler}, -O2 -flto and by what a training run has counted (the preset `fast`).

| name | one unit | instructions |
| --- | --- | --- |
""" + "\n".join(lines) + f"""

By the lines of source that they come from, wherever these were compiled into:

{spread()}
{below}""", encoding="utf-8")


if __name__ == "__main__":
    main()
