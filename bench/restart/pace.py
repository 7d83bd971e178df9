# SPDX-License-Identifier: MIT
"""8,000 connections of which 1,000 send at half load: what their answers wait while all of them move."""

import time

import around
import report
import servers
import traffic

IDLE = "think:clients={},think=3600000-3600000"

COLUMNS = [
    report.Column("capacity", "capacity/s", 0),
    report.Column("rate", "rate/s", 0),
    report.Column("steady_p999_ms", "steady p99.9 ms", 2),
    report.Column("around_p999_ms", "around p99.9 ms", 2),
    report.Column("p999", "p99.9 x", 2),
    report.Column("failed", "failed", 1),
    report.Column("reconnected", "reconnected", 1),
]


def capacity(server, senders, idle):
    """
    Answers a second, when the same clients want far more than they can get: what they cost themselves is the same
    then, and half of it is half the load. The others are there, and idle.
    """
    with traffic.Clients(server, [f"think:clients={senders}", IDLE.format(idle)], rate=1_000_000) as clients:
        clients.wait_ready()
        time.sleep(0.5)
        began = traffic.now()
        time.sleep(2)
        ended = traffic.now()
        clients.count(began, ended)
        return clients.finish()["counted"] / ((ended - began) / 1e9)


def measure(server, senders, idle, restarts, gap):
    most = capacity(server, senders, idle)
    with traffic.Clients(server, [f"think:clients={senders}", IDLE.format(idle)], rate=most / 2) as clients:
        clients.wait_ready()
        clients.ignore(0, traffic.now() + 1_000_000_000)
        time.sleep(1 + gap)
        for _ in range(restarts):
            began, _ = around.restart(server, clients, gap)
            clients.around(began, began + around.AROUND)
        summary = clients.finish()
    return {
        "capacity": most,
        "rate": most / 2,
        "steady_p999_ms": summary["steady"]["p999"] / 1e6,
        "around_p999_ms": summary["around"]["p999"] / 1e6,
        "p999": around.ratio(summary, "p999"),
        "failed": sum(summary["failed"].values()) / restarts,
        "reconnected": sum(summary["reconnects"].values()) / restarts,
        "clients": summary,
    }


def run(options):
    names = [name for name in ("demo", "demo-p0") if not options.only or name in options.only]
    if not names:
        return report.NOTHING
    senders, idle, restarts = (100, 700, 1) if options.quick else (1000, 7000, options.restarts)
    print(f"pace: {senders + idle} connections, of which {senders} send at half of what the demo can do; "
          f"{options.rounds} rounds of {restarts} restarts")
    return report.rounds(options.rounds, names, COLUMNS, lambda name: servers.with_server(
        name, lambda server: measure(server, senders, idle, restarts, 3.0)))
