# SPDX-License-Identifier: MIT
"""hotstart doctor says what is wrong with a process on purpose, and nothing of the kind about the demo."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess

import pytest

from verify import DEMO, HOTSTART


def doctor(target, *options):
    done = subprocess.run([HOTSTART, "doctor", "--json", *options, str(target)], capture_output=True, text=True,
                          timeout=60)
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


def levels(result, subject):
    return {a["level"] for a in result["advice"] if a["subject"] == subject}


@contextlib.contextmanager
def running(arguments, word, **options):
    """A process that has said @word on its output."""
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    try:
        while word not in process.stdout.readline():
            assert process.poll() is None
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def demo(*more, program=DEMO, **options):
    return running([program, "--listen", "127.0.0.1:0", *more], "serving", **options)


def test_demo_is_well(tmp_path):
    with demo("--pid-file", tmp_path / "pid") as server:
        status, result = doctor(tmp_path / "pid")
        assert status == 0, result
        assert result["pid"] == server.pid
        assert levels(result, "SIGUSR2") == {"good"}
        assert levels(result, "PID file") == {"good"}
        assert not [a for a in result["advice"] if a["level"] == "bad"]


def test_program_that_is_gone(tmp_path):
    copy = shutil.copy(DEMO, tmp_path / "demo")
    with demo(program=copy) as server:
        os.unlink(copy)
        status, result = doctor(server.pid)
        assert status == 1
        assert levels(result, "program") == {"bad"}


def test_program_that_was_replaced_is_what_a_restart_is_for(tmp_path):
    copy = shutil.copy(DEMO, tmp_path / "demo")
    with demo(program=copy) as server:
        shutil.copy(DEMO, tmp_path / "new")
        os.rename(tmp_path / "new", copy)
        status, result = doctor(server.pid)
        assert status == 0
        assert levels(result, "program") == {"good"}


def test_program_that_cannot_be_executed(tmp_path):
    copy = shutil.copy(DEMO, tmp_path / "demo")
    with demo(program=copy) as server:
        os.chmod(copy, 0o644)
        status, result = doctor(server.pid)
        assert status == 1
        assert "bad" in levels(result, "program")


def test_directory_that_is_gone(tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    with demo(cwd=folder) as server:
        folder.rmdir()
        _, result = doctor(server.pid)
        assert levels(result, "directory") == {"warn"}


def shell(text):
    return running(["/bin/sh", "-c", text], "ready")


def test_trigger_that_is_not_handled():
    with shell("echo ready; exec sleep 1000") as process:
        status, result = doctor(process.pid)
        assert status == 1
        assert levels(result, "SIGUSR2") == {"bad"}


def test_trigger_that_is_ignored():
    with shell("trap '' USR2; echo ready; exec sleep 1000") as process:
        status, result = doctor(process.pid)
        assert status == 1
        assert "ignored" in next(a["text"] for a in result["advice"] if a["subject"] == "SIGUSR2")


def test_pid_file_of_somebody_else(tmp_path):
    (tmp_path / "pid").write_text(f"{os.getpid()}\n")
    with running(["/bin/sh", "-c", "echo ready; exec sleep 1000"], "ready") as process:
        (tmp_path / "pid").write_text(f"{process.pid}\n")
        status, result = doctor(tmp_path / "pid")
        assert levels(result, "PID file") == {"good"}


def test_descriptor_that_every_child_gets(tmp_path):
    with open(tmp_path / "held", "w") as held:
        with demo(pass_fds=[held.fileno()]) as server:
            _, result = doctor(server.pid)
            assert "held" in next(a["text"] for a in result["advice"]
                                  if a["subject"] == "close on exec" and a["level"] == "warn")


def test_unix_listeners_that_were_renamed_into_place_are_reachable(tmp_path):
    with running([DEMO, "--listen", f"unix:{tmp_path}/socket", "--control", tmp_path / "control"], "serving"):
        status, result = doctor(tmp_path / "control")
        assert status == 0, result
        assert levels(result, "listener") == set()


@pytest.mark.parametrize("name, words", [
    ("garbage", "no pid in it"), ("empty", "no pid in it"), ("folder", "Is a directory"),
    ("socket", "nobody listens"), ("missing", "No such file"),
])
def test_what_is_no_target_is_told_in_words(tmp_path, name, words):
    (tmp_path / "garbage").write_text("garbage\n")
    (tmp_path / "empty").write_text("")
    (tmp_path / "folder").mkdir()
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "socket"))
    status, err = doctor(tmp_path / name)
    assert status == 3
    assert words in err


def test_a_zombie_has_nothing_to_restart():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    status, err = doctor(pid)
    os.waitpid(pid, 0)
    assert status == 3
    assert "has ended" in err


def test_unix_listener_without_its_path(tmp_path):
    path = tmp_path / "socket"
    with running([DEMO, "--listen", f"unix:{path}"], "serving") as server:
        path.unlink()
        status, result = doctor(server.pid)
        assert status == 1
        assert levels(result, "listener") == {"bad"}


def test_control_socket_leads_to_its_server(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as control:
        control.bind(str(tmp_path / "control"))
        control.listen(1)
        status, result = doctor(tmp_path / "control")
        assert result["pid"] == os.getpid()


@pytest.mark.parametrize("target", ["/no/such/file", "4194304", "0"])
def test_nobody_there(target):
    done = subprocess.run([HOTSTART, "doctor", target], capture_output=True, text=True)
    assert done.returncode == 3
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(os.getuid() != 0, reason="only root can ask as somebody else")
def test_somebody_elses_process_is_not_judged():
    """What cannot be seen is not said to be wrong."""
    with demo() as server, open(HOTSTART, "rb") as program:
        done = subprocess.run([f"/proc/self/fd/{program.fileno()}", "doctor", str(server.pid)],
                              capture_output=True, text=True, user=65534, group=65534, extra_groups=[],
                              pass_fds=[program.fileno()])
    assert done.returncode == 3 and done.stdout == ""
    assert "Permission denied; ask as the user" in done.stderr


def test_system_alone():
    done = subprocess.run([HOTSTART, "doctor", "--all"], capture_output=True, text=True)
    assert done.returncode in (0, 1)
    assert "somaxconn" in done.stdout


def test_it_changes_nothing():
    with demo() as server:
        before = sorted(os.listdir(f"/proc/{server.pid}/fd"))
        doctor(server.pid)
        assert sorted(os.listdir(f"/proc/{server.pid}/fd")) == before
        assert pathlib.Path(f"/proc/{server.pid}").exists()
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=30) == 0
