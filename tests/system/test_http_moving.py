# SPDX-License-Identifier: MIT
"""Live HTTP connections go on in the next generation: none is closed by a restart, and none is lost."""

import os
import re
import select
import signal

import pytest

from command import hotstart
from httpd import read_to_end
from load import Load
from tls import TlsClient, trusting
from waiting import wait_until

RESTARTS = int(os.environ.get("HOT_MOVING_RESTARTS", "12"))

FEW = ["--probation", 0.1]


def accepted(process, count):
    """Wait until it has so many connections."""
    wait_until(lambda: sum(row.kind == "socket AF_INET SOCK_STREAM" for row in process.fd_table()) == count,
               f"it has {count} connections")


def handover_of(server, process):
    """What an operator is told of the connections of one of the generations. One that has just come into being, or is
    about to go, may not have said anything, and the socket changes hands just then."""
    done = hotstart("status", server.current.pid, "--json")
    for row in done.json()["generations"] if done.status == 0 else []:
        if row["pid"] == process.pid:
            return row.get("handover", {})
    return {}


def await_moved(server, process, count):
    wait_until(lambda: handover_of(server, process).get("accepted") == count, f"{count} have moved")


def await_pinned(server, process, expected):
    """Its connections that stay, by reason."""

    def pinned():
        return {k: v for k, v in handover_of(server, process).get("pinned", {}).items() if v}

    wait_until(lambda: pinned() == expected, lambda: f"{expected} stay, not {pinned()}")


@pytest.mark.parametrize("probation", [2, 0])
def test_an_idle_connection_goes_on_in_the_next_generation(demo, probation):
    server = demo("--probation", probation)
    with server.connect() as client:
        for _ in range(3):
            assert client.get("/generation").pid == server.current.pid
            old = server.current
            server.restart()
            assert old.wait_exit() == 0, "it has nothing left to wait for"
        answer = client.get("/generation")
        assert (answer.pid, answer.headers["Connection"]) == (server.current.pid, None)


def test_a_fresh_connection_goes_on_in_the_next_generation(demo):
    server = demo(*FEW)
    old = server.current
    with server.connect() as client:
        accepted(old, 1)
        server.restart()
        assert old.wait_exit() == 0
        assert client.get("/generation").pid == server.current.pid


def test_a_head_that_comes_byte_by_byte_goes_on_in_every_generation(demo):
    server = demo(*FEW)
    head = "GET /generation HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with server.connect() as client, server.connect() as other:
        for at, byte in enumerate(head):
            client.send(byte)
            if at % 6 == 5:
                old = server.current
                server.restart()
                assert old.wait_exit() == 0
            assert other.get("/test").status == 200
        assert client.answer().pid == server.current.pid
        assert client.get("/generation").pid == server.current.pid


def restart_until_readable(server, client):
    """Restarts one after another, until the server has something to say."""
    restarts = 0
    while not select.select([client.socket], [], [], 0)[0]:
        old = server.current
        server.restart()
        old.wait_exit()
        restarts += 1
    return restarts


def test_a_slow_head_gains_no_time_by_restarts(demo):
    server = demo(*FEW, "--head-timeout", 1.5)
    with server.connect() as client:
        client.send("GET /test HTTP/1.1\r\nHo")
        assert restart_until_readable(server, client) > 1
        assert client.answer().status == 408


def test_an_idle_connection_gains_no_time_by_restarts(demo):
    server = demo(*FEW, "--idle-timeout", 1.5)
    with server.connect() as client:
        client.get("/test")
        assert restart_until_readable(server, client) > 1
        assert read_to_end(client) == b""


def test_a_connection_is_known_by_its_peer_wherever_it_goes(demo, tmp_path):
    log = tmp_path / "access.log"
    server = demo(*FEW, "--access-log", log)
    with server.connect() as client:
        client.get("/generation")
        old = server.current
        server.restart()
        assert old.wait_exit() == 0
        client.get("/generation")
        lines = wait_until(lambda: (lines := [line for line in log.read_text().splitlines()
                                              if "/generation HTTP" in line])[1:] and lines, "both are logged")
    assert all(line.startswith("127.0.0.1 - ") for line in lines)


def test_a_connection_that_is_busy_meanwhile_moves_to_the_last_of_three_generations(demo):
    server = demo(*FEW, "--hello-delay", 2)
    first = server.current
    with server.connect() as client:
        client.request("/hello")
        for _ in range(3):
            server.get("/test")
            server.restart()
        await_pinned(server, first, {"request": 1})
        answer = client.answer()
        assert (answer.pid, answer.headers["Connection"]) == (first.pid, None)
        assert first.wait_exit() == 0
        assert client.get("/generation").generation == 4
    server.retire_predecessors()


def test_what_moved_is_counted(demo):
    server = demo("--max-generations", 3)
    old = server.current
    with server.connect() as one, server.connect() as other, server.connect() as held:
        one.get("/test")
        other.get("/test")
        held.hold()
        server.restart()
        await_moved(server, old, 2)
        await_pinned(server, old, {"request": 1})
        told = hotstart("status", server.current.pid).out
        assert re.search(r"generation 1: 2 connections handed over.*pinned: 1 request", told), told
        held.let_go()
        assert old.wait_exit() == 0
        text = server.get("/metrics").body.decode()
        assert 'hotstart_connections_moved_total{result="given"} 3' in text
        assert 'hotstart_connections_moved_total{result="adopted"} 3' in text
        assert 'hotstart_connections_moved_total{result="returned"} 0' in text
        assert 'hotstart_connections_pinned{reason="request"} 0' in text


