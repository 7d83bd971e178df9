# SPDX-License-Identifier: MIT
"""Connections move between generations of servers on libevent and libuv, with bytes flowing in both directions."""

import os
import resource
import signal
import socket

import pytest

from handover import CHAT, ECHOES, Streams, connected, generations, program, restart, start
from process import keys
from server import DEMO
from waiting import wait_until

pytestmark = pytest.mark.skipif(not ECHOES, reason="neither libevent nor libuv (tools/deps test)")


@pytest.fixture(params=ECHOES)
def echo(request):
    return program(request.param)


def without_numbers(table):
    return sorted(row[1:] for row in keys(table))


@pytest.mark.parametrize("probation", [0, 2])
def test_five_restarts_close_no_connection_and_lose_no_byte(household, echo, probation):
    server = start(household, echo, "--probation", probation)
    with Streams(server, 40) as streams:
        streams.wait_progress()
        for _ in range(5):
            restart(server)
            streams.wait_progress()
        wait_until(lambda: connected(server.current) == 40, "all are where the last generation is")
        streams.finish()
        assert streams.failures() == []
    assert server.generation == 6


def test_who_does_not_read_loses_nothing_either(household, echo):
    """The output of a server whose client does not read travels, and is most of what is on its way."""
    server = start(household, echo)
    with Streams(server, 2, window=64 << 20) as streams:
        streams.wait_progress()
        streams.deafen(True)
        for _ in range(3):
            wait_until(lambda: all(s.is_stuck() for s in streams.streams), "nobody takes any more")
            restart(server)
            server.retire_predecessors()
        streams.deafen(False)
        streams.finish()
        assert streams.failures() == []


def test_nothing_is_left_of_a_connection_that_has_gone(household, echo):
    server = start(household, echo)
    with Streams(server, 3) as streams:
        streams.wait_progress()
        restart(server)
        server.retire_predecessors()
        streams.finish()
    table = without_numbers(server.current.table_at_rest())
    for _ in range(10):
        with Streams(server, 20) as streams:
            restart(server)
            streams.wait_progress(1000)
            server.retire_predecessors()
            streams.finish()
            assert streams.failures() == []
    assert without_numbers(server.current.table_at_rest()) == table


def test_clients_that_go_in_the_middle_of_their_answer_end_nobody(household, echo):
    """They close with bytes unread: what is written to them after that is answered by a reset."""
    server = start(household, echo)
    with Streams(server, 2) as streams:
        for _ in range(200):
            with socket.create_connection(server.address[1]) as rude:
                rude.sendall(b"x" * 100000)
                rude.shutdown(socket.SHUT_WR)
        streams.wait_progress()
        restart(server)
        streams.wait_progress()
        streams.finish()
        assert streams.failures() == []
    server.retire_predecessors()


@pytest.mark.skipif(len(ECHOES) < 2, reason="it takes libevent and libuv")
def test_a_connection_moves_from_one_library_to_the_other_and_back(household, releases):
    for name in ECHOES:
        releases.install(name, program(name))
    releases.switch(ECHOES[0])
    server = start(household, releases.current)
    with Streams(server, 20) as streams:
        for n in range(1, 6):
            releases.switch(ECHOES[n % 2])
            new = restart(server)
            assert os.path.basename(new.exe()) == ECHOES[n % 2]
            streams.wait_progress()
        streams.finish()
        assert streams.failures() == []


@pytest.mark.parametrize("other", [CHAT, DEMO])
def test_a_release_that_does_not_know_them_leaves_them_to_the_old_one(household, releases, echo, other):
    releases.install("echo", echo)
    releases.install("other", other)
    releases.switch("echo")
    server = start(household, releases.current)
    old = server.current
    with Streams(server, 20) as streams:
        streams.wait_progress()
        releases.switch("other")
        new = restart(server)
        wait_until(lambda: generations(new)[old.pid]["handover"]["returned"] == 20, "all are back")
        streams.wait_progress()
        assert streams.failures() == []
        assert (connected(new), connected(old)) == (0, 20)
        old.signal(signal.SIGTERM)
        streams.finish()
        wait_until(lambda: not streams.alive(), "all are closed")
        assert streams.failures() == ["end of file"] * 20


def test_who_cannot_move_ends_at_the_drain_deadline(household, releases, echo):
    releases.install("echo", echo)
    releases.install("other", CHAT)
    releases.switch("echo")
    server = start(household, releases.current, "--drain", 2)
    old = server.current
    with Streams(server, 20) as streams:
        streams.wait_progress()
        streams.finish()
        releases.switch("other")
        restart(server)
        assert old.wait_exit() == 0
        wait_until(lambda: not streams.alive(), "all are closed")
        assert streams.failures() == ["end of file"] * 20


def limited(releases, name, program_name, limit):
    """A release that gives itself a limit. What it executes is what its own successor will be."""
    releases.shell(name, f"ulimit -Sn {limit}", f'exec {releases.path(program_name)} "$@"')


def test_a_receiver_without_descriptors_takes_what_it_can(household, releases, echo):
    """The others are served by the old one, and move when a later generation has room."""
    releases.install("echo", echo)
    releases.install("second", echo)
    limited(releases, "poor", "second", 100)
    limited(releases, "rich", "echo", 1000)
    releases.switch("echo")
    server = start(household, releases.current)
    old = server.current
    with Streams(server, 150) as streams:
        streams.wait_progress(2000)
        releases.switch("poor")
        poor = restart(server)
        wait_until(lambda: connected(poor) > 20 and connected(poor) + connected(old) == 150,
                   lambda: f"some have moved: {connected(poor)} and {connected(old)}")
        streams.wait_progress(2000)
        assert connected(old) > 50 and len(poor.fd_numbers()) < 100
        assert streams.failures() == []
        os.rename(releases.path("rich"), releases.path("second"))
        rich = restart(server)
        wait_until(lambda: connected(rich) == 150, lambda: f"all have moved: {connected(rich)}")
        streams.finish()
        assert streams.failures() == []
        server.retire_predecessors()


def test_a_giver_whose_limit_is_low_gives_little_by_little(household, echo):
    """What is on its way counts against the sender's limit (ETOOMANYREFS) unless he is privileged."""

    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (230, 230))

    server = start(household, echo, preexec_fn=limit)
    with Streams(server, 180) as streams:
        streams.wait_progress(2000)
        for _ in range(2):
            restart(server)
            streams.wait_progress(2000)
        wait_until(lambda: connected(server.current) == 180, lambda: "all have moved: "
                   f"{[(g['pid'], g['handover']) for g in generations(server.current).values()]}")
        streams.finish()
        assert streams.failures() == []


def test_a_stop_echoes_what_it_has_and_ends(household, echo):
    server = start(household, echo)
    with Streams(server, 10) as streams:
        streams.wait_progress()
        restart(server)
        streams.finish()
        server.current.signal(signal.SIGTERM)
        wait_until(lambda: not streams.alive(), "all are closed")
        assert streams.failures() == ["end of file"] * 10
    server.stopped = True
    assert server.current.wait_exit() in (0, None)
