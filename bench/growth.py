#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""growth.py [--from JSON]: draws bench/growth.svg: what a unit of work costs while there is ever more beside it.

Costs are instructions, counted by callgrind as in instructions.py, since those do not depend on the neighbours. They lie in
bench/growth.json; with --from they are taken from there and only drawn. A line that stays flat is a cost that does not grow.
"""
import argparse
import json
import pathlib

from instructions import BIN, TOP, instructions

# a line: what a unit is, what there is more of, [(how many, (program, measurement), a few units, more units, units to divide by)]
LINES = [
    ("a ping-pong over TCP", "connections",
     # After each has said something: the first time is dearer.
     [(n, ("bench_scaling", f"tcp_demux_{n}"), 8 * n, 8 * n + 5_000, 1) for n in (1, 10, 100, 1_000, 10_000)]),
    ("a packet through a router", "routes",
     # After the shortcuts of a large table are made.
     [(n, ("bench_scaling", f"ipv4_forward_{n}"), 25_000, 45_000, 1) for n in (10, 1_000, 100_000, 1_000_000)]),
    ("1,448 bytes from host to host in a lab", "hosts",
     [(2 * n, ("bench_lab", f"hops_{n}"), 60_000, 120_000, n / 1448) for n in (10, 50, 250, 1_250)]),
    ("1,448 bytes from host to host in a lab", "kB that each of 50 flows has sent before",
     [(n // 1000, ("bench_lab", "hops_50"), n, n + 100_000, 50 / 1448) for n in (50_000, 200_000, 800_000)]),
]
WIDTH, HEIGHT, LEFT, TOP_EDGE = 420, 190, 64, 34


def count():
    lines = []
    for what, of, points in LINES:
        line = {"what": what, "of": of, "points": []}
        for many, program, few, more, divisor in points:
            each = (instructions(*program, more) - instructions(*program, few)) / (more - few) / divisor
            line["points"].append([many, round(each)])
            print(f"{what}, {many} {of}: {each:,.0f}", flush=True)
        lines.append(line)
    return lines


def panel(line, x, y):
    points, most = line["points"], max(cost for _, cost in line["points"]) * 1.25
    span, width, height = max(len(points) - 1, 1), WIDTH - LEFT - 30, HEIGHT - TOP_EDGE - 44
    place = [(LEFT + i * width / span, TOP_EDGE + height * (1 - cost / most)) for i, (_, cost) in enumerate(points)]
    out = [f'<g transform="translate({x},{y})">', f'<text x="{LEFT}" y="18" font-weight="bold">{line["what"]}</text>',
           f'<path d="M{LEFT} {TOP_EDGE}V{TOP_EDGE + height}H{LEFT + width}" fill="none" stroke="#888"/>',
           f'<text x="{LEFT - 6}" y="{TOP_EDGE + height}" text-anchor="end">0</text>',
           '<polyline fill="none" stroke="#1b6ca8" stroke-width="2" points="' + " ".join(f"{a:.1f},{b:.1f}" for a, b in place) + '"/>']
    for (many, cost), (a, b) in zip(points, place):
        out += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="#1b6ca8"/>',
                f'<text x="{a:.1f}" y="{b - 8:.1f}" text-anchor="middle">{cost:,}</text>',
                f'<text x="{a:.1f}" y="{TOP_EDGE + height + 16}" text-anchor="middle">{many:,}</text>']
    out.append(f'<text x="{LEFT + width / 2}" y="{HEIGHT - 8}" text-anchor="middle" fill="#555">{line["of"]}</text></g>')
    return out


def draw(lines):
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * WIDTH}" height="{(len(lines) + 1) // 2 * HEIGHT}" '
           'font-family="sans-serif" font-size="11">', '<!-- SPDX-License-Identifier: Apache-2.0 -->',
           '<rect width="100%" height="100%" fill="#fff"/>']
    for i, line in enumerate(lines):
        out += panel(line, i % 2 * WIDTH, i // 2 * HEIGHT)
    return "\n".join(out + ["</svg>"]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--from", dest="source", type=pathlib.Path, help="draw these figures again")
    options = parser.parse_args()
    if options.source is None and not (BIN / "bench_lab").exists():
        raise SystemExit("growth.py: ./dev bench builds the programs")
    lines = json.loads(options.source.read_text(encoding="utf-8")) if options.source else count()
    (TOP / "bench/growth.json").write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")
    (TOP / "bench/growth.svg").write_text(draw(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
