# SPDX-License-Identifier: MIT
"""Out of descriptors: everybody is served in the end, nobody spins, and a process without room says so."""

import re
import resource
import signal
import socket

import pytest

from httpd import head, statuses
from server import Client, DEMO
from waiting import wait_until

LIMIT = 32


@pytest.fixture
def narrow(demo):
    """Start a demo that may have so many descriptors open."""

    def start(*options, limit=LIMIT, threads=1):
        server = demo("--threads", threads, *options)
        server.widen = lambda to: resource.prlimit(server.current.pid, resource.RLIMIT_NOFILE, (to, hard))
        hard = resource.prlimit(server.current.pid, resource.RLIMIT_NOFILE)[1]
        server.widen(limit)
        return server

    return start


def await_sleep(server):
    """A loop that polls what it cannot take is never asleep."""
    wait_until(lambda: set(server.current.thread_states()) == {"S"}, "all its threads sleep")


def serve_a_hundred(server):
    """They all come at once, and each leaves with its answer."""
    clients = [server.connect() for _ in range(100)]
    for client in clients:
        client.request("/test", headers=["Connection: close"])
    for client in clients:
        assert client.answer().status == 200
        client.close()


@pytest.mark.parametrize("threads", [1, 2])
def test_those_who_leave_make_room_for_those_who_wait(narrow, threads):
    serve_a_hundred(narrow(threads=threads))


@pytest.mark.parametrize("threads", [1, 2])
def test_those_who_stay_are_told_to_go_while_others_wait(narrow, threads):
    """None of a hundred leaves by itself."""
    server = narrow(threads=threads)
    clients = [server.connect() for _ in range(100)]
    for client in clients:
        client.request("/test")
    answers = [client.answer() for client in clients]
    assert {answer.status for answer in answers} == {200}
    told = [client for client, answer in zip(clients, answers) if answer.headers["Connection"] == "close"]
    assert len(told) >= 100 - 2 * LIMIT
    for client in told:
        assert client.socket.recv(1) == b"", "and it went"
    for client in clients:
        client.close()

    def it_is_over():
        with server.connect() as client:
            return "Connection" not in client.get("/test").headers

    wait_until(it_is_over, "who comes later may stay")


def test_who_waits_is_served_as_soon_as_somebody_goes(narrow):
    server = narrow()
    holders = [server.connect() for _ in range(LIMIT)]
    for client in holders:
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
    wait_until(lambda: len(server.current.fd_numbers()) == LIMIT, "its table is full")
    with server.connect() as waiting:
        waiting.request("/test")
        await_sleep(server)
        for client in holders:
            expected = b"HTTP/1.1 100 Continue\r\n\r\n"
            assert client.socket.recv(len(expected)) == expected
            assert client.let_go().status == 200
            client.close()
        assert waiting.answer().status == 200


def test_who_speaks_is_not_ended_for_who_waits(narrow):
    """Requests that have come are answered, pipelined ones too, and the last answer says that it is."""
    server = narrow()
    clients = [server.connect() for _ in range(100)]
    for client in clients:
        client.send(3 * head("/test"))
    for client in clients:
        text = b""
        while text.count(b"test 22222") < 3:
            text += client.socket.recv(4096)
        assert statuses(text) == [200] * 3
        assert b"Connection" not in text[:text.rindex(b"HTTP/1.1")]
    for client in clients:
        client.close()


def test_it_can_restart_again_when_it_is_over(narrow):
    server = narrow()
    serve_a_hundred(server)
    server.widen(1024)
    server.restart()
    assert server.get("/test").generation == 2


def test_without_room_for_a_connection_it_does_not_start(household):
    """With each descriptor more it comes a step further, and with the last it serves."""
    for limit in range(7, 24):
        log = household.log(f"limit-{limit}.log")
        process = household.start(["/bin/sh", "-c", f'ulimit -n {limit}; exec "{DEMO}" --listen 127.0.0.1:0 --threads 1'],
                                  log, executable="/bin/sh")
        wait_until(lambda: process.has_exited() or "] serving on" in log.text(), "it serves, or not", None,
                   [log.watch, process])
        if not process.has_exited():
            port = int(re.search(r"serving on tcp://127\.0\.0\.1:([0-9]+)", log.text()).group(1))
            with Client((socket.AF_INET, ("127.0.0.1", port))) as client:
                assert client.get("/test").status == 200, f"nobody is served with {limit} descriptors"
            process.signal(signal.SIGTERM)
            assert process.wait_exit() == 0, log.text()
            break
        assert process.wait_exit() == 1
        assert re.search("Too many open files", log.text()), f"with {limit} descriptors it said: {log.text()}"
    assert limit < 23, "it never came to serve"
