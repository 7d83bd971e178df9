# SPDX-License-Identifier: MIT
"""After the commit: a new generation that dies, stops or restarts while the old one can resume."""

import os
import re
import select
import signal

import pytest

from command import control_path, hotstart
from load import Load
from process import Process, descendants
from server import DEMO
from waiting import wait_until

def content(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def restart(server):
    """Restart, and wait until the old one knows that it is in its probation."""
    old = server.current
    new = server.restart()
    server.log.wait_for(re.compile(rf"^\[pid {old.pid}\] restart: probation", re.MULTILINE))
    return new


def rolled_back(server):
    return server.log.wait_for(re.compile(r"restart rolled back: (probation: .*)"))[1]


def await_resumed(server, process):
    """Wait until `process`, the old generation, answers again."""
    wait_until(lambda: server.get("/generation").pid == process.pid, f"{process} serves again",
               None, [server.log.watch])


@pytest.mark.parametrize("answers", [0, 200, 2000])
def test_a_crash_in_the_probation_brings_the_old_one_back(household, demo, tmp_path, answers):
    path = str(tmp_path / "demo.pid")
    server = demo("--probation", 6, "--pid-file", path)
    wait_until(lambda: os.path.exists(path), "the PID file is there")
    old = server.current
    load = Load(household, server, "new:clients=8", "busy:clients=8", "think:clients=16,think=0-10")
    with load:
        new = restart(server)
        load.wait_generation(2)
        for _ in range(answers):
            assert server.get("/test").pid == new.pid
        new.signal(signal.SIGKILL)
        assert "SIGKILL" in rolled_back(server)
        server.generation = 1
        await_resumed(server, old)
        assert content(path) == f"{old.pid}\n"
    report = load.report()
    assert "refused" not in report.failed, report
    # What was inside the crashed process is lost: one request of each client at most.
    assert sum(report.failed.values()) <= 32, report
    assert server.get("/generation").generation == 1
    # And the next restart is as good as any.
    server.processes.pop(2).close()
    server.restart()
    assert server.get("/generation").generation == 2


def test_requests_that_the_old_one_still_has_outlive_the_crash(demo):
    server = demo("--probation", 30, "--hello-delay", 1)
    old = server.current
    with server.connect() as slow, server.connect() as idle:
        idle.get("/test")
        slow.request("/hello")
        wait_until(lambda: server.get("/test"), "another connection is served")
        restart(server).signal(signal.SIGKILL)
        rolled_back(server)
        server.generation = 1
        answer = slow.answer()
        assert (answer.pid, answer.body) == (old.pid, b"hello world233333!!!!")
        # Nobody is draining any more: the connection is kept.
        assert "close" not in (answer.headers.get("Connection") or "")
        assert idle.get("/generation").pid == old.pid
        assert idle.get("/generation").pid == old.pid


def test_at_its_end_the_old_one_retires(demo, tmp_path):
    path = str(tmp_path / "demo.pid")
    server = demo("--probation", 0.5, "--pid-file", path)
    old = server.current
    new = server.restart()
    assert old.wait_exit() == 0
    assert content(path) == f"{new.pid}\n"
    assert re.search(r"probation .*\n(.*\n)*.*restart: retire", server.log.text())
    # From now on nobody resumes.
    server.processes.pop(1).close()
    new.signal(signal.SIGKILL)
    new.wait_exit()
    assert server.refuses()
    server.stopped = True


@pytest.mark.parametrize("who", ["old", "new", "both"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_leaves_nobody(demo, tmp_path, who, number):
    path = str(tmp_path / "demo.pid")
    server = demo("--probation", 60, "--pid-file", path)
    old = server.current
    new = restart(server)
    for process in {"old": [old], "new": [new], "both": [old, new]}[who]:
        process.signal(number)
    assert old.wait_exit() == 0
    assert new.wait_exit() in (0, None)
    server.stopped = True
    assert not os.path.exists(path)
    assert server.refuses()


@pytest.mark.parametrize("how", ["command", "signals"])
def test_a_stop_at_once_leaves_nothing(demo, tmp_path, how):
    path = str(tmp_path / "demo.pid")
    server = demo("--probation", 60, "--pid-file", path)
    old = server.current
    new = restart(server)
    if how == "command":
        assert hotstart("stop", "--now", path).status == 0
    else:
        # Two of a kind would be one.
        new.signal(signal.SIGTERM)
        new.signal(signal.SIGINT)
    assert old.wait_exit() == 0
    new.wait_exit()
    server.stopped = True
    assert not os.path.exists(control_path(old)) and not os.path.exists(control_path(new))
    assert not os.path.exists(path)


def test_a_restart_in_the_probation_retires_the_one_before(demo, tmp_path):
    path = str(tmp_path / "demo.pid")
    server = demo("--probation", 60, "--pid-file", path)
    for _ in range(4):
        restart(server)
    # One probation at a time: all but the last two have gone.
    for generation in (1, 2, 3):
        assert server.processes[generation].wait_exit() in (0, None)
    assert content(path) == f"{server.processes[4].pid}\n"
    server.current.signal(signal.SIGKILL)
    server.generation = 4
    await_resumed(server, server.processes[4])


@pytest.mark.parametrize("dead", ["B", "C", "BC", "CB"])
def test_never_back_to_a_generation_that_has_retired(demo, dead):
    server = demo("--probation", 60)
    a = server.current
    b = restart(server)
    c = restart(server)
    assert a.wait_exit() == 0
    for name in dead:
        {"B": b, "C": c}[name].signal(signal.SIGKILL)
    if dead == "B":
        assert server.await_generation(3).pid == c.pid
    elif dead == "C":
        server.generation = 2
        await_resumed(server, b)
    else:
        b.wait_exit()
        c.wait_exit()
        wait_until(server.refuses, "nobody listens")
        server.stopped = True


def test_the_orphan_gives_way_to_the_one_that_resumes(demo, releases):
    """B dies while it starts C, in the probation of A: A accepts again, C goes."""
    server = demo("--probation", 60, program=releases.current)
    a = server.current
    b = restart(server)
    gate = releases.path("gate")
    os.mkfifo(gate)
    releases.shell("slow", f"read go < {gate}", f'exec {releases.path("release-1")} "$@"')
    releases.switch("slow")
    b.signal(signal.SIGUSR2)
    c = Process(int(server.log.wait_for(
        re.compile(rf"^\[pid {b.pid}\] restart: spawn \(pid (\d+)", re.MULTILINE))[1]))
    b.signal(signal.SIGKILL)
    server.generation = 1
    await_resumed(server, a)
    with open(gate, "w", encoding="ascii") as opened:
        opened.write("go\n")
    c.wait_exit()
    assert {server.get("/generation").pid for _ in range(20)} == {a.pid}
    c.close()


@pytest.mark.parametrize("stopped", ["old", "new"])
def test_sigstop_over_the_deadline_harms_nobody(demo, stopped):
    """A process that was paused hears first what came in time, then what is late."""
    server = demo("--probation", 0.3)
    old = server.current
    new = restart(server)
    paused = {"old": old, "new": new}[stopped]
    paused.freeze()
    if stopped == "new":
        assert old.wait_exit() == 0
    else:
        assert {server.get("/generation").pid for _ in range(20)} == {new.pid}
    paused.thaw()
    assert server.get("/generation").pid == new.pid
    assert old.wait_exit() == 0
    assert "rolled back" not in server.log.text()


def test_a_paused_old_one_that_wakes_up_late_stays_out(demo):
    """A successor stopped by an operator while the old one slept was not a crash."""
    server = demo("--probation", 60)
    old = server.current
    new = restart(server)
    old.freeze()
    new.signal(signal.SIGTERM)
    new.signal(signal.SIGTERM)  # it does not wait twice
    new.wait_exit()
    old.thaw()
    assert old.wait_exit() == 0
    server.stopped = True
    assert server.refuses()


def test_without_a_probation_the_old_one_leaves_at_once(demo):
    server = demo("--probation", 0)
    old = server.current
    server.restart()
    assert old.wait_exit() == 0
    assert "probation" not in server.log.text()


def test_as_many_generations_as_are_allowed(demo):
    """The third one waits until the first has finished what it has."""
    server = demo("--probation", 0, "--max-generations", 2, "--hello-delay", 0.01)
    old = server.current
    with server.connect() as held:
        held.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n")
        server.get("/test")
        new = server.restart()
        new.signal(signal.SIGUSR2)
        assert {server.get("/generation").pid for _ in range(50)} == {new.pid}
        held.send("x")
        assert held.answer().pid == old.pid
    server.await_generation(3)


def test_a_check_that_fails_starts_nobody(demo, releases):
    server = demo("--check-first", program=releases.current)
    server.restart()
    server.retire_predecessors()
    releases.shell("picky", '[ "$(eval echo \\${$#})" = --check ] && { echo no >&2; exit 7; }',
                   "exec sleep 1000")
    releases.switch("picky")
    server.current.signal(signal.SIGUSR2)
    text = server.log.wait_for(re.compile(r"restart rolled back: (.*)"))[1]
    assert text.startswith("check: ") and "status 7" in text, text
    assert server.get("/generation").generation == 2
    releases.switch("release-1")
    server.restart()


def test_what_the_demos_check_says(household):
    log = household.log("check")
    assert household.start([DEMO, "--listen", ":8080", "--check"], log).wait_exit() == 0
    assert household.start([DEMO, "--listen", "nowhere", "--check"], log).wait_exit() == 2
    assert "nowhere" in log.text() and "sound" in log.text()
    log.close()


def test_fifty_restarts_fifty_milliseconds_apart(household, demo):
    """Whatever the spacing: every trigger is followed or joined, and nothing is lost or piled up."""
    server = demo("--probation", 2, "--max-generations", 4)
    load = Load(household, server, "new:clients=4", "busy:clients=4")
    most = 0
    with load:
        for _ in range(50):
            os.kill(server.get("/generation").pid, signal.SIGUSR2)
            most = max(most, sum(is_demo(pid) for pid in descendants()))
            select.select([], [], [], 0.05)
        last = server.get("/generation")
    report = load.report()
    assert report.failed == {}, report
    # Bursts may join, and a restart that is under way takes its time on a busy machine.
    assert 10 <= last.generation <= 51
    # One look at /proc takes a while: it may see one that is about to end and the one in its place.
    assert most <= 5
    os.kill(last.pid, signal.SIGTERM)
    server.stopped = True


def is_demo(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe") == DEMO
    except OSError:
        return False

