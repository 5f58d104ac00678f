# SPDX-License-Identifier: Apache-2.0
"""Benchmarks of unmodified programs: a lab run by bin/lanyard, and the same programs on the kernel's loopback."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
import scratch  # noqa: E402


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


def _checked(lanyard):
    if not pathlib.Path(lanyard).exists():
        raise Missing("bin/lanyard is not built")
    return str(lanyard)


@contextlib.contextmanager
def _two_hosts(lanyard):
    """A lab that is up and keeps no run file: bob and alice on one switch. Gives exec(host, words) -> arguments."""
    name = f"bench{os.getpid()}"
    with scratch.folder() as folder:
        path = pathlib.Path(folder) / "bench.yaml"
        path.write_text(f"lab: {name}\nhosts: [bob, alice]\nswitches: [office]\nlinks: [alice -- office, office -- bob]\n",
                        encoding="utf-8")
        subprocess.run([_checked(lanyard), "up", "-d", str(path)], stdout=subprocess.DEVNULL, timeout=60, check=True)
        try:
            yield lambda host, *words: [str(lanyard), "exec", "--lab", name, host, "--", *words]
        finally:
            subprocess.run([str(lanyard), "down", "--lab", name], stdout=subprocess.DEVNULL, timeout=60, check=False)


def _natively(_, *words):
    return list(words)


def _gbits(text):
    return json.loads(text[text.index("{"):text.rindex("}") + 1])["end"]["sum_received"]["bits_per_second"] / 1e9


def _until_open_in(exec_in, client, host, port):
    """Waits, on host `client`, until `host` accepts connections at `port`."""
    look = (f"import socket,time\nfor _ in range(500):\n"
            f"  try: socket.create_connection(('{host}', {port})).close(); break\n"
            f"  except OSError: time.sleep(.01)\n"
            f"else: raise SystemExit('the server does not listen')")
    subprocess.run(exec_in(client, "python3", "-c", look), timeout=60, check=True)


def _iperf3(exec_in, server, port, smoke):
    with subprocess.Popen(exec_in("bob", "iperf3", "-s", "-p", port), stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as listening:
        try:
            _until_open_in(exec_in, "alice", server, port)
            time.sleep(0.2)  # iperf3 notices that this connection was not one of its own
            run = subprocess.run(exec_in("alice", "iperf3", "-c", server, "-p", port, "-t", "1" if smoke else "3", "-J"),
                                 capture_output=True, text=True, timeout=60, check=False)
        finally:
            listening.terminate()
            listening.wait(timeout=20)
    if run.returncode != 0:
        raise RuntimeError("iperf3: " + run.stdout[-300:] + run.stderr[-300:])
    return _gbits(run.stdout)


def stream(lanyard, smoke):
    """Gbit/s of stock iperf3 between two virtual hosts across one switch; the lab keeps no run file."""
    _need("iperf3")
    with _two_hosts(lanyard) as exec_in:
        return _iperf3(exec_in, "bob", "5201", smoke)


def stream_native(_, smoke):
    """The same two programs on the kernel's loopback."""
    _need("iperf3")
    return _iperf3(_natively, "127.0.0.1", str(_free_port()), smoke)


def _wrk(exec_in, server, port, smoke):
    """Requests a second of wrk's 16 keep-alive connections to nginx with one worker and a file of 612 bytes."""
    with scratch.folder() as folder:
        os.chmod(folder, 0o755)
        pathlib.Path(folder, "index.html").write_text("x" * 612, encoding="utf-8")
        pathlib.Path(folder, "nginx.conf").write_text(f"""daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error;
events {{ worker_connections 512; }}
http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
  client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3; uwsgi_temp_path {folder}/4;
  scgi_temp_path {folder}/5; server {{ listen {port}; root {folder}; }} }}
""", encoding="utf-8")
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        with subprocess.Popen(exec_in("bob", nginx, "-c", f"{folder}/nginx.conf"), stderr=subprocess.DEVNULL) as serving:
            try:
                _until_open_in(exec_in, "alice", server, port)
                run = subprocess.run(exec_in("alice", "wrk", "-t1", "-c16", "-d1s" if smoke else "-d3s", f"http://{server}:{port}/"),
                                     capture_output=True, text=True, timeout=60, check=False)
            finally:
                serving.terminate()
                serving.wait(timeout=20)
    found = re.search(r"Requests/sec:\s*([0-9.]+)", run.stdout)
    if not found or "Non-2xx" in run.stdout:
        raise RuntimeError("wrk: " + run.stdout[-300:] + run.stderr[-300:])
    return float(found.group(1))


