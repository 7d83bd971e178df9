# SPDX-License-Identifier: MIT
"""What restarts do to 200 busy keep-alive clients: one server, one round."""

import statistics
import time

import overlap
import report
import servers
import traffic

AROUND = 1_000_000_000  # ns from the trigger on

COLUMNS = [
    report.Column("failed", "failed", 1),
    report.Column("reconnected", "reconnected", 1),
    report.Column("first_answer_ms", "first answer ms", 1),
    report.Column("steady_p99_ms", "steady p99 ms", 2),
    report.Column("p99", "p99 x", 2),
    report.Column("steady_p999_ms", "steady p99.9 ms", 2),
    report.Column("p999", "p99.9 x", 2),
    report.Column("overlap_mb", "overlap MB", 1),
    report.Column("left", "left", 0),
]


def profiles(server):
    """Half of them POST, half GET; two more connect anew for each request and see a new generation at once."""
    return ["think:clients=100,think=0-10,timeout=10000",
            f"upload:clients=100,think=0-10,bytes=256,piece=256,path={server.post},timeout=10000" + server.post_expects,
            "new:clients=2,think=0-2,timeout=10000"]


def ratio(summary, name):
    steady, around = summary["steady"][name], summary["around"][name]
    return around / steady if steady else float("nan")


def restart(server, clients, gap):
    """One restart. Returns when it was triggered and how long until the new generation answered, both ns."""
    began, generation = server.restart()
    answered = clients.wait_generation(generation)
    time.sleep(max(0, began / 1e9 + gap - time.monotonic()))
    return began, answered - began


def measure(server, restarts, gap):
    """Restarts for the latencies, and then one for the memory, whose latencies the looking would spoil."""
    first_answers = []
    with traffic.Clients(server, profiles(server)) as clients:
        clients.wait_ready()
        clients.ignore(0, traffic.now() + 500_000_000)
        time.sleep(0.5 + gap)
        processes = len(server.pids())
        for _ in range(restarts):
            began, took = restart(server, clients, gap)
            clients.around(began, began + AROUND)
            first_answers.append(took)
        clients.ignore(traffic.now(), traffic.FAR)
        with overlap.Overlap(server) as memory:
            first_answers.append(restart(server, clients, gap)[1])
        left = len(server.pids())
        summary = clients.finish()
    return {
        "restarts": restarts + 1,
        "failed": sum(summary["failed"].values()) / (restarts + 1),
        "reconnected": sum(summary["reconnects"].values()) / (restarts + 1),
        "first_answer_ms": statistics.median(first_answers) / 1e6,
        "steady_p99_ms": summary["steady"]["p99"] / 1e6,
        "steady_p999_ms": summary["steady"]["p999"] / 1e6,
        "p99": ratio(summary, "p99"),
        "p999": ratio(summary, "p999"),
        "overlap_mb": memory.bytes() / 1e6,
        "processes": processes,
        "left": left,
        "clients": summary,
    }


def run(options):
    names = servers.choose(options.only)
    restarts, gap = (1, 2.2) if options.quick else (options.restarts, 2.5)
    print(f"around: 200 keep-alive clients, {options.rounds} rounds of {restarts + 1} restarts each; counts are per restart,"
          f" x is around a restart over steady")
    return report.rounds(options.rounds, names, COLUMNS,
                         lambda name: servers.with_server(name, lambda server: measure(server, restarts, gap)))
