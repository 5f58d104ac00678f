# SPDX-License-Identifier: Apache-2.0
"""Benchmarks of unmodified programs: a lab run by bin/lanyard, and the same programs on the kernel's loopback."""
import json
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time


class Missing(Exception):
    """A program that is not there."""


def _need(*programs):
    for program in programs:
        if not shutil.which(str(program)):
            raise Missing(f"{program} is not installed")


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _run_lab(lanyard, text):
    """Runs a lab file; its output."""
    if not pathlib.Path(lanyard).exists():
        raise Missing("bin/lanyard is not built")
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "bench.yaml"
        path.write_text(text, encoding="utf-8")
        run = subprocess.run([str(lanyard), "run", str(path), "-o", f"{folder}/run.pcapng"], cwd=folder,
                             capture_output=True, text=True, timeout=120, check=False)
    if run.returncode != 0:
        raise RuntimeError(f"lanyard run ended with {run.returncode}: {run.stderr.strip() or run.stdout[-400:]}")
    return run.stdout


def _until_open(port):
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise RuntimeError("the server does not listen")


def _gbits(text):
    return json.loads(text[text.index("{"):text.rindex("}") + 1])["end"]["sum_received"]["bits_per_second"] / 1e9


def stream(lanyard, smoke):
    """Gbit/s of stock iperf3 between two virtual hosts across one switch."""
    _need("iperf3")
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        _run_lab(lanyard, f"""lab: guest-stream
hosts:
  bob:   {{ run: iperf3 -s -1 }}
  alice: {{ run: {{ do: iperf3 -c bob -t {1 if smoke else 3} -J --logfile {report}, at: 1s, expect: exit 0 }} }}
switches: [office]
links: [alice -- office, office -- bob]
""")
        return _gbits(report.read_text(encoding="utf-8"))


def stream_native(_, smoke):
    """The same two programs on the kernel's loopback."""
    _need("iperf3")
    port = str(_free_port())
    with subprocess.Popen(["iperf3", "-s", "-1", "-p", port], stdout=subprocess.DEVNULL) as server:
        time.sleep(0.3)
        run = subprocess.run(["iperf3", "-c", "127.0.0.1", "-p", port, "-t", str(1 if smoke else 3), "-J"],
                             capture_output=True, text=True, timeout=60, check=False)
        server.wait(timeout=10)
    if run.returncode != 0:
        raise RuntimeError("iperf3: " + run.stdout[-300:])
    return _gbits(run.stdout)


def start(lanyard, _):
    """Milliseconds from `lanyard run` to its end: a lab of two hosts, python's web server, curl once."""
    _need("curl", "python3")
    begin = time.monotonic()
    _run_lab(lanyard, """lab: guest-start
hosts:
  bob:   { run: python3 -m http.server 80 }
  alice: { run: { do: curl -s --retry-connrefused --retry 50 --retry-delay 0 -o /dev/null http://bob/, expect: exit 0 } }
switches: [office]
links: [alice -- office, office -- bob]
""")
    return (time.monotonic() - begin) * 1000


def start_native(_, __):
    """Milliseconds for the same two programs on the kernel's loopback."""
    _need("curl", "python3")
    port = _free_port()
    begin = time.monotonic()
    with subprocess.Popen(["python3", "-m", "http.server", str(port), "--bind", "127.0.0.1"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _until_open(port)
            subprocess.run(["curl", "-s", "-o", "/dev/null", f"http://127.0.0.1:{port}/"], timeout=30, check=True)
            return (time.monotonic() - begin) * 1000
        finally:
            server.terminate()
            server.wait(timeout=10)
