# SPDX-License-Identifier: MIT
"""The seed's protocol, both ways: HOT_CONTINUE=1, the listener at 3, SIGTERM to the parent."""

import os
import signal
import socket
import subprocess

import pytest

from load import Load
from process import inheriting
from server import BUILD, DEMO, bound_address
from test_inherit import listener
from waiting import PATIENCE, wait_until

SEED_ONLY = os.path.join(BUILD, "tests", "seedonly")


def unblock():
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def as_seed_child(fd):
    arguments = inheriting(fd, HOT_CONTINUE="1")
    place = arguments["preexec_fn"]

    def prepare():
        place()
        unblock()

    return dict(arguments, preexec_fn=prepare)


@pytest.mark.parametrize("family,host", [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_parent_that_knows_only_the_seed_is_told_to_go(demo, sigterm_blocked, family, host):
    with listener(family, (host, 0)) as shared:
        server = demo(listen=[], ready=False, **as_seed_child(shared.fileno()))
        told = signal.sigtimedwait([signal.SIGTERM], PATIENCE)
        assert told is not None and told.si_pid == server.first.pid
        server.address = (family, shared.getsockname())
        # The parent goes: it closes its copy.
    answer = server.get("/generation")
    assert (answer.status, answer.pid) == (200, server.first.pid)
    for row in server.first.listeners():
        assert bound_address(server.first, row) == server.address
    assert signal.sigtimedwait([signal.SIGTERM], 0) is None
    for _ in range(2):
        server.restart()
    assert signal.sigtimedwait([signal.SIGTERM], 0) is None


def test_the_seeds_listener_is_used_for_the_address_it_has(demo, sigterm_blocked):
    with listener() as shared:
        address = "127.0.0.1:{}".format(shared.getsockname()[1])
        server = demo(listen=[address], ready=False, **as_seed_child(shared.fileno()))
        told = signal.sigtimedwait([signal.SIGTERM], PATIENCE)
        assert told is not None and told.si_pid == server.first.pid
        inode = os.fstat(shared.fileno()).st_ino
    assert {row.target for row in server.first.listeners()} == {f"socket:[{inode}]"}
    server.await_listening()
    server.restart()
    assert {row.target for row in server.current.listeners()} == {f"socket:[{inode}]"}


INIT = """
import os, signal, socket, sys, time
demo, orphan, report = sys.argv[1], sys.argv[2] == "orphan", sys.argv[3]
assert os.getpid() == 1
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(16)
ready, gone = os.pipe()
def become_demo():
    if orphan:
        # The seed's parent is gone by the time the demo starts: PID 1 is its parent then.
        os.close(gone)
        while os.getppid() != 1:
            os.read(ready, 1)
    os.dup2(listener.fileno(), 3)
    os.set_inheritable(3, True)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.execve(demo, [demo], {"HOT_CONTINUE": "1"})
if orphan:
    parent = os.fork()
    if parent == 0:
        if os.fork() == 0:
            become_demo()
        os._exit(0)
    os.close(gone)
    os.waitpid(parent, 0)
elif os.fork() == 0:
    become_demo()
client = socket.create_connection(listener.getsockname())
listener.close()
client.sendall(b"GET /test HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
answer = b""
while (part := client.recv(4096)):
    answer += part
assert b"test 22222" in answer, answer
os.kill(-1, signal.SIGTERM)
pid, status = os.wait()
assert status == 0, status
assert signal.SIGTERM not in signal.sigpending(), "PID 1 was sent SIGTERM"
with open(report, "w") as file:
    file.write("served")
"""


def can_unshare():
    command = ["unshare", "--pid", "--fork", "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("parent", ["init", "orphan"])
def test_process_one_is_never_told_to_go(household, tmp_path, parent):
    if not can_unshare():
        pytest.skip("no right to make a PID namespace")
    log = household.log("init.log")
    report = tmp_path / "report"
    command = ["unshare", "--pid", "--fork", "--kill-child", "/usr/bin/python3", "-IS", "-c", INIT]
    process = household.start([*command, DEMO, parent, str(report)], log)
    assert process.wait_exit() == 0, log.text()
    assert report.read_text() == "served"


def test_a_release_that_knows_only_the_seed_takes_over(household, demo, releases):
    releases.install("seed", SEED_ONLY)
    server = demo(program=releases.current)
    old = server.current
    server.stopped = True
    with Load(household, server, "new:clients=4", options=["--identify", "pid"]) as load:
        with server.connect() as held:
            held.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\na")
            server.get("/test")
            releases.switch("seed")
            old.signal(signal.SIGUSR2)
            answer = wait_until(
                lambda: (a := server.get("/test")).pid != old.pid and a, "the seed answers",
                None, [server.log.watch],
            )
            assert answer.body == b"seed %d\n" % answer.pid
            assert not old.has_exited()
            held.send("b")
            assert held.answer().pid == old.pid
        assert old.wait_exit() == 0
        load.wait_generation(2)
    # The seed's answers have another body than the demo's: a client that counts generations by pid
    # sees no failed connection all the same.
    assert load.report().failed == {}
    assert set(household.stray()) == {answer.pid}
    os.kill(answer.pid, signal.SIGTERM)
    household.expect_no_stray()


def test_a_stop_of_the_operator_is_no_seed(demo):
    """The kernel says who sent SIGTERM: only the new process' means that it is ready."""
    server = demo()
    assert server.stop() == 0
    assert server.refuses()