def request(lanyard, smoke):
    """Requests a second from stock wrk to stock nginx between two virtual hosts, connections kept alive."""
    _need("wrk", "nginx")
    with _two_hosts(lanyard) as exec_in:
        return _wrk(exec_in, "bob", 8080, smoke)


def request_native(_, smoke):
    """The same two programs on the kernel's loopback."""
    _need("wrk", "nginx")
    return _wrk(_natively, "127.0.0.1", _free_port(), smoke)


CALLS = """import socket, sys, time
s, calls, least = socket.socket(), int(sys.argv[1]), 1e9
for _ in range(5):
    begin = time.monotonic()
    for _ in range(calls): s.getsockname()
    least = min(least, (time.monotonic() - begin) / calls)
print(least * 1e6)
"""


def _control(exec_in, smoke):
    run = subprocess.run(exec_in("bob", "python3", "-c", CALLS, "200" if smoke else "5000"), capture_output=True, text=True,
                         timeout=60, check=True)
    return float(run.stdout)


def control(lanyard, smoke):
    """Microseconds of one supervised socket call: getsockname from python, the least of five rounds."""
    _need("python3")
    with _two_hosts(lanyard) as exec_in:
        return _control(exec_in, smoke)


def control_native(_, smoke):
    """The same call answered by the kernel."""
    return _control(_natively, smoke)


# Both sides ask until the server is there, and look every 10 ms.
ASK = "until curl -s http://{}/; do sleep 0.01; done"


def start(lanyard, _):
    """Milliseconds from `lanyard run LAB` to the first byte that curl prints: two hosts, python's web server, curl."""
    _need("curl", "python3")
    with scratch.folder() as folder:
        path = pathlib.Path(folder) / "bench.yaml"
        path.write_text(f"""lab: guest-start
hosts:
  bob:   {{ run: python3 -m http.server 80 }}
  alice: {{ run: {{ do: "{ASK.format('bob')}", expect: exit 0 }} }}
switches: [office]
links: [alice -- office, office -- bob]
""", encoding="utf-8")
        begin = time.monotonic()
        with subprocess.Popen([_checked(lanyard), "run", "-q", str(path), "-o", f"{folder}/run.pcapng"], cwd=folder, text=True,
                              stdout=subprocess.PIPE) as run:
            took = next((time.monotonic() - begin for line in run.stdout if re.match(r"alice .*<", line)), None)
            run.stdout.read()
    if took is None or run.returncode != 0:
        raise RuntimeError(f"lanyard run ended with {run.returncode}, and curl printed nothing")
    return took * 1000


def start_native(_, __):
    """Milliseconds for the same two programs on the kernel's loopback."""
    _need("curl", "python3")
    port = _free_port()
    begin = time.monotonic()
    with subprocess.Popen(["python3", "-m", "http.server", str(port), "--bind", "127.0.0.1"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            with subprocess.Popen(["sh", "-c", ASK.format(f"127.0.0.1:{port}")], stdout=subprocess.PIPE) as asking:
                asking.stdout.read(1)
                took = time.monotonic() - begin
                asking.stdout.read()
            return took * 1000
        finally:
            server.terminate()
            server.wait(timeout=10)
