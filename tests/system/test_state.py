# SPDX-License-Identifier: MIT
"""What goes from one generation to the next beside the listeners: the demo's counter of requests."""

import os
import re
import signal

from load import Load
from process import Process
from waiting import wait_until


class Counter:
    """GET /counter, which does not count itself, of a server whose restarts count nothing either."""

    def __init__(self, server):
        self.server = server

    def read(self):
        return int(self.server.get("/counter").body)

    def restart(self):
        """SIGUSR2, and wait for the next generation by asking for the counter only."""
        server = self.server
        server.current.signal(signal.SIGUSR2)
        server.generation += 1

        def answered():
            answer = server.get("/counter")
            return answer if answer.generation == server.generation else None

        answer = wait_until(answered, lambda: f"generation {server.generation} answers:\n"
                            + server.log.text(), None, [server.log.watch])
        server.processes[server.generation] = Process(answer.pid)


def test_the_counter_is_exactly_what_the_clients_counted(household, demo):
    """Fifty restarts under full load, with requests that outlive the generation they came to."""
    server = demo("--probation", "0.1", "--hello-delay", "0.2")
    counter = Counter(server)
    before = counter.read()
    load = Load(household, server, "busy:clients=8", "new:clients=4", "slow:clients=4")
    with load:
        for generation in range(2, 52):
            counter.restart()
            load.wait_generation(generation)
    report = load.report()
    requests = report.summary["requests"]
    assert report.failed == {}, report
    assert set(report.answers) == set(range(1, 52))
    assert requests["unserved"] == 0 and requests["ok"] == requests["sent"]
    assert counter.read() - before == requests["ok"]
    server.retire_predecessors()
    assert counter.read() - before == requests["ok"]


def test_the_counter_survives_a_roll_back_and_a_dead_successor(demo, releases):
    server = demo("--probation", "30", program=releases.current)
    counter = Counter(server)
    releases.shell("fails", "exit 3")
    releases.switch("fails")
    old = server.current
    old.signal(signal.SIGUSR2)
    server.log.wait_for(re.compile("rolled back"))
    releases.switch("release-1")
    for _ in range(5):
        server.get("/test")
    before = counter.read()
    counter.restart()
    for _ in range(5):
        server.get("/test")
    server.current.kill()
    server.log.wait_for(re.compile(rf"^\[pid {old.pid}\] accepting again", re.MULTILINE))
    server.generation = 1
    for _ in range(5):
        server.get("/test")
    assert counter.read() == before + 10


def test_generation_tells_the_counter_and_counts_itself(demo):
    server = demo()
    counter = Counter(server)
    before = counter.read()
    assert server.get("/generation").json()["requests"] == before + 1
    server.restart()
    after = server.get("/generation").json()
    assert after["requests"] >= before + 3 and after["requests"] == counter.read()


def test_each_generation_holds_one_copy_of_what_is_kept(demo):
    """However often it was handed on."""
    server = demo("--probation", "0")
    for _ in range(5):
        server.restart()
    server.retire_predecessors()
    current = server.current
    memory = [os.readlink(f"/proc/{current.pid}/fd/{number}") for number in current.fd_numbers()]
    kept = sorted(target.split(" ")[0] for target in memory if "memfd" in target)
    assert kept == ["/memfd:hotstart.metrics", "/memfd:requests"]
