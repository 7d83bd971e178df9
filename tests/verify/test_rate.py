# SPDX-License-Identifier: MIT
"""The client is not the bottleneck: on the same core it makes at least 60 % of the requests that wrk makes."""
import os
import re
import shutil
import subprocess

import pytest

from verify import DEMO, HOTSTART, Result

CLIENTS = 64
SECONDS = 2
ROUNDS = 2


@pytest.fixture
def port():
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        pytest.skip("one CPU: client and server would share it")
    if not shutil.which("wrk"):
        pytest.skip("wrk is not installed (tools/deps heavy)")
    server = subprocess.Popen(["taskset", "-c", str(cpus[0]), DEMO, "--listen", "127.0.0.1:0", "--threads", "1"],
                              stderr=subprocess.PIPE, text=True)
    try:
        found = None
        while not found:
            found = re.search(r"127\.0\.0\.1:(\d+)", server.stderr.readline())
        yield int(found.group(1)), str(cpus[1])
    finally:
        server.kill()
        server.wait()
        server.stderr.close()


def wrk(port, cpu):
    out = subprocess.run(["taskset", "-c", cpu, "wrk", "-t1", f"-c{CLIENTS}", f"-d{SECONDS}",
                          f"http://127.0.0.1:{port}/test"], capture_output=True, text=True, check=True).stdout
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))


def ours(port, cpu):
    done = subprocess.run(["taskset", "-c", cpu, HOTSTART, "verify", "--json", "--url", f"http://127.0.0.1:{port}",
                           "--restart-cmd", "true", "--restarts", "1", "--every", str(SECONDS), "--get", "/test",
                           "--profile", f"busy:clients={CLIENTS}"], capture_output=True, text=True, check=False)
    result = Result(done.returncode, done.stdout, done.stderr)
    return result.json["requests"]["sent"] / (result.json["duration_ms"] / 1000)


def test_rate_beside_wrk(port):
    rates = [(ours(*port), wrk(*port)) for _ in range(ROUNDS)]
    # What else the machine does only ever makes either slower: the best of each is compared.
    mine, theirs = max(r[0] for r in rates), max(r[1] for r in rates)
    print(f"{mine:.0f} requests/s, wrk {theirs:.0f}")
    assert mine >= 0.6 * theirs, rates