def test_who_is_killed_in_its_probation_leaves_its_connections_to_the_old_one(demo):
    server = demo("--probation", 60)
    old = server.current
    with server.connect() as idle, server.connect() as fresh:
        assert idle.get("/generation").pid == old.pid
        accepted(old, 2)
        new = server.restart()
        await_moved(server, old, 2)
        new.kill()
        new.wait_exit()
        server.generation = 1
        assert idle.get("/generation").pid == fresh.get("/generation").pid == old.pid
        # And the next one gets them after all.
        server.processes.pop(2, None)
        old.signal(signal.SIGUSR2)
        server.await_generation(2)
        wait_until(lambda: idle.get("/generation").pid == server.current.pid, "it has moved")


def test_a_stop_ends_what_has_moved_as_what_was_accepted(demo):
    server = demo("--probation", 60)
    with server.connect() as idle:
        idle.get("/test")
        server.restart()
        await_moved(server, server.first, 1)
        server.stop()
        assert read_to_end(idle) == b""


def test_an_end_reaches_the_client_while_the_old_one_holds_a_copy(demo):
    server = demo("--probation", 60, "--idle-timeout", 1)
    with server.connect() as idle, server.connect() as closing:
        idle.get("/test")
        closing.get("/test")
        server.restart()
        await_moved(server, server.first, 2)
        assert closing.get("/test", headers=["Connection: close"]).pid == server.current.pid
        assert read_to_end(closing) == b"" and read_to_end(idle) == b""
        assert not server.first.has_exited()


def test_both_hold_what_they_should(demo):
    server = demo(*FEW)
    before = server.current.table_at_rest()
    clients = [server.connect() for _ in range(40)]
    for client in clients:
        client.get("/test")
    for _ in range(3):
        old = server.current
        server.restart()
        assert old.wait_exit() == 0
    for client in clients:
        assert client.get("/generation").pid == server.current.pid
        client.close()
    wait_until(lambda: sorted(map(str, (row.kind for row in server.current.fd_table()))) ==
               sorted(map(str, (row.kind for row in before))), "the table is that of the first")


def test_a_receiver_short_of_descriptors_gets_some_and_the_rest_is_served_here(demo, releases):
    real = releases.path("release-1")
    releases.shell("poor", "ulimit -Sn 100", f'exec "{real}" "$@"')
    server = demo("--drain", 60, program=releases.current)
    old = server.current
    clients = [server.connect() for _ in range(150)]
    for client in clients:
        client.get("/test")
    releases.switch("poor")
    new = server.restart()
    wait_until(lambda: handover_of(server, old).get("accepted", 0) > 20, "some have moved")
    for _ in range(3):
        pids = [client.get("/generation").pid for client in clients]
        assert set(pids) == {old.pid, new.pid}
    # What ends in the new one makes room for others.
    for client, pid in zip(clients, pids):
        if pid == new.pid:
            client.close()
    left = [client for client, pid in zip(clients, pids) if pid == old.pid]
    wait_until(lambda: any(client.get("/generation").pid == new.pid for client in left), "others follow")
    for client in left:
        client.close()
    assert old.wait_exit() == 0


def test_what_cannot_move_is_told_before_it_is_closed(secure, pairs):
    server = secure("--http1", "--drain", 4, "--max-generations", 3)
    old = server.current
    clients = [TlsClient(server.tls, trusting(pairs["one.test"]), "one.test") for _ in range(12)]
    for client in clients:
        client.get("/test")
    server.restart()
    await_pinned(server, old, {"tls": 12})
    answer = clients[0].get("/test")
    assert (answer.pid, answer.headers["Connection"]) == (old.pid, "close")
    assert read_to_end(clients[0]) == b""
    clients[0].close()
    # The others are ended one after another, cleanly: a reset would fail the read.
    left = set(clients[1:])
    turns = 0
    while left:
        ready = select.select([client.socket for client in left], [], [])[0]
        turns += 1
        for client in [client for client in left if client.socket in ready]:
            assert read_to_end(client) == b""
            client.close()
            left.remove(client)
    assert turns > 4, "not all at the same moment"
    assert old.wait_exit() == 0


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--probation", 0], ["--threads", 3, "--handover-pace", 1]],
                         ids=["defaults", "no probation", "slowly"])
def test_no_client_has_to_connect_again(household, demo, options):
    server = demo(*options)
    load = Load(household, server, "think:clients=150,think=0-10", "busy:clients=4",
                "upload:clients=30,bytes=2000,piece=1000,every=1", "pipelined:clients=16,depth=8")
    with load:
        for generation in range(2, RESTARTS + 2):
            server.restart()
            load.wait_generation(generation)
    report = load.report()
    assert report.failed == {}, report
    assert not any(report.summary["reconnects"].values()), report
    assert len({record.connection for record in load.records()}) == 200, "every client is on its first socket"
    assert len(report.answers) == RESTARTS + 1
    server.retire_predecessors()
    status = hotstart("status", server.current.pid, "--json").json()
    assert [row["pid"] for row in status["generations"]] == [server.current.pid]
