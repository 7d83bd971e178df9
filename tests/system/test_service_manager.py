# SPDX-License-Identifier: MIT
"""What a service manager sees: the PID file and the notification socket."""

import os
import re
import signal
import socket
import time

import pytest

from manager import Manager
from waiting import wait_until


def content(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def await_file(path):
    """It is written once the server serves; its first answer may be earlier."""
    wait_until(lambda: os.path.exists(path), f"{path} is there")


def test_the_pid_file_follows_each_restart_and_goes_with_the_stop(demo, tmp_path):
    path = str(tmp_path / "demo.pid")
    server = demo("--pid-file", path)
    await_file(path)
    assert content(path) == f"{server.current.pid}\n"
    for _ in range(5):
        server.restart()
        server.retire_predecessors()
        assert content(path) == f"{server.current.pid}\n"
    assert os.stat(path).st_mode & 0o777 == 0o644
    server.stop()
    assert not os.path.exists(path)


def test_a_reader_never_sees_half_a_pid_file(demo, tmp_path):
    path = str(tmp_path / "demo.pid")
    server = demo("--pid-file", path)
    await_file(path)
    seen = set()
    for _ in range(10):
        old = server.current
        old.signal(signal.SIGUSR2)
        while not old.has_exited():
            seen.add(content(path))
        server.await_generation(server.generation + 1)
    assert all(re.fullmatch(r"[1-9]\d*\n", text) for text in seen), seen
    assert [name for name in os.listdir(tmp_path) if "demo.pid" in name] == ["demo.pid"]


def test_a_pid_file_that_names_somebody_else_is_left_alone(demo, tmp_path):
    path = tmp_path / "demo.pid"
    server = demo("--pid-file", str(path))
    await_file(path)
    path.write_text("1\n")
    server.stop()
    assert path.read_text() == "1\n"


def test_a_pid_file_that_cannot_be_written_is_reported(demo, tmp_path):
    path = str(tmp_path / "no" / "demo.pid")
    server = demo("--pid-file", path)
    server.log.wait_for(re.compile(re.escape(path) + ".*No such file"))


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    names = {"path": str(tmp_path / "notify"), "abstract": f"@hotstart-notify-{os.getpid()}"}
    found = Manager(names[request.param], str(tmp_path / "demo.pid"))
    found.address = names[request.param]
    yield found
    found.close()


def managed(demo, manager, *options, **kwargs):
    environment = dict(os.environ, NOTIFY_SOCKET=manager.address)
    return demo("--pid-file", manager.pid_file, *options, env=environment, **kwargs)


def test_ready_is_told_once_it_serves(demo, manager):
    server = managed(demo, manager)
    index = manager.wait_for("READY")
    first = manager.messages[index]
    assert first.pid == server.current.pid
    assert first.pid_file == f"{server.current.pid}\n"
    assert not any("STOPPING" in message for message in manager.messages)


def test_a_restart_is_told_in_the_right_order(demo, manager):
    server = managed(demo, manager)
    mark = manager.wait_for("READY")
    for _ in range(3):
        old = server.current
        before = time.monotonic_ns() // 1000
        new = server.restart()
        server.retire_predecessors()
        reloading = manager.wait_for("RELOADING", after=mark + 1)
        ready = manager.wait_for("READY", after=reloading + 1)
        main = manager.wait_for("MAINPID", after=mark + 1)
        # NotifyAccess=main: until MAINPID has been told, only the old one is heard.
        assert [m.pid for m in manager.messages[mark + 1:main + 1]] == [old.pid] * (main - mark)
        assert reloading < ready <= main
        message = manager.messages[reloading]
        assert before <= int(message["MONOTONIC_USEC"]) <= message.at
        message = manager.messages[main]
        assert message["MAINPID"] == str(new.pid)
        assert message.pid_file == f"{new.pid}\n", "the PID file is right before MAINPID is told"
        mark = len(manager.messages) - 1
    assert not any("STOPPING" in message for message in manager.messages)


def test_a_roll_back_is_told(demo, manager, releases):
    server = managed(demo, manager, program=releases.current)
    mark = manager.wait_for("READY")
    releases.switch("/bin/false")
    server.current.signal(signal.SIGUSR2)
    reloading = manager.wait_for("RELOADING", after=mark + 1)
    ready = manager.wait_for("READY", after=reloading + 1)
    said = [m["STATUS"] for m in manager.messages[reloading:] if "STATUS" in m]
    assert "hello" in said[-1] and "exited with status 1" in said[-1], said
    assert {m.pid for m in manager.messages} == {server.current.pid}
    assert manager.messages[ready].pid_file == f"{server.current.pid}\n"
    assert not any("MAINPID" in m and m["MAINPID"] != str(server.current.pid)
                   for m in manager.messages)


def test_stopping_is_told_by_the_last_generation_only(demo, manager):
    server = managed(demo, manager)
    for _ in range(2):
        server.restart()
        server.retire_predecessors()
    last = server.current
    server.stop()
    manager.wait_for("STOPPING")
    assert [m.pid for m in manager.messages if "STOPPING" in m] == [last.pid]


def test_a_manager_that_does_not_answer_delays_nobody(demo, tmp_path):
    """A socket that nobody reads fills up after a few datagrams; serving must not wait for it."""
    path = str(tmp_path / "deaf")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(path)
        server = demo(env=dict(os.environ, NOTIFY_SOCKET=path))
        for _ in range(4):
            server.restart()
        server.retire_predecessors()


def test_a_notify_socket_that_is_gone_is_no_error(demo, tmp_path):
    server = demo(env=dict(os.environ, NOTIFY_SOCKET=str(tmp_path / "nobody")))
    server.restart()


def test_what_a_busy_manager_missed_is_told_later(demo, tmp_path):
    """READY=1 after a restart must not be lost: the unit would be reloading for ever."""
    path = str(tmp_path / "busy")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as busy:
        busy.bind(path)
        busy.settimeout(20)
        server = demo("--probation", 0.1, env=dict(os.environ, NOTIFY_SOCKET=path))
        told = []
        old = server.current
        new = server.restart()
        server.restart()
        while f"MAINPID={server.current.pid}" not in told:
            text, ancillary, _, _ = busy.recvmsg(4096, 4096)
            told += text.decode().split("\n")
            for _, kind, value in ancillary:
                if kind == socket.SCM_RIGHTS:
                    os.close(int.from_bytes(value[:4], "little"))
        words = [w for w in told if not w.startswith(("STATUS", "MONOTONIC"))]
        assert words.count("RELOADING=1") == 2 and words.index("READY=1") == 0
        last = len(words) - 1 - words[::-1].index("RELOADING=1")
        assert "READY=1" in words[last:], told
        assert words.index(f"MAINPID={new.pid}") < words.index(f"MAINPID={server.current.pid}")
        assert f"MAINPID={old.pid}" not in words


@pytest.mark.parametrize("probation", [0, 30])
def test_the_watchdog_is_fed_by_the_main_process(demo, manager, probation):
    """Through the switch, and never by two."""
    environment = dict(os.environ, NOTIFY_SOCKET=manager.address, WATCHDOG_USEC="100000")
    server = demo("--probation", probation, "--pid-file", manager.pid_file, env=environment)
    old = server.current
    manager.wait_for("WATCHDOG")
    new = server.restart()
    mark = len(manager.messages)
    if probation:
        for _ in range(3):
            mark = manager.wait_for("WATCHDOG", after=mark + 1)
            assert manager.messages[mark].pid == old.pid
    else:
        main = manager.wait_for("MAINPID", str(new.pid))
        mark = manager.wait_for("WATCHDOG", after=main + 1)
        for _ in range(3):
            mark = manager.wait_for("WATCHDOG", after=mark + 1)
            assert manager.messages[mark].pid == new.pid
    assert "WATCHDOG_PID" not in new.environ()


def test_the_watchdog_of_somebody_else_is_left_alone(demo, manager):
    environment = dict(os.environ, NOTIFY_SOCKET=manager.address, WATCHDOG_USEC="1000",
                       WATCHDOG_PID="1")
    server = demo(env=environment)
    manager.wait_for("READY")
    for _ in range(20):
        server.get("/test")
    assert not any("WATCHDOG" in message for message in manager.messages)


def test_a_resume_in_the_probation_tells_nobody_about_another_pid(demo, manager):
    server = managed(demo, manager, "--probation", 60)
    old = server.current
    new = server.restart()
    ready = manager.wait_for("READY", after=manager.wait_for("RELOADING") + 1)
    new.signal(signal.SIGKILL)
    server.log.wait_for(re.compile("rolled back: probation"))
    manager.wait_for("READY", after=ready + 1)
    assert not any("MAINPID" in message for message in manager.messages)
    assert {message.pid for message in manager.messages} == {old.pid}
    assert content(manager.pid_file) == f"{old.pid}\n"
    server.generation = 1
