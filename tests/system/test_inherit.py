# SPDX-License-Identifier: MIT
"""What is announced and is not what it should be: a clear error, nothing harmed."""

import fcntl
import os
import signal
import socket

import pytest

from process import inheriting


def listener(family=socket.AF_INET, name=("127.0.0.1", 0)):
    found = socket.socket(family, socket.SOCK_STREAM)
    found.bind(name)
    found.listen(16)
    return found


class JunkFile:
    """A file, in the middle of being written."""

    def __init__(self, directory):
        self.fd = os.open(directory / "precious", os.O_RDWR | os.O_CREAT, 0o600)
        os.write(self.fd, b"precious words")
        os.lseek(self.fd, 5, os.SEEK_SET)
        self.flags = fcntl.fcntl(self.fd, fcntl.F_GETFL)

    def check(self):
        assert os.lseek(self.fd, 0, os.SEEK_CUR) == 5
        assert fcntl.fcntl(self.fd, fcntl.F_GETFL) == self.flags
        assert os.pread(self.fd, 100, 0) == b"precious words"

    def close(self):
        os.close(self.fd)


class JunkPipe:
    """The writing end of a pipe that somebody reads."""

    def __init__(self, _):
        self.reader, self.fd = os.pipe()
        os.write(self.fd, b"before ")
        self.flags = fcntl.fcntl(self.fd, fcntl.F_GETFL)

    def check(self):
        assert fcntl.fcntl(self.fd, fcntl.F_GETFL) == self.flags
        os.write(self.fd, b"after")
        assert os.read(self.reader, 100) == b"before after"

    def close(self):
        os.close(self.fd)
        os.close(self.reader)


class JunkConnection:
    """One end of an established TCP connection, with bytes waiting."""

    def __init__(self, _):
        with listener() as server:
            self.peer = socket.create_connection(server.getsockname())
            self.socket, _ = server.accept()
        self.fd = self.socket.fileno()
        self.peer.sendall(b"waiting")
        self.flags = fcntl.fcntl(self.fd, fcntl.F_GETFL)

    def check(self):
        assert fcntl.fcntl(self.fd, fcntl.F_GETFL) == self.flags
        self.socket.sendall(b"still open")
        assert self.peer.recv(100) == b"still open"
        assert self.socket.recv(100) == b"waiting"

    def close(self):
        self.socket.close()
        self.peer.close()


class JunkBound:
    """A socket that is bound and does not listen."""

    def __init__(self, _):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.fd = self.socket.fileno()

    def check(self):
        assert self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 0

    def close(self):
        self.socket.close()


class Nothing:
    fd = None

    def __init__(self, _):
        pass

    def check(self):
        pass

    def close(self):
        pass


JUNK = {
    JunkFile: "not a socket",
    JunkPipe: "not a socket",
    JunkConnection: "does not listen",
    JunkBound: "does not listen",
    Nothing: "not open",
}
ANNOUNCED = {
    "HOT_CONTINUE": {"HOT_CONTINUE": "1"},
    "LISTEN_FDS": {"LISTEN_FDS": "1", "LISTEN_PID": "PID"},
}


def failing(demo, *options, **kwargs):
    """Start the demo, which must end with an error; return what it said."""
    server = demo(*options, ready=False, **kwargs)
    server.stopped = True
    status = server.first.wait_exit()
    text = server.log.text()
    assert status is not None and 0 < status < 128, f"exit status {status}:\n{text}"
    assert text.strip(), "it failed without a word"
    return text


@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: junk.__name__)
@pytest.mark.parametrize("variable", ANNOUNCED)
def test_junk_at_descriptor_three_is_an_error_and_is_not_harmed(
    demo, tmp_path, sigterm_blocked, junk, variable
):
    there = junk(tmp_path)
    try:
        text = failing(demo, **inheriting(there.fd, **ANNOUNCED[variable]))
        there.check()
    finally:
        there.close()
    assert signal.SIGTERM not in signal.sigpending(), "it told its parent to go"
    assert "descriptor 3" in text and variable in text and JUNK[junk] in text, text


def test_the_second_of_two_announced_descriptors_is_checked_too(demo, tmp_path):
    junk = JunkFile(tmp_path)
    with listener() as good:
        flags = fcntl.fcntl(good, fcntl.F_GETFL)
        text = failing(
            demo, **inheriting(good.fileno(), junk.fd, LISTEN_FDS="2", LISTEN_PID="PID")
        )
        assert fcntl.fcntl(good, fcntl.F_GETFL) == flags
        with socket.create_connection(good.getsockname()):
            good.accept()[0].close()
    junk.check()
    junk.close()
    assert "descriptor 4" in text and "not a socket" in text, text


@pytest.mark.parametrize(
    "variables,name",
    [
        ({"LISTEN_FDS": "many", "LISTEN_PID": "PID"}, "LISTEN_FDS"),
        ({"LISTEN_FDS": "-1", "LISTEN_PID": "PID"}, "LISTEN_FDS"),
        ({"LISTEN_FDS": "99999999999999999999", "LISTEN_PID": "PID"}, "LISTEN_FDS"),
        ({"LISTEN_FDS": "1", "LISTEN_PID": "0x10"}, "LISTEN_PID"),
        ({"HOT_CHANNEL": "three"}, "HOT_CHANNEL"),
        ({"HOT_CHANNEL": "99", "LISTEN_FDS": "1"}, "HOT_CHANNEL"),
        ({"HOT_CHANNEL": "3", "HOT_GENERATION": "minus"}, "HOT_GENERATION"),
    ],
)
def test_a_malformed_variable_is_named(demo, variables, name):
    with listener() as good:
        text = failing(demo, **inheriting(good.fileno(), **variables))
    assert name in text, text


def test_listen_fds_for_another_process_is_ignored(demo, tmp_path):
    junk = JunkFile(tmp_path)
    server = demo(**inheriting(junk.fd, LISTEN_FDS="1", LISTEN_PID=str(os.getpid())))
    assert server.get("/test").status == 200
    server.restart()
    junk.check()
    junk.close()


@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: junk.__name__)
def test_junk_as_channel_is_an_error_and_is_not_harmed(demo, tmp_path, junk):
    there = junk(tmp_path)
    try:
        with listener() as good:
            variables = {"LISTEN_FDS": "1", "HOT_CHANNEL": "4", "HOT_GENERATION": "2"}
            text = failing(demo, **inheriting(good.fileno(), there.fd, **variables))
        there.check()
    finally:
        there.close()
    assert "descriptor 4" in text and "HOT_CHANNEL" in text, text


def test_an_address_in_use_names_the_holder(demo):
    with listener() as holder:
        port = holder.getsockname()[1]
        text = failing(demo, listen=[f"127.0.0.1:{port}"])
    with open("/proc/self/comm", encoding="utf-8") as file:
        name = file.read().strip()
    assert "address in use" in text, text
    assert str(os.getpid()) in text and name in text and str(port) in text, text


def test_an_address_in_use_names_another_demo(demo):
    server = demo()
    port = server.address[1][1]
    text = failing(demo, listen=[f"tcp://127.0.0.1:{port}"])
    assert "address in use" in text and str(server.current.pid) in text and "demo" in text, text


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:99999", "tcp://", "unix:", "-1"])
def test_an_address_that_is_none_is_refused(demo, address):
    text = failing(demo, listen=[address])
    assert "listen" in text.lower(), text


def test_an_unknown_option_is_refused_with_a_hint(demo):
    text = failing(demo, "--no-such-option")
    assert "--no-such-option" in text
