#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How full TCP keeps a damaged path: ours beside Linux CUBIC, over the same lab links with the same seeds.

Each cell of the grid is one path: round-trip time, loss, reordering, jitter. A sender sends for some seconds through a router to
a receiver, then resets; what counts is what the receiver had read. Ours runs in virtual time; the Linux hosts are namespaces
with the kernel's own stack (`kind: linux`), so they run in real time, several cells at once: keep the machine quiet.
"""
import argparse
import concurrent.futures
import itertools
import json
import pathlib
import re
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
RTT_MS = [1, 10, 50, 100, 200]
LOSS = ["0%", "0.1%", "1%", "2%", "5%"]
REORDER = ["0%", "1%", "5%"]
JITTER_MS = [0, 10, 30]
PORT = 5001


# ---------- the programs of the Linux hosts; ours are `bulk serve` and `bulk send --for` ----------

def receive():
    server = socket.create_server(("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True)
    peer, _ = server.accept()
    received, pause, last = 0, 0.0, None
    while True:
        try:
            piece = peer.recv(65536)
        except ConnectionResetError:
            break
        if not piece:
            break
        now = time.monotonic()
        if last is not None:
            pause = max(pause, now - last)
        last = now
        received += len(piece)
    print(f"bulk: received {received} bytes, 0 wrong in 0 us, longest pause {int(pause * 1e6)} us", flush=True)


def send(host, seconds):
    peer = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"cubic")
    peer.connect((socket.gethostbyname(host), PORT))
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end, piece = time.monotonic() + seconds, bytes(65536)
    while (left := end - time.monotonic()) > 0:
        peer.settimeout(left)
        try:
            peer.send(piece)
        except TimeoutError:
            break
    peer.close()


# ---------- the grid ----------

def queue_bytes(rate_mbit, rtt_ms):
    """A bottleneck queue of one bandwidth-delay product, 64 KiB at least."""
    return max(65536, int(rate_mbit * 1e6 / 8 * rtt_ms / 1000))


def lab_of(cell, seed, options, is_linux):
    rtt, loss, reorder, jitter = cell
    me = f"{sys.executable} {pathlib.Path(__file__).resolve()}"
    kind = "kind: linux, " if is_linux else ""
    receiver = f"{me} receive" if is_linux else "bulk serve"
    sender = f"{me} send receiver {options.seconds}" if is_linux else f"bulk send receiver --for {options.seconds} -4"
    path = f"rate: {options.rate}Mbit, queue: {queue_bytes(options.rate, rtt)}B, delay: {rtt * 1000 // 2}us"
    damage = "".join([f", loss: {loss}" if loss != "0%" else "", f", reorder: {reorder}" if reorder != "0%" else "",
                      f", jitter: {jitter}ms" if jitter else ""])
    # Just before the end the path is mended: were the sender's reset lost, the receiver would say nothing.
    return f"""lab: goodput
seed: {seed}
until: {options.seconds + 20}s
hosts:
  receiver: {{ {kind}run: {{ do: {receiver}, name: receive }} }}
  sender: {{ {kind}run: {{ do: {sender}, at: 1s, expect: exit 0 }} }}
routers: [r1]
links:
  - sender -- r1
  - r1 -- receiver: {{ {path} }}
  - r1 -> receiver: {{ {path}{damage} }}
at:
  {options.seconds * 1000 + 995}ms: set r1 -> receiver loss 0%, queue 64MB
check:
  - sender tcp retransmits >= 0
  - drops (r1 -- receiver) >= 0
  - drops old TCP timestamp (receiver) >= 0
  - bytes >= 0
