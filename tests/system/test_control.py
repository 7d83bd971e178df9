# SPDX-License-Identifier: MIT
"""The control socket, spoken to by a stranger: hotstart-control(7)."""

import os
import re
import shutil
import socket
import stat
import subprocess

import pytest

from command import Control, control_path, hotstart, status_of
from process import Process
from waiting import wait_until


def follow(server):
    answer = server.get("/generation")
    if answer.generation not in server.processes:
        server.processes[answer.generation] = Process(answer.pid)
    server.generation = answer.generation
    return server.current


def restart(server):
    """Until the old one knows, too: the new one serves a moment before."""
    old = server.current
    server.restart()
    server.log.wait_for(re.compile(rf"^\[pid {old.pid}\] restart: serving", re.MULTILINE))


def test_it_is_private_and_named_by_the_pid(demo):
    server = demo()
    path = control_path(server.current)
    assert stat.S_ISSOCK(os.stat(path).st_mode) and stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700


def test_the_names_are_those_of_the_living(demo):
    server = demo("--probation", 0.1)
    directory = os.path.dirname(control_path(server.current))
    for _ in range(3):
        old = server.current
        server.restart()
        server.retire_predecessors()
        wait_until(lambda: os.listdir(directory) == [str(server.current.pid)], "one name is left")
    # One that died without a word leaves its name; whoever serves removes it.
    with server.connect() as held:
        held.hold()
        old = server.current
        restart(server)
        server.log.wait_for(re.compile(rf"^\[pid {old.pid}\] restart: retire", re.MULTILINE))
        old.kill()
    wait_until(lambda: os.listdir(directory) == [str(server.current.pid)], "its name is gone")
    server.stop()
    assert os.listdir(directory) == []


def test_it_is_where_the_host_wants_it(demo, tmp_path):
    path = tmp_path / "control"
    server = demo("--control", path)
    with Control(str(path)) as control:
        assert control.hello["pid"] == server.current.pid
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    restart(server)
    with Control(str(path)) as control:
        assert control.hello["generation"] == 2
    assert hotstart("status", server.current.pid).status == 0
    server.stop()
    assert not path.exists()


def test_a_place_that_cannot_be_had_is_told_and_stops_nobody(demo, tmp_path):
    server = demo("--control", tmp_path / "no" / "where")
    assert re.search("control: .*where: No such file or directory", server.log.text())
    assert server.restart()


def test_there_may_be_none(demo):
    server = demo("--control", "none")
    assert not os.path.exists(control_path(server.current))
    server.restart()
    assert hotstart("restart", server.current.pid).status == 3
    assert server.get("/generation").generation == 2


def test_the_greeting(demo):
    server = demo("--probation", 30)
    old = server.current
    restart(server)
    with Control(control_path(old)) as control:
        hello = control.hello
    assert (hello["type"], hello["hotstart"], hello["generation"]) == ("hello", 1, 2)
    assert hello["pid"] == server.current.pid
    assert set(hello["pids"]) == {old.pid, server.current.pid}
    assert hello["pid_namespace"] == os.stat("/proc/self/ns/pid").st_ino


GARBAGE = [
    b"\n", b"restartt\n", b"stop everything\n", b"STOP\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", b'{"type":"stop"}\n', b"\0\n", b"stop\0\n",
    b"restart\t\n", b"status\nstop it\n",
]


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_gets_an_error_and_has_no_effect(demo, garbage):
    server = demo()
    with Control(control_path(server.current)) as control:
        control.say(garbage)
        answers = [control.hear() for _ in range(garbage.count(b"\n"))]
        assert answers[-1]["type"] == "error" and answers[-1]["message"]
        # Whoever has said it may go on.
        assert control.ask("status")["generation"] == 1
    assert server.get("/generation").generation == 1
    assert "trigger" not in server.log.text() and "stopping" not in server.log.text()


def test_a_line_without_an_end_gets_an_error_and_the_door(demo):
    server = demo()
    with Control(control_path(server.current)) as control:
        control.say(b"stop" * 100)
        assert control.hear()["type"] == "error"
        assert control.hear() is None
    assert server.get("/test").status == 200


def test_half_a_request_is_none(demo):
    server = demo()
    with Control(control_path(server.current)) as control:
        control.say(b"stop")
    assert status_of(server.current)["phase"] == "serving"


