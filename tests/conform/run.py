#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run.py LANYARD: plays every script beside this file twice, over each family it is for, and compares the two outcomes.

A script is played over IPv4, IPv6 and with IPv6 sockets over IPv4, unless a line in it says which: `// families: ipv4 mapped`.
"""
import json
import pathlib
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
VERSIONS = {"ipv4": "ipv4", "ipv6": "ipv6", "mapped": "ipv4_mapped_ipv6"}
MILLISECONDS_EACH_MAX = 10


def families(script):
    said = re.search(r"^// families: (.*)$", script.read_text(encoding="utf-8"), re.MULTILINE)
    return said.group(1).split() if said else list(VERSIONS)


def play(lanyard, family, scripts):
    command = [lanyard, "drill", "--json", f"--ip_version={VERSIONS[family]}", *map(str, scripts)]
    began = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    return done.stdout, (time.monotonic() - began) * 1000 / len(scripts)


def main():
    scripts = sorted(HERE.glob("*.pkt"))
    bad, played = 0, 0
    for family in VERSIONS:
        mine = [script for script in scripts if family in families(script)]
        first, each_ms = play(sys.argv[1], family, mine)
        again, _ = play(sys.argv[1], family, mine)
        if first != again:
            bad += 1
            print(f"{family}: the second run ended otherwise than the first")
        outcome = json.loads(first)
        for script in outcome["scripts"]:
            if script["result"] == "passed":
                continue
            bad += 1
            print(f"{family}: {script['file']}:{script['line']}: {script['result']}: {script['what']}")
            print("\n".join("    " + packet for packet in script["packets"]))
        if each_ms > MILLISECONDS_EACH_MAX:
            print(f"{family}: a script takes {each_ms:.1f} ms on this machine; at most {MILLISECONDS_EACH_MAX} are meant")
        played += len(mine)
        print(f"{family}: {outcome['passed']} of {len(mine)} scripts passed")
    print(f"{len(scripts)} scripts, {played} runs, {bad} bad")
    return 1 if bad or not scripts else 0


sys.exit(main())
