# SPDX-License-Identifier: MIT
"""What it costs to hand over idle connections, beside the kernel's own part of it."""

import json
import os
import subprocess
import time

import report
import servers
import traffic

COUNTS = (1000, 2000, 4000, 8000)

COLUMNS = [
    report.Column("demo_ms", "demo ms", 2),
    report.Column("bare_ms", "bare ms", 2),
    report.Column("times", "times", 2),
    report.Column("given", "given", 0),
    report.Column("accepted", "accepted", 0),
    report.Column("reconnected", "reconnected", 0),
]


def handover(server):
    """What the demo says of its last handover; None if it says nothing."""
    done = subprocess.run([os.path.join(servers.BUILD, "hotstart"), "status", "--json",
                           os.path.join(server.directory, "control")], capture_output=True, text=True, check=False)
    return json.loads(done.stdout).get("handover") if done.returncode == 0 else None


def bare(count):
    """ms."""
    done = subprocess.run([os.path.join(servers.BUILD, "bench", "bare"), str(count)], capture_output=True,
                          text=True, check=True)
    return int(done.stdout) / 1e6


def settled(server, count):
    """What the demo says once every connection has been accepted; or, out of patience, what it said last."""
    time.sleep(0.5)  # asking in the middle of it would be measured as well
    deadline = time.monotonic() + servers.PATIENCE
    while True:
        seen = handover(server)
        if not seen or seen["accepted"] >= count or time.monotonic() > deadline:
            return seen or {}
        time.sleep(0.1)


def hand_over(server, count):
    hour = 3_600_000
    with traffic.Clients(server, [f"think:clients={count},think={hour}-{hour}"]) as clients:
        clients.wait_ready()
        time.sleep(0.2)
        server.restart()
        seen = settled(server, count)
        summary = clients.finish()
    took = seen["took_ns"] / 1e6 if "took_ns" in seen else None
    return {"demo_ms": took, "given": seen.get("given"), "accepted": seen.get("accepted"),
            "reconnected": sum(summary["reconnects"].values()), "handover": seen}


def measure(count):
    """The kernel's own part before and after the demo's: what a neighbour takes, it takes from both."""
    before = bare(count)
    row = servers.with_server("demo-fast", lambda server: hand_over(server, count))
    row["bare_ms"] = (before + bare(count)) / 2
    row["times"] = row["demo_ms"] / row["bare_ms"] if row["demo_ms"] is not None else None
    return row


def run(options):
    counts = COUNTS[:1] if options.quick else COUNTS
    if options.only and not any(name.startswith("demo") for name in options.only):
        return report.NOTHING
    print(f"curve: idle connections handed over by the demo as fast as possible, beside a bare loop; "
          f"{options.rounds} rounds")
    return report.rounds(options.rounds, counts, COLUMNS, measure)
