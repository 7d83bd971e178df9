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
    report.Column("core_ms", "core ms", 2),
    report.Column("core_times", "core times", 2),
    report.Column("given", "given", 0),
    report.Column("accepted", "accepted", 0),
    report.Column("reconnected", "reconnected", 0),
]


def handover(server):
    """What the demo says of its last handover; None if it says nothing."""
    done = subprocess.run([os.path.join(servers.BUILD, "hotstart"), "status", "--json",
                           os.path.join(server.directory, "control")], capture_output=True, text=True, check=False)
    return json.loads(done.stdout).get("handover") if done.returncode == 0 else None


def alone(program, count, *arguments):
    """What a program without HTTP takes for as many, ms."""
    done = subprocess.run([os.path.join(servers.BUILD, "bench", program), str(count), *arguments],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0 or not done.stdout:
        raise servers.Trouble(f"{program}: {done.stderr.strip()}")
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


def measure(count, probation):
    """The kernel's own part before and after the rest: what a neighbour takes, it takes from all of them."""
    before = alone("bare", count)
    row = servers.with_server("demo-fast" if probation else "demo-fast-p0", lambda server: hand_over(server, count))
    row["core_ms"] = alone("mover", count, *(["resumable"] if probation else []))
    row["bare_ms"] = (before + alone("bare", count)) / 2
    row["core_times"] = row["core_ms"] / row["bare_ms"]
    row["times"] = row["demo_ms"] / row["bare_ms"] if row["demo_ms"] is not None else None
    return row


def run(options):
    counts = COUNTS[:1] if options.quick else COUNTS
    if options.only and not any(name.startswith("demo") for name in options.only):
        return report.NOTHING
    cases = {f"{count}{'' if probation else ' p0'}": (count, probation)
             for count in counts for probation in (True, False)}
    print(f"curve: idle connections handed over by the demo as fast as possible, beside a bare loop; "
          f"{options.rounds} rounds")
    return report.rounds(options.rounds, list(cases), COLUMNS, lambda case: measure(*cases[case]))
