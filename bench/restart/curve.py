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
    report.Column("given_ms", "given ms", 2),
    report.Column("taken_ms", "taken ms", 2),
    report.Column("bare_ms", "bare ms", 2),
    report.Column("times", "times", 2),
    report.Column("core_ms", "core ms", 2),
    report.Column("core_times", "core times", 2),
    report.Column("received", "received", 0),
    report.Column("reconnected", "reconnected", 0),
]


def handover(server):
    """What the generations say of the last handover. Who has given all it had and left says nothing any more."""
    done = subprocess.run([os.path.join(servers.BUILD, "hotstart"), "status", "--json",
                           os.path.join(server.directory, "control")], capture_output=True, text=True, check=False)
    generations = json.loads(done.stdout)["generations"] if done.returncode == 0 else []
    return {
        "given": next((g["handover"] for g in generations if g["handover"]["given"]), None),
        "taken": next((g["handover"] for g in generations if g["handover"]["received"]), None),
    }


def alone(program, count, *arguments):
    """What a program without HTTP takes for as many, ms."""
    done = subprocess.run([os.path.join(servers.BUILD, "bench", program), str(count), *arguments],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0 or not done.stdout:
        raise servers.Trouble(f"{program}: {done.stderr.strip()}")
    return int(done.stdout) / 1e6


def settled(server, count):
    """What they say once every connection has arrived; or, out of patience, what they said last."""
    time.sleep(0.5)  # asking in the middle of it would be measured as well
    deadline = time.monotonic() + servers.PATIENCE / 4
    while True:
        seen = handover(server)
        if (seen["taken"] and seen["taken"]["received"] >= count) or time.monotonic() > deadline:
            return seen
        time.sleep(0.1)


def hand_over(server, count):
    hour = 3_600_000
    with traffic.Clients(server, [f"think:clients={count},think={hour}-{hour}"]) as clients:
        clients.wait_ready()
        time.sleep(0.2)
        server.restart()
        seen = settled(server, count)
        summary = clients.finish()
    given, taken = seen["given"], seen["taken"]
    reconnects = {kind: n for kind, n in summary["reconnects"].items() if n}
    return {"trouble": f"connections lost, by kind: {reconnects}" if reconnects else None,
            "given_ms": given["took_ns"] / 1e6 if given else None,
            "taken_ms": taken["receiving_ns"] / 1e6 if taken else None,
            "received": taken["received"] if taken else 0,
            "reconnected": sum(reconnects.values()), "handover": seen}


def measure(count, probation):
    """The kernel's own part before and after the rest: what a neighbour takes, it takes from all of them."""
    before = alone("bare", count)
    row = servers.with_server("demo-fast" if probation else "demo-fast-p0", lambda server: hand_over(server, count))
    row["core_ms"] = alone("mover", count, *(["resumable"] if probation else []))
    row["bare_ms"] = (before + alone("bare", count)) / 2
    row["core_times"] = row["core_ms"] / row["bare_ms"]
    took = row["given_ms"] or row["taken_ms"]
    row["times"] = took / row["bare_ms"] if took else None
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
