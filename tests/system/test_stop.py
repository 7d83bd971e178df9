# SPDX-License-Identifier: MIT
"""Stopping: gracefully, at once, and at the drain deadline."""

import fcntl
import os
import re
import signal

import pytest

from waiting import wait_until

HALF = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_lets_a_request_finish_and_refuses_new_connections(demo, number):
    server = demo()
    with server.connect() as held:
        held.send(HALF)
        server.get("/test")
        server.current.signal(number)
        server.stopped = True
        wait_until(server.refuses, "new connections are refused", None, [server.log.watch])
        assert not server.current.has_exited()
        held.send("cd")
        assert held.answer().status == 200
    assert server.current.wait_exit() == 0


def test_a_slow_handler_is_waited_for(demo):
    server = demo("--hello-delay", "0.5")
    with server.connect() as client:
        client.request("/hello")
        server.get("/test")
        server.current.signal(signal.SIGTERM)
        server.stopped = True
        assert client.answer().body == b"hello world233333!!!!"
    assert server.current.wait_exit() == 0


def test_an_idle_server_stops_with_status_zero(demo):
    server = demo()
    with server.connect() as idle:
        idle.get("/test")
        assert server.stop() == 0
        assert idle.socket.recv(1) == b""


def test_a_second_stop_is_at_once(demo):
    server = demo()
    with server.connect() as held:
        held.send(HALF)
        server.get("/test")
        server.current.signal(signal.SIGTERM)
        wait_until(server.refuses, "it is stopping", None, [server.log.watch])
        assert not server.current.has_exited()
        server.stop()


def test_the_drain_deadline_ends_a_stop_and_what_was_cut_is_counted(demo):
    server = demo("--drain", 1)
    with server.connect() as first, server.connect() as second:
        first.send(HALF)
        second.send(HALF)
        server.get("/test")
        said = server.log.size()
        assert server.stop() == 1
    assert re.search(r"\b2 (connection|request)s?\b", server.log.since(said)), server.log.text()


def test_the_drain_deadline_ends_an_old_generation_and_what_was_cut_is_counted(demo):
    server = demo("--drain", 1)
    old = server.current
    with server.connect() as held:
        held.send(HALF)
        server.get("/test")
        said = server.log.size()
        server.restart()
        old.wait_exit()
    line = re.compile(rf"^\[pid {old.pid}\].*\b1 (connection|request)\b.*$", re.MULTILINE)
    assert line.search(server.log.since(said)), server.log.text()
    assert server.get("/test").pid == server.current.pid


def test_a_second_signal_ends_a_draining_generation_and_no_other(demo):
    server = demo()
    old = server.current
    with server.connect() as held:
        held.send(HALF)
        server.get("/test")
        server.restart()
        server.await_draining(old)
        old.signal(signal.SIGTERM)
        server.log.wait_for(re.compile(rf"\[pid {old.pid}\] stopping"))
        assert not old.has_exited()
        old.signal(signal.SIGTERM)
        old.wait_exit()
    assert server.get("/test").pid == server.current.pid


def test_a_signal_to_all_generations_cuts_nothing(demo):
    """Ctrl-C on a terminal, or a service manager's stop."""
    server = demo("--hello-delay", 1)
    old = server.current
    with server.connect() as busy, server.connect() as idle:
        idle.get("/test")
        busy.request("/hello")
        wait_until(lambda: server.get("/test"), "another connection is served")
        server.restart()
        server.await_draining(old)
        server.stopped = True
        for process in (old, server.current):
            process.signal(signal.SIGINT)
        assert idle.socket.recv(1) == b""
        assert busy.answer().pid == old.pid
    assert old.wait_exit() == 0
    server.current.wait_exit()


def test_a_reader_of_stderr_that_is_gone_kills_nobody(demo):
    reader, writer = os.pipe()
    server = demo(preexec_fn=lambda: os.dup2(writer, 2))
    os.close(reader)
    os.close(writer)
    for _ in range(2):
        server.restart()
    assert server.get("/generation").generation == 3


def test_a_reader_of_stderr_that_stopped_reading_stops_nobody(demo):
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    server = demo(preexec_fn=lambda: os.dup2(writer, 2))
    for _ in range(12):
        server.restart()
    assert server.get("/generation").generation == 13
    assert server.stop() in (0, None)
    os.close(reader)
    os.close(writer)
