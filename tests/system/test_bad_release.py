# SPDX-License-Identifier: MIT
"""A new release that cannot serve costs nothing: the old generation serves on, says why, and the
next restart with a good release works."""

import os
import re
import signal

import pytest

import wire
from load import Load
from process import keys
from server import DEMO
from waiting import wait_until

SECOND = ("--start-timeout", "1")


def missing(releases):
    return "no-such-release"


def not_executable(releases):
    path = releases.install("data")
    os.chmod(path, 0o644)
    return "data"


def text(releases):
    releases.file("notes", b"this is no program\n", 0o755)
    return "notes"


def empty(releases):
    releases.file("empty", b"", 0o755)
    return "empty"


def other_machine(releases):
    with open(DEMO, "rb") as file:
        image = bytearray(file.read())
    image[18:20] = (0xF7F7).to_bytes(2, "little")  # e_machine
    releases.file("foreign", bytes(image), 0o755)
    return "foreign"


def no_interpreter(releases):
    releases.file("orphan", b"#!/no/such/interpreter\n", 0o755)
    return "orphan"


def directory(releases):
    os.mkdir(releases.path("folder"))
    return "folder"


def loop(releases):
    os.symlink("loop", releases.path("loop"))
    return "loop"


def false(releases):
    return "/bin/false"


def sleeps(releases):
    releases.shell("sleeps", "exec sleep 1000")
    return "sleeps"


def crashes(releases):
    releases.shell("crashes", "kill -SEGV $$")
    return "crashes"


def wrapper(releases):
    releases.shell("wrapper", f'"{DEMO}" "$@"')
    return "wrapper"


def closes_everything(releases):
    releases.python("closes", "import os, signal\nos.closerange(3, 100)\nsignal.pause()\n")
    return "closes"


def talks_junk(releases):
    releases.python(
        "junk",
        """
        import os, signal
        os.write(int(os.environ["HOT_CHANNEL"]), b"GET / HTTP/1.1")
        signal.pause()
        """,
    )
    return "junk"


def too_new(releases):
    releases.python("too-new", wire.peer_program("channel.send(wire.hello(7, 9))", wire.HANG))
    return "too-new"


def dies_after_hello(releases):
    releases.python("peer", wire.peer_program(wire.SAY_HELLO, wire.DIE))
    return "peer"


def dies_after_offer(releases):
    releases.python("peer", wire.peer_program(wire.SAY_HELLO, wire.TAKE_OFFER, wire.DIE))
    return "peer"


def hangs_after_offer(releases):
    releases.python("peer", wire.peer_program(wire.SAY_HELLO, wire.TAKE_OFFER, wire.HANG))
    return "peer"


def dies_after_ready(releases):
    steps = (wire.SAY_HELLO, wire.TAKE_OFFER, wire.SAY_READY, wire.DIE)
    releases.python("peer", wire.peer_program(*steps))
    return "peer"


def dies_after_commit(releases):
    steps = (wire.SAY_HELLO, wire.TAKE_OFFER, wire.SAY_READY, wire.TAKE_COMMIT, wire.DIE)
    releases.python("peer", wire.peer_program(*steps))
    return "peer"


def hangs_after_commit(releases):
    steps = (wire.SAY_HELLO, wire.TAKE_OFFER, wire.SAY_READY, wire.TAKE_COMMIT, wire.HANG)
    releases.python("peer", wire.peer_program(*steps))
    return "peer"


def closes_the_channel_after_commit(releases):
    steps = (wire.SAY_HELLO, wire.TAKE_OFFER, wire.SAY_READY, wire.TAKE_COMMIT)
    releases.python("peer", wire.peer_program(*steps, "channel.close()", wire.HANG))
    return "peer"


KILLED = r"process \d+ .* was killed by signal 9 \(SIGKILL\)"
LATE = r"within its start deadline; killed"

# What is wrong, the options it needs, and what stderr must say: the stage, and why.
BAD = [
    (missing, (), r"preflight: .*current: No such file or directory"),
    (not_executable, (), r"preflight: .*current: Permission denied"),
    (text, (), r"(preflight|spawn): .*: Exec format error"),
    (empty, (), r"(preflight|spawn): .*: Exec format error"),
    (other_machine, (), r"(preflight|spawn): .*: Exec format error"),
    (no_interpreter, (), r"spawn: .*: its interpreter or loader does not exist"),
    (directory, (), r"preflight: .*current: (Permission denied|Is a directory)"),
    (loop, (), r"preflight: .*current: Too many levels of symbolic links"),
    (false, (), r"hello: process \d+ .* exited with status 1 before it said hello"),
    (sleeps, SECOND, rf"hello: process \d+ .* did not say hello {LATE}"),
    (crashes, (), r"hello: process \d+ .* was killed by signal 11 \(SIGSEGV\)"),
    (wrapper, (), r"hello: process [0-9]+ answered .* did not exec"),
    (closes_everything, SECOND, r"hello: process \d+ "),
    (talks_junk, (), r"hello: process \d+ .* broke the handover protocol"),
    (too_new, (), r"hello: process \d+ .* speaks no version of the handover protocol"),
    (dies_after_hello, (), rf"(hello|offer|ready): {KILLED}"),
    (dies_after_offer, (), rf"(offer|ready): {KILLED}"),
    (hangs_after_offer, SECOND, rf"(offer|ready): process \d+ .* {LATE}"),
    (dies_after_ready, (), rf"(quiesce|commit|serving): {KILLED}"),
    (dies_after_commit, (), rf"(commit|serving): {KILLED}"),
    (hangs_after_commit, (), r"serving: .* did not serve within its serve deadline; killed"),
    (closes_the_channel_after_commit, (), r"(commit|serving): process \d+ "),
]


@pytest.mark.parametrize("bad,options,reason", BAD, ids=[row[0].__name__ for row in BAD])
def test_a_bad_release_costs_nothing(household, demo, releases, bad, options, reason):
    releases.install("release-2")
    server = demo(*options, program=releases.current)
    old = server.current
    before = keys(old.table_at_rest())
    said = server.log.size()

    with Load(household, server, "new:clients=4") as load:
        releases.switch(bad(releases))
        old.signal(signal.SIGUSR2)
        line = server.log.wait_for(re.compile(r"^.*" + reason + r".*$", re.MULTILINE), said)
        assert f"[pid {old.pid}]" in line.group(0)
        for _ in range(20):
            assert server.get("/test").pid == old.pid
    report = load.report()
    assert report.failed == {}, report
    assert set(report.answers) == {1}

    wait_until(lambda: not old.children(), "no child is left")
    assert keys(old.table_at_rest()) == before

    releases.switch("release-2")
    server.restart()
    assert server.current.exe() == releases.path("release-2")
    server.retire_predecessors()


def test_a_restart_works_after_many_bad_ones(demo, releases):
    server = demo(program=releases.current)
    before = keys(server.current.table_at_rest())
    failed = re.compile(r"hello: .*(exit|status)")
    releases.switch("/bin/false")
    for _ in range(20):
        said = server.log.size()
        server.current.signal(signal.SIGUSR2)
        server.log.wait_for(failed, said)
        wait_until(lambda: not server.current.children(), "no child is left")
    assert keys(server.current.table_at_rest()) == before
    releases.switch("release-1")
    server.restart()
    server.retire_predecessors()
