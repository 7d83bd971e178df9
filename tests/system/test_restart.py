# SPDX-License-Identifier: MIT
"""Who answers what around a restart, and which program the new generation is."""

import os
import re
import shutil
import signal
import socket
import subprocess

import pytest

from process import Process
from server import DEMO
from waiting import wait_until


def test_a_request_before_the_restart_is_answered_by_the_old_generation(demo):
    server = demo("--hello-delay", 1)
    old = server.current
    with server.connect() as client:
        client.request("/hello")
        wait_until(lambda: server.get("/test"), "another connection is served")
        server.restart()
        answer = client.answer()
    assert (answer.status, answer.pid, answer.generation) == (200, old.pid, 1)
    assert answer.body == b"hello world233333!!!!"
    assert old.wait_exit() == 0


def test_pipelined_requests_behind_one_that_is_answered_move_with_their_connection(demo):
    server = demo("--hello-delay", 1)
    old = server.current
    with server.connect() as client:
        client.send("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n" +
                    2 * "GET /generation HTTP/1.1\r\nHost: localhost\r\n\r\n" +
                    "GET /generation HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        wait_until(lambda: server.get("/test"), "another connection is served")
        server.restart()
        text = client.socket.makefile("rb").read().decode()
    new = server.current
    assert re.findall("^X-Pid: (.*)\r$", text, re.MULTILINE) == [str(old.pid)] + 3 * [str(new.pid)]
    *others, last = text.split("HTTP/1.1 200 OK")[1:]
    assert "Connection: close" in last and "Connection" not in "".join(others)
    assert old.wait_exit() == 0


def test_a_half_sent_head_is_completed_by_the_new_generation(demo):
    server = demo()
    old = server.current
    with server.connect() as client:
        client.send("GET /generation HTTP/1.1\r\nHo")
        server.get("/test")
        server.restart()
        assert old.wait_exit() == 0
        client.send("st: localhost\r\n\r\n")
        assert client.answer().pid == server.current.pid
        assert client.get("/generation").pid == server.current.pid


def test_a_half_sent_body_is_completed_by_the_old_generation(demo):
    server = demo()
    old = server.current
    with server.connect() as client:
        client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhello")
        server.get("/test")
        server.restart()
        client.send("world")
        answer = client.answer()
    assert (answer.status, answer.pid) == (200, old.pid)
    assert b"936a185caaa266bb9cbe981e9e05cb78cd732b0b3280eb944412bb6f8f8f07af" in answer.body
    assert b"10" in answer.body
    assert old.wait_exit() == 0


def test_a_connection_without_a_byte_yet_is_answered(demo):
    server = demo()
    with server.connect() as client:
        server.get("/test")  # accepted after the silent one, which is therefore accepted too
        server.restart()
        answer = client.get("/test", ["Connection: close"])
    assert (answer.status, answer.body) == (200, b"test 22222")


def test_a_request_on_an_idle_connection_is_answered_after_the_restart(demo):
    server = demo()
    with server.connect() as client:
        client.get("/test")
        server.restart()
        answer = client.get("/generation")
    assert answer.status == 200
    server.retire_predecessors()


def inode_of(row):
    return int(row.target[len("socket:["):-1])


def test_no_epoll_of_the_old_generation_watches_the_listener(demo):
    server = demo()
    old = server.current
    # One socket, however many descriptors of it the server's loops have.
    (inode,) = {inode_of(row) for row in old.listeners()}
    assert inode in old.polled_inodes()
    with server.connect() as held:
        held.hold()
        server.restart()
        wait_until(lambda: inode not in old.polled_inodes(), "the old one polls it no more")
        assert inode in server.current.polled_inodes()
        assert not old.has_exited()
        assert held.let_go().pid == old.pid
    assert old.wait_exit() == 0


def test_several_generations_drain_at_the_same_time(demo):
    server = demo()
    held = []
    for generation in (1, 2, 3):
        client = server.connect()
        client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\na")
        assert server.get("/generation").generation == generation
        held.append((server.current, client))
        server.restart()
    assert all(not process.has_exited() for process, _ in held)
    for generation, (process, client) in reversed(list(enumerate(held, 1))):
        client.send("bc")
        answer = client.answer()
        assert (answer.status, answer.pid, answer.generation) == (200, process.pid, generation)
        client.close()
    for process, _ in held:
        assert process.wait_exit() in (0, None)


def test_a_trigger_for_a_draining_generation_reaches_the_one_that_serves(demo):
    server = demo()
    old = server.current
    with server.connect() as held:
        held.hold()
        server.restart()
        # Before it has heard that the new one serves, a trigger would join the restart.
        server.await_draining(old)
        old.signal(signal.SIGUSR2)
        server.await_generation(3)
        assert held.let_go().generation == 1
    assert old.wait_exit() == 0


def test_the_restart_follows_a_symlink_that_was_switched(demo, releases):
    releases.install("release-2")
    server = demo(program=releases.current)
    assert server.current.exe() == releases.path("release-1")
    releases.switch("release-2")
    server.restart()
    assert server.current.exe() == releases.path("release-2")
    assert server.current.argv()[0] == releases.current


def test_a_binary_that_was_replaced_is_the_next_generation(demo, releases):
    program = releases.install("server")
    server = demo(program=program)
    os.rename(releases.install("server.new"), program)
    assert server.current.exe() == program + " (deleted)"
    server.restart()
    assert server.current.exe() == program


def test_a_binary_that_was_deleted_is_missed_until_it_is_back(demo, releases):
    program = releases.install("server")
    server = demo(program=program)
    os.unlink(program)
    server.current.signal(signal.SIGUSR2)
    server.log.wait_for(re.compile("preflight: .*server: No such file or directory"))
    assert server.get("/generation").generation == 1
    releases.install("server")
    server.restart()
    assert server.current.exe() == program


def test_a_relative_name_is_looked_up_from_the_start_directory(demo, releases):
    releases.install("server")
    server = demo(program="./server", cwd=releases.directory)
    for _ in range(2):
        server.restart()
    assert server.current.exe() == releases.path("server")
    assert server.current.argv()[0] == "./server"
    assert server.current.cwd() == releases.directory


def test_a_name_without_a_slash_is_looked_up_in_path(demo, releases):
    releases.install("hot-demo")
    environment = dict(os.environ, PATH=f"/nonexistent:{releases.directory}:{os.environ['PATH']}")
    server = demo(argv0="hot-demo", program=releases.path("hot-demo"), env=environment)
    for _ in range(2):
        server.restart()
    assert server.current.exe() == releases.path("hot-demo")
    assert server.current.argv()[0] == "hot-demo"


def test_a_first_argument_that_is_a_lie_does_not_start_another_program(demo, releases):
    program = releases.install("server")
    server = demo(argv0="-a-name-for-ps", program=program)
    for _ in range(2):
        server.restart()
    assert server.current.exe() == program
    assert server.current.argv()[0] == "-a-name-for-ps"


def test_arguments_are_the_same_in_every_generation(demo):
    server = demo("--drain", 7, "--threads", 2)
    arguments = server.current.argv()
    for _ in range(3):
        assert server.restart().argv() == arguments


def test_a_copy_of_the_demo_elsewhere_runs(demo, tmp_path):
    copy = shutil.copy(DEMO, tmp_path / "elsewhere")
    server = demo(program=str(copy), cwd="/", env={"PATH": "/nonexistent"})
    server.restart()
    assert server.current.exe() == str(copy)


def names_of_connections(process, ask):
    """What `ask` (of a socket) says of each connected TCP socket of a process."""
    found = set()
    for row in process.fd_table():
        if row.kind == "socket AF_INET SOCK_STREAM":
            try:
                with socket.socket(fileno=process.borrow(row.number)) as copy:
                    found.add(ask(copy))
            except OSError:
                continue  # closed meanwhile, or not connected yet
    return found


def has_accepted(server, client):
    theirs = names_of_connections(client, socket.socket.getsockname)
    return theirs & names_of_connections(server, socket.socket.getpeername)


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
def test_curl_is_answered_before_during_and_after(household, demo):
    server = demo("--hello-delay", 1)
    host, port = server.address[1][:2]
    url = f"http://{host}:{port}"
    with open(household.log("curl.log").path, "wb") as output:
        slow = Process.start(["curl", "-sS", "-i", url + "/hello"], stdout=output, stderr=output)
    household.processes.append(slow)
    wait_until(lambda: has_accepted(server.current, slow), "curl is connected")
    first = server.current
    server.restart()
    out = subprocess.run(["curl", "-sS", url + "/test"], capture_output=True, check=True)
    assert (out.stdout, out.stderr) == (b"test 22222", b"")
    assert slow.wait_exit() == 0
    with open(output.name, encoding="ascii") as file:
        text = file.read()
    assert "200" in text.splitlines()[0] and text.endswith("hello world233333!!!!")
    assert f"X-Pid: {first.pid}\n" in text