def test_a_request_may_come_in_pieces_and_many_at_once(demo):
    server = demo()
    with Control(control_path(server.current)) as control:
        for byte in b"status\n":
            control.say(bytes([byte]))
        assert control.hear()["type"] == "status"
        control.say(b"status\n" * 500)
        assert [control.hear()["type"] for _ in range(500)] == 500 * ["status"]


def test_who_has_said_all_it_had_to_say_still_gets_its_answer(demo):
    server = demo()
    with Control(control_path(server.current)) as control:
        control.say("restart")
        control.socket.shutdown(socket.SHUT_WR)
        outcome = control.hear()
        assert (outcome["type"], outcome["outcome"]) == ("restart", "committed")
        assert control.hear() is None
    follow(server)


def test_a_connection_outlives_restarts(demo):
    server = demo("--probation", 0.1)
    with Control(control_path(server.current)) as control:
        for generation in (2, 3, 4):
            restart(server)
            answer = control.ask("status")
            assert (answer["type"], answer["generation"]) == ("status", generation)
            assert answer["pid"] == server.current.pid


def test_a_connection_that_has_said_nothing_outlives_its_generation(demo):
    server = demo()
    with Control(control_path(server.current)) as control:
        for _ in range(3):
            restart(server)
            server.retire_predecessors()
        assert control.ask("status")["generation"] == 4


def test_all_who_abort_are_told_how_it_ended(demo):
    server = demo("--manual-commit")
    path = control_path(server.current)
    with Control(path) as control:
        for _ in range(5):
            assert control.ask("restart")["type"] == "waiting"
            others = [Control(path) for _ in range(6)]
            for other in others:
                other.say("abort")
            for other in others:
                answer = other.hear()
                # The later ones may come when it is over.
                assert answer.get("outcome") == "rolled-back" or answer["message"] == "no restart is under way"
                other.close()
            assert control.hear()["outcome"] == "rolled-back"


def test_events_go_on_with_the_generation_that_serves(demo):
    server = demo("--probation", 0.1)
    with Control(control_path(server.current)) as control:
        control.say("events")
        assert control.ask("status")["type"] == "status"
        for generation in (2, 3):
            restart(server)
            heard = []
            while not heard or heard[-1]["type"] != "restart":
                heard.append(control.hear())
            steps = [one["step"] for one in heard if one["type"] == "step" and one["generation"] == generation]
            assert [s for s in steps if s in ("spawn", "ready", "serving")] == ["spawn", "ready", "serving"]
            assert heard[-1]["generation"] == generation


def test_those_who_say_nothing_do_not_lock_others_out(demo):
    server = demo()
    idle = [Control(control_path(server.current)) for _ in range(150)]
    assert hotstart("status", server.current.pid).status == 0
    for control in idle:
        control.close()


def test_one_that_does_not_read_is_in_nobodys_way(demo):
    server = demo()
    with Control(control_path(server.current)) as deaf:
        deaf.socket.setblocking(False)
        # More than it could ever be answered.
        try:
            while True:
                deaf.socket.send(b"status\n" * 100)
        except BlockingIOError:
            pass
        assert status_of(server.current)["type"] == "status"
        assert hotstart("restart", server.current.pid).status == 0
    follow(server)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to become another user")
def test_another_user_is_refused_and_told_of(demo, tmp_path):
    program = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);" \
              "s.sendall(b'stop\\n'); sys.stdout.buffer.write(s.makefile('rb').read())"
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("no setpriv")
    # pytest's own directories let nobody else in.
    place = os.path.join(os.environ["XDG_RUNTIME_DIR"], "open")
    os.mkdir(place)
    path = os.path.join(place, "control")
    server = demo("--control", path)
    os.chmod(path, 0o666)
    os.chmod(place, 0o755)
    os.chmod(os.environ["XDG_RUNTIME_DIR"], 0o755)
    said = subprocess.run(
        [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-IS", "-c",
         program, path], capture_output=True, text=True, check=False)
    os.chmod(os.environ["XDG_RUNTIME_DIR"], 0o700)
    assert '"type":"error"' in said.stdout and "hello" not in said.stdout, said
    server.log.wait_for(re.compile(r"control: process \d+ of user 65534: Operation not permitted"))
    assert server.get("/generation").generation == 1
    server.stop()
    os.rmdir(place)
