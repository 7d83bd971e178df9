# SPDX-License-Identifier: MIT
"""Triggers: many at once, in bad company, and together with a stop."""

import os
import re
import signal

import pytest

import wire
from releases import Gate
from waiting import wait_until


def test_ten_triggers_at_once_make_one_generation(demo):
    server = demo()
    old = server.current
    with server.connect() as held:
        # The old one is kept while its successor appears, so that every signal finds it.
        held.hold()
        for _ in range(10):
            old.signal(signal.SIGUSR2)
        server.await_generation(2)
        held.let_go()
    assert old.wait_exit() == 0
    # Had a trigger been left over, this would not be the third.
    server.restart()
    assert server.generation == 3


def test_triggers_during_a_restart_join_it(demo, releases):
    server = demo("--start-timeout", 5, program=releases.current)
    old = server.current
    gate = Gate(releases)
    releases.switch("waits")
    old.signal(signal.SIGUSR2)
    gate.await_reached()
    for _ in range(9):
        old.signal(signal.SIGUSR2)
        server.get("/test")
    assert len(old.children()) == 1
    releases.switch("release-1")
    gate.open()
    server.await_generation(2)
    gate.close()
    assert old.wait_exit() == 0
    # Had a trigger been left over, this would not be the third.
    server.restart()
    assert server.generation == 3


def test_a_trigger_for_another_program_during_a_restart_brings_one_more(demo, releases):
    releases.install("release-2")
    server = demo(program=releases.current)
    old = server.current
    gate = Gate(releases)
    releases.switch("waits")
    old.signal(signal.SIGUSR2)
    gate.await_reached()
    releases.switch("release-2")
    old.signal(signal.SIGUSR2)
    server.get("/test")
    gate.open()
    wait_until(lambda: server.get("/generation").generation == 3, "a third generation answers",
               None, [server.log.watch])
    gate.close()
    server.await_generation(3)
    assert server.current.exe() == releases.path("release-2")


def ignore_trigger():
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)


def block_trigger():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])


def block_everything():
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


def ignore_children():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)


@pytest.mark.parametrize(
    "parent", [ignore_trigger, block_trigger, block_everything, ignore_children]
)
def test_restarts_work_whatever_the_parent_did_to_signals(demo, parent):
    server = demo(preexec_fn=parent)
    for _ in range(2):
        server.restart()
        server.retire_predecessors()
    assert server.generation == 3


def test_a_bad_release_is_noticed_where_the_parent_ignored_sigchld(demo, releases):
    server = demo(program=releases.current, preexec_fn=ignore_children)
    releases.switch("/bin/false")
    server.current.signal(signal.SIGUSR2)
    server.log.wait_for(re.compile(r"hello: process \d+ .*(exited|ended)"))
    wait_until(lambda: not server.current.children(), "no child is left")
    releases.switch("release-1")
    server.restart()


# How far the new process has come when the stop is asked for.
STEPS = {
    "spawned": (wire.HANG,),
    "hello": (wire.SAY_HELLO, wire.TAKE_OFFER, wire.HANG),
    "commit": (wire.SAY_HELLO, wire.TAKE_OFFER, wire.SAY_READY, wire.TAKE_COMMIT),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_stop_during_a_restart_stops_both(household, demo, releases, step):
    server = demo(program=releases.current)
    reached = household.log("reached")
    steps = STEPS[step]
    tell = f"open({reached.path!r}, 'a').write('here')"
    if steps[-1] == wire.HANG:
        steps = (*steps[:-1], tell, wire.HANG)
    else:
        # Committed: what it is told then is STOP, and it must go by itself.
        told = f"open({reached.path!r}, 'a').write('stop')"
        steps = (*steps, tell, "channel.expect(wire.STOP)", told)
    releases.python("peer", wire.peer_program(*steps))
    releases.switch("peer")
    server.current.signal(signal.SIGUSR2)
    reached.wait_for(re.compile("here"))
    assert server.stop() == 0
    household.expect_no_stray()
    assert server.refuses()
    if step == "commit":
        assert reached.text() == "herestop"


def test_a_stop_right_after_a_trigger_stops_everything(household, demo):
    server = demo()
    for _ in range(5):
        server.restart()
    old = server.current
    old.freeze()
    old.signal(signal.SIGUSR2)
    old.signal(signal.SIGTERM)
    old.thaw()
    server.stopped = True
    old.wait_exit()
    household.expect_no_stray()
    assert server.refuses()


def test_the_new_generation_carries_on_when_the_old_is_killed_before_the_commit(
    household, demo, releases, tmp_path
):
    real = releases.path("release-1")
    pid_file = tmp_path / "pid"
    server = demo("--pid-file", str(pid_file), program=releases.current)
    old = server.current
    # The new release kills its parent, then goes on as the real program in the same process.
    releases.shell("patricide", "kill -9 $PPID", f'exec "{real}" "$@"')
    releases.switch("patricide")
    old.signal(signal.SIGUSR2)
    assert old.wait_exit() == -signal.SIGKILL
    releases.switch("release-1")
    server.await_generation(2)
    wait_until(
        lambda: pid_file.read_text() == f"{server.current.pid}\n", "the PID file is the new one's"
    )
    del server.processes[1]
    server.restart()
    server.retire_predecessors()
    assert set(household.stray()) == {server.current.pid}


def test_the_new_generation_carries_on_when_a_frozen_old_one_is_killed(demo, releases):
    real = releases.path("release-1")
    server = demo(program=releases.current)
    old = server.current
    # The old one stands still while the new one waits for its offer, and then is no more.
    releases.shell("freezes", "kill -STOP $PPID", f'exec "{real}" "$@"')
    releases.switch("freezes")
    old.signal(signal.SIGUSR2)
    wait_until(
        lambda: [p for p in old.children() if os.readlink(f"/proc/{p}/exe") == real],
        "the new process runs the real program",
    )
    releases.switch("release-1")
    old.kill()
    old.wait_exit()
    server.await_generation(2)
    server.restart()


def test_an_old_generation_that_is_killed_after_the_commit_takes_nobody_along(demo):
    server = demo()
    old = server.current
    with server.connect() as held:
        held.hold()
        new = server.restart()
        server.await_draining(old)
        old.kill()
        assert old.wait_exit() == -signal.SIGKILL
    assert server.get("/test").pid == new.pid
    server.restart()


def test_a_new_generation_that_is_killed_after_the_commit_cuts_nothing_of_the_old(demo):
    server = demo()
    old = server.current
    with server.connect() as held:
        held.hold()
        new = server.restart()
        server.await_draining(old)
        new.kill()
        new.wait_exit()
        assert held.let_go().pid == old.pid
    # Nobody resumes after the commit: the old one ends when it has finished what it had.
    assert old.wait_exit() == 0
    server.stopped = True
