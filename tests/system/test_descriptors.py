# SPDX-License-Identifier: MIT
"""Every descriptor is accounted for, and so is what else a process inherits."""

import os

import pytest

from fds import findings
from process import keys
from waiting import wait_until

COUNTERS = {"LISTEN_PID", "HOT_GENERATION"}


def without_counters(environment):
    return {name: value for name, value in environment.items() if name not in COUNTERS}


@pytest.mark.slow
def test_two_hundred_restarts_leave_table_and_environment_as_the_second_had_them(household, demo):
    server = demo()
    second = server.restart()
    server.retire_predecessors()
    table = keys(second.table_at_rest())
    environment = second.environ()
    threads = len(second.threads())
    arguments = second.argv()

    for generation in range(3, 202):
        server.restart()
        if generation % 20 == 0:
            server.retire_predecessors()
    server.retire_predecessors()
    last = server.current

    assert server.generation == 201
    wait_until(lambda: len(last.threads()) >= threads, "its threads run")
    assert keys(last.table_at_rest()) == table, f"\n{last.fd_table()}"
    assert without_counters(last.environ()) == without_counters(environment)
    assert last.environ()["HOT_GENERATION"] == "201"
    assert last.environ()["LISTEN_PID"] == str(last.pid)
    assert last.argv() == arguments
    assert set(household.stray()) == {last.pid}
    assert not last.is_zombie() and last.children() == []
    assert findings("-p", last.pid) == []


def test_the_first_generation_and_the_second_differ_by_nothing_unexpected(demo):
    server = demo()
    first = keys(server.current.table_at_rest())
    second = server.restart()
    server.retire_predecessors()

    def without_numbers(table):
        return sorted(row[1:] for row in table)

    assert without_numbers(keys(second.table_at_rest())) == without_numbers(first)
    assert findings("-p", second.pid) == []


def test_every_descriptor_but_the_standard_ones_is_close_on_exec(demo):
    server = demo()
    for _ in range(3):
        for row in server.current.fd_table():
            assert row.cloexec == (row.number > 2), row
        server.restart()


def test_a_stranger_descriptor_does_not_reach_the_next_generation(demo, tmp_path):
    opened = os.open(tmp_path / "stranger", os.O_RDWR | os.O_CREAT, 0o600)
    reader, writer = os.pipe()
    targets = {os.readlink(f"/proc/self/fd/{fd}") for fd in (opened, reader, writer)}
    try:
        server = demo(pass_fds=(opened, reader, writer))
    finally:
        for fd in (opened, reader, writer):
            os.close(fd)

    def strange():
        return [row for row in server.current.fd_table() if row.target in targets]

    assert len(strange()) == 3
    server.restart()
    assert strange() == []


def test_standard_descriptors_are_the_same_files_in_every_generation(demo):
    server = demo()

    def standard():
        return [row.target for row in server.current.fd_table() if row.number <= 2]

    before = standard()
    for _ in range(2):
        server.restart()
        assert standard() == before


def test_a_server_without_standard_descriptors_restarts(demo):
    server = demo(preexec_fn=lambda: os.closerange(0, 3))
    for _ in range(3):
        server.restart()
        for row in server.current.fd_table():
            assert row.number > 2 or "socket" not in row.kind, row


def test_mask_umask_nice_and_affinity_are_those_of_the_start(demo):
    cpu = min(os.sched_getaffinity(0))

    def set_up():
        os.umask(0o027)
        os.nice(3)
        os.sched_setaffinity(0, {cpu})

    server = demo(preexec_fn=set_up)

    def attributes():
        process = server.current
        # 32 and 33 are the C library's own: who starts us with posix_spawn(3), as make does, may have
        # left them ignored, and nobody can ask for that again.
        ignored = int(process.status_field("SigIgn"), 16) & ~(3 << 31)
        return [ignored] + [process.status_field(name)
                            for name in ("Umask", "Cpus_allowed_list", "SigBlk", "ShdPnd")]

    expected = attributes()
    for _ in range(2):
        server.restart()
        assert attributes() == expected
        assert os.getpriority(os.PRIO_PROCESS, server.current.pid) == os.nice(0) + 3
        assert os.sched_getaffinity(server.current.pid) == {cpu}


def test_what_became_of_a_running_process_is_not_inherited(demo):
    """Somebody pins the server to a CPU and makes it nice for an hour: not for ever."""
    server = demo()
    allowed = os.sched_getaffinity(server.current.pid)
    nice = os.getpriority(os.PRIO_PROCESS, server.current.pid)
    os.sched_setaffinity(server.current.pid, {min(allowed)})
    os.setpriority(os.PRIO_PROCESS, server.current.pid, nice + 5)
    server.restart()
    assert os.sched_getaffinity(server.current.pid) == allowed
    if os.geteuid() == 0:
        assert os.getpriority(os.PRIO_PROCESS, server.current.pid) == nice


def test_an_environment_of_the_users_reaches_every_generation_unchanged(demo):
    given = {"PATH": os.environ["PATH"], "EMPTY": "", "ODD NAME": "a=b=c", "TEXT": "x" * 5000}
    server = demo(env=given)
    for _ in range(3):
        server.restart()
        found = server.current.environ()
        assert {name: found.get(name) for name in given} == given