"""


def number_in(text):
    found = re.search(r"(\d+)\s*$", text.strip())
    return int(found.group(1)) if found else None


def run_cell(cell, seed, options, is_linux):
    with tempfile.TemporaryDirectory() as folder:
        lab = pathlib.Path(folder) / "goodput.yaml"
        lab.write_text(lab_of(cell, seed, options, is_linux))
        run = subprocess.run([str(options.lanyard), "run", "--json", "-o", f"{folder}/run.pcapng", str(lab)], cwd=folder,
                             capture_output=True, text=True, timeout=600, check=False)
        if not run.stdout.startswith("{"):
            raise SystemExit(f"{cell} seed {seed}: {run.stdout[-500:]}{run.stderr[-500:]}\n{lab.read_text()}")
        outcome = json.loads(run.stdout)
        output = " ".join(program["output"] + program["errors"] for program in outcome["programs"])
        found = re.search(r"received (\d+) bytes, (\d+) wrong.*longest pause (\d+) us", output)
        if not found or found.group(2) != "0":
            return {"kbit_s": 0, "pause_ms": options.seconds * 1000, "retransmits": None, "drops": None, "said": output[-300:]}
        happened = {check["text"]: number_in(check["happened"]) for check in outcome["checks"]}
        return {"kbit_s": int(found.group(1)) * 8 / options.seconds / 1000, "pause_ms": int(found.group(3)) / 1000,
                "retransmits": happened.get("sender tcp retransmits >= 0"), "drops": happened.get("drops (r1 -- receiver) >= 0"),
                "refused": happened.get("drops old TCP timestamp (receiver) >= 0"),
                "packets": int(found.group(1)) // 1448}


def needless(run):
    """What was sent again although the receiver had taken the first copy: not what a queue dropped, nor what came behind a
    segment with a later timestamp at the edge of a gap, which RFC 7323 5.3 has the receiver throw away."""
    return max(0, (run["retransmits"] or 0) - (run["drops"] or 0) - (run.get("refused") or 0))


def share_for_nothing(runs):
    return sum(needless(run) for run in runs) / max(1, sum(run["packets"] for run in runs))


def mean(values):
    return statistics.fmean(values) if values else 0.0


def measure(cells, options):
    jobs = [(cell, seed, is_linux) for cell in cells for is_linux in (False, True) for seed in options.seeds
            if not is_linux or seed in options.linux_seeds]
    results, done, began = {}, 0, time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        futures = {pool.submit(run_cell, cell, seed, options, is_linux): (cell, is_linux) for cell, seed, is_linux in jobs}
        for future in concurrent.futures.as_completed(futures):
            results.setdefault(futures[future], []).append(future.result())
            done += 1
            if done % 20 == 0 or done == len(jobs):
                print(f"{done} of {len(jobs)} runs, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    rows = []
    for cell in cells:
        ours, theirs = results[(cell, False)], results[(cell, True)]
        rate, peer = mean([run["kbit_s"] for run in ours]), mean([run["kbit_s"] for run in theirs])
        rows.append({"rtt_ms": cell[0], "loss": cell[1], "reorder": cell[2], "jitter_ms": cell[3], "kbit_s": round(rate),
                     "peer_kbit_s": round(peer), "ratio": round(rate / peer, 3) if peer else None,
                     "pause_ms": round(max(run["pause_ms"] for run in ours), 1),
                     "peer_pause_ms": round(max(run["pause_ms"] for run in theirs), 1),
                     "retransmits": sum(run["retransmits"] or 0 for run in ours), "drops": sum(run["drops"] or 0 for run in ours),
                     "needless": sum(needless(run) for run in ours),
                     "packets": sum(run.get("packets", 0) for run in ours)})
    return rows


def resent_for_nothing(options):
    """Ours alone, where nothing is lost at random: what is sent again beyond what was dropped, in virtual time."""
    cells = list(itertools.product(RTT_MS, LOSS[:1], REORDER, JITTER_MS))
    worst, runs = (0.0, ""), []
    for cell in cells:
        here = [run_cell(cell, seed, options, False) for seed in options.seeds]
        worst = max(worst, (round(share_for_nothing(here), 5), "{} ms, {}, reorder {}, jitter {} ms".format(*cell)))
        runs += here
    print(json.dumps({"cells": len(cells), "packets": sum(run["packets"] for run in runs),
                      "spurious_share_at_zero_loss": round(share_for_nothing(runs), 5), "worst": worst,
                      "mbit_s": round(sum(run["kbit_s"] for run in runs) / 1000, 1),
                      "retransmits": sum(run["retransmits"] for run in runs), "drops": sum(run["drops"] for run in runs),
                      "refused": sum(run["refused"] for run in runs)}))
    return 0


# ---------- what a person reads ----------

def colour(ratio):
    if ratio is None:
        return "#999999"
    stops = [(0.5, (178, 24, 43)), (0.8, (244, 165, 130)), (0.95, (247, 247, 247)), (1.5, (67, 147, 195))]
    ratio = min(max(ratio, stops[0][0]), stops[-1][0])
    for (low, a), (high, b) in itertools.pairwise(stops):
        if ratio <= high:
            share = (ratio - low) / (high - low)
            return "#" + "".join(f"{round(x + (y - x) * share):02x}" for x, y in zip(a, b))
    return "#4393c3"


def heat_map(rows):
    """Rows: round-trip time and jitter; columns: loss and reordering; in each cell the ratio."""
    across, down = list(itertools.product(LOSS, REORDER)), list(itertools.product(RTT_MS, JITTER_MS))
    width, height, left, top = 46, 22, 130, 60
    by_cell = {(row["rtt_ms"], row["loss"], row["reorder"], row["jitter_ms"]): row for row in rows}
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width * len(across) + 10}" '
             f'height="{top + height * len(down) + 10}" font-family="sans-serif" font-size="11">',
             '<rect width="100%" height="100%" fill="white"/>',
             '<text x="8" y="16" font-size="13">goodput: ours / Linux CUBIC</text>']
    for x, (loss, reorder) in enumerate(across):
        parts.append(f'<text x="{left + x * width + 2}" y="36">loss {loss}</text>' if reorder == REORDER[0] else "")
        parts.append(f'<text x="{left + x * width + 2}" y="52" fill="#666">re {reorder}</text>')
    for y, (rtt, jitter) in enumerate(down):
        parts.append(f'<text x="8" y="{top + y * height + 15}">{rtt} ms, jitter {jitter}</text>')
        for x, (loss, reorder) in enumerate(across):
            row = by_cell.get((rtt, loss, reorder, jitter))
            if row is None:
                continue
            text = "-" if row["ratio"] is None else f'{row["ratio"]:.2f}'
            parts.append(f'<rect x="{left + x * width}" y="{top + y * height}" width="{width - 2}" height="{height - 2}" '
                         f'fill="{colour(row["ratio"])}"/><text x="{left + x * width + 9}" y="{top + y * height + 15}">{text}</text>')
    return "\n".join(part for part in parts if part) + "\n</svg>\n"


def summary(rows):
    ratios = sorted(row["ratio"] for row in rows if row["ratio"] is not None)
    clean = [row for row in rows if row["loss"] == "0%"]
    spurious = sum(row["needless"] for row in clean)
    packets = sum(row["packets"] for row in clean)
    return {"cells": len(rows), "median": statistics.median(ratios), "worst": ratios[0],
            "below_0.8": sum(ratio < 0.8 for ratio in ratios), "below_0.95": sum(ratio < 0.95 for ratio in ratios),
            "spurious_share_at_zero_loss": round(spurious / packets, 5) if packets else None,
            "longest_pause_ms": max(row["pause_ms"] for row in rows)}


def table(rows):
    lines = ["| rtt | loss | reorder | jitter | ours kbit/s | Linux kbit/s | ratio | longest pause ms | Linux's |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        lines.append(f'| {row["rtt_ms"]} ms | {row["loss"]} | {row["reorder"]} | {row["jitter_ms"]} ms | {row["kbit_s"]} | '
                     f'{row["peer_kbit_s"]} | {row["ratio"]} | {row["pause_ms"]} | {row["peer_pause_ms"]} |')
    return "\n".join(lines) + "\n"


def main():
    if sys.argv[1:2] == ["receive"]:
        return receive()
    if sys.argv[1:2] == ["send"]:
        return send(sys.argv[2], float(sys.argv[3]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lanyard", default=TOP / "build/release/bin/lanyard", type=pathlib.Path)
    parser.add_argument("--rate", default=20, type=int, help="Mbit/s of the path")
    parser.add_argument("--seconds", default=10, type=int, help="how long each sender sends")
    parser.add_argument("--seeds", default="1,2,3", help="of ours")
    parser.add_argument("--linux-seeds", default="1", help="of the Linux hosts, which take real time")
    parser.add_argument("--jobs", default=4, type=int, help="runs at once")
    parser.add_argument("--every", default=1, type=int, metavar="N", help="only every Nth cell of the grid")
    parser.add_argument("--spurious", action="store_true", help="only ours, only without loss: what is sent again for nothing")
    parser.add_argument("-o", "--output", default=TOP / "build/goodput.json", type=pathlib.Path,
                        help="the rows; the table and the heat map lie beside it")
    options = parser.parse_args()
    options.seeds = [int(seed) for seed in options.seeds.split(",")]
    options.linux_seeds = [int(seed) for seed in options.linux_seeds.split(",")]
    if options.spurious:
        return resent_for_nothing(options)
    cells = list(itertools.product(RTT_MS, LOSS, REORDER, JITTER_MS))[::options.every]
    rows = measure(cells, options)
    whole = {"rate_mbit": options.rate, "seconds": options.seconds, "seeds": options.seeds, "linux_seeds": options.linux_seeds,
             "summary": summary(rows), "cells": rows}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(whole, indent=1) + "\n")
    options.output.with_suffix(".md").write_text(table(rows))
    options.output.with_suffix(".svg").write_text(heat_map(rows))
    print(json.dumps(whole["summary"], indent=1))
    return 0


sys.exit(main())
