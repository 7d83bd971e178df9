# SPDX-License-Identifier: MIT
"""kill -9 and SIGSTOP at instants that nobody chose: what is left serves, or nothing is left at all."""

import os
import random
import select
import signal
import time

import pytest

from load import Load
from process import Process, descendants, stat_of
from waiting import Deadline, wait_until

ROUNDS = int(os.environ.get("HOT_CHAOS_ROUNDS", "15"))
SPAN_MS = 30  # a restart takes about half of it


def instant(dice, span_ms=SPAN_MS):
    """Let a random time pass, down to the microsecond."""
    end = time.monotonic() + dice.uniform(0, span_ms) / 1000
    while (left := end - time.monotonic()) > 0:
        select.select([], [], [], left)


def running(server):
    """Every process of the server that is alive."""
    return [pid for pid, state in descendants().items()
            if state != "Z" and is_demo(pid, server)]


def is_demo(pid, server):
    try:
        return os.readlink(f"/proc/{pid}/exe") == server.exe
    except OSError:
        return False


def answering(server):
    """Who answers a new connection: its pid, or None if nobody is there any more."""
    try:
        return server.get("/generation").pid
    except (ConnectionError, OSError):
        return None


def settle(server):
    """Within 5 s one serves, the same to everybody, or nobody is left. Returns its pid or None."""

    def settled():
        pid = answering(server)
        return (pid,) if pid or not running(server) else None

    (pid,) = wait_until(settled, lambda: f"one serves\n{server.log.text()[-3000:]}", Deadline(5))
    return pid


def content(path):
    try:
        with open(path, encoding="ascii") as file:
            return file.read().strip()
    except FileNotFoundError:
        return None


def start(demo, path, probation):
    server = demo("--probation", probation, "--pid-file", path, "--start-timeout", 5)
    server.exe = server.first.exe()
    wait_until(lambda: content(path) == str(server.first.pid), "the PID file is there")
    return server


def abandon_to_nobody(server):
    server.stopped = True
    wait_until(lambda: not running(server), "nobody is left", Deadline(10))
    server.close()  # a long run has more of them than a user may have inotify descriptors


def check_settled(server, path):
    # A predecessor in its probation is still the one that the world knows.
    wait_until(
        lambda: content(path) in {str(p) for p in running(server)},
        lambda: f"the PID file names one of {running(server)}: {content(path)}\n"
        + server.log.text()[-3000:],
        Deadline(10))
    # A restart that nobody was killed in may still be under way: then the answers change once.
    answers = [answering(server) for _ in range(20)]
    changes = [b for a, b in zip(answers, answers[1:]) if a != b]
    assert len(set(answers)) == len(changes) + 1, f"two accept: {answers}"


@pytest.mark.parametrize("probation", [0, 0.02, 30])
@pytest.mark.parametrize("victim", ["old", "new"])
def test_kill_at_random_instants(demo, tmp_path, probation, victim):
    seed = os.environ.get("HOT_CHAOS_SEED") or str(random.randrange(1 << 32))
    print(f"HOT_CHAOS_SEED={seed}")
    dice = random.Random(seed + victim + str(probation))
    path = str(tmp_path / "demo.pid")
    server, killed = start(demo, path, probation), 0
    # Without a probation the new one is soon no child of the old one any more: most tries miss it.
    for _ in range(30 * ROUNDS):
        if killed >= (ROUNDS if victim == "old" or probation else ROUNDS / 5):
            break
        current = answering(server)
        with Process(current) as old:
            old.signal(signal.SIGUSR2)
            instant(dice)
            target = current if victim == "old" else next(iter(old.children()), None)
            if target:
                try:
                    os.kill(target, signal.SIGKILL)
                    killed += 1
                except ProcessLookupError:
                    pass
        pid = settle(server)
        if pid is None:
            # Too early for the new one to go on, or too late for the old one to come back.
            retired = f"[pid {current}] restart: retire" in server.log.text()
            assert victim == "old" or retired, server.log.text()[-3000:]
            abandon_to_nobody(server)
            server = start(demo, path, probation)
        else:
            check_settled(server, path)
    assert killed
    pid = answering(server)
    os.kill(pid, signal.SIGTERM)
    abandon_to_nobody(server)


@pytest.mark.parametrize("victim", ["old", "new"])
def test_stop_and_continue_at_random_instants(household, demo, tmp_path, victim):
    """Over the start, quiesce and serve deadlines nothing good is killed, and nobody accepts twice."""
    dice = random.Random(os.environ.get("HOT_CHAOS_SEED"))
    path = str(tmp_path / "demo.pid")
    server = start(demo, path, 0.05)
    load = Load(household, server, "new:clients=4")
    with load:
        for _ in range(max(3, ROUNDS // 5)):
            current = answering(server)
            with Process(current) as old:
                old.signal(signal.SIGUSR2)
                instant(dice)
                target = current if victim == "old" else next(iter(old.children()), None)
                if target and stat_of(target):
                    with Process(target) as paused:
                        paused.signal(signal.SIGSTOP)
                        instant(dice)
                        paused.signal(signal.SIGCONT)
            pid = settle(server)
            wait_until(lambda: content(path) == str(answering(server)), "one owner")
            assert pid
    report = load.report()
    assert report.failed == {}, report
    os.kill(answering(server), signal.SIGTERM)
    abandon_to_nobody(server)
