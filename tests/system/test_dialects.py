# SPDX-License-Identifier: MIT
"""What others announce: every dialect is served, and what is no listener is left alone."""

import fcntl
import os
import socket

import pytest

from process import inheriting
from test_inherit import JUNK, JunkFile, failing, listener

# The listener is descriptor 5; 3 and 4 are nothing of ours.
DIALECTS = {
    "SERVER_STARTER_PORT": lambda port: {
        "SERVER_STARTER_PORT": f"127.0.0.1:{port}=5",
        "SERVER_STARTER_GENERATION": "3",
    },
    "EINHORN_FD_COUNT": lambda port: {
        "EINHORN_FD_COUNT": "1",
        "EINHORN_FD_0": "5",
        "EINHORN_MASTER_PID": str(os.getpid()),
        "EINHORN_SOCK_PATH": "/nowhere",
    },
    "UNICORN_FD": lambda port: {"UNICORN_FD": "5"},
    "GUNICORN_FD": lambda port: {"GUNICORN_FD": "5", "GUNICORN_PID": str(os.getpid())},
    "NGINX": lambda port: {"NGINX": "5;"},
    "LISTEN_FDS": lambda port: {
        "LISTEN_FDS": "1",
        "LISTEN_PID": "PID",
        "LISTEN_FDS_FIRST_FD": "5",
    },
}


@pytest.mark.parametrize("variable", DIALECTS)
def test_a_listener_that_others_announce_is_served(demo, tmp_path, variable):
    junk = JunkFile(tmp_path)
    with listener() as given:
        port = given.getsockname()[1]
        variables = DIALECTS[variable](port)
        server = demo(
            listen=[f"127.0.0.1:{port}"],
            address=(socket.AF_INET, given.getsockname()),
            **inheriting(junk.fd, junk.fd, given.fileno(), **variables),
        )
        inode = os.readlink(f"/proc/self/fd/{given.fileno()}")
    assert {row.target for row in server.current.listeners()} == {inode}
    assert server.get("/generation").generation == 1
    successor = server.restart()
    assert {row.target for row in successor.listeners()} == {inode}
    left = set(variables) & set(successor.environ())
    assert left <= {"LISTEN_FDS", "LISTEN_PID"}
    junk.check()
    junk.close()


@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: junk.__name__)
@pytest.mark.parametrize("variable", DIALECTS)
def test_junk_that_others_announce_is_an_error_and_is_not_harmed(demo, tmp_path, variable, junk):
    there = junk(tmp_path)
    try:
        text = failing(demo, **inheriting(None, None, there.fd, **DIALECTS[variable](80)))
        there.check()
    finally:
        there.close()
    assert "descriptor 5" in text and variable in text and JUNK[junk] in text, text


@pytest.mark.parametrize(
    "variables,name",
    [
        ({"SERVER_STARTER_PORT": "80=3;81=3"}, "SERVER_STARTER_PORT"),
        ({"EINHORN_FD_COUNT": "2", "EINHORN_FD_0": "3"}, "EINHORN_FD_COUNT"),
        ({"UNICORN_FD": "3,3"}, "UNICORN_FD"),
        ({"GUNICORN_FD": "three"}, "GUNICORN_FD"),
        ({"NGINX": "3;2;"}, "NGINX"),
        ({"LISTEN_FDS": "1", "LISTEN_PID": "PID", "LISTEN_PIDFDID": "x"}, "LISTEN_PIDFDID"),
        ({"LISTEN_FDS": "1", "LISTEN_PID": "PID", "LISTEN_FDS_FIRST_FD": "1"},
         "LISTEN_FDS_FIRST_FD"),
    ],
)
def test_a_malformed_list_is_named_and_nobody_is_harmed(demo, variables, name):
    with listener() as good:
        flags = fcntl.fcntl(good, fcntl.F_GETFL)
        text = failing(demo, **inheriting(good.fileno(), **variables))
        assert fcntl.fcntl(good, fcntl.F_GETFL) == flags
    assert name in text, text


def pidfds_have_numbers():
    """Without pidfs (before Linux 6.9) all of them are one inode."""
    ours, others = os.pidfd_open(os.getpid()), os.pidfd_open(1)
    try:
        return os.fstat(ours).st_ino != os.fstat(others).st_ino
    finally:
        os.close(ours)
        os.close(others)


@pytest.mark.parametrize(
    "variables",
    [
        {"EINHORN_FD_COUNT": "1", "EINHORN_FD_0": "3", "EINHORN_MASTER_PID": "1"},
        {"NGINX": "/usr/sbin/nginx"},
        {"LISTEN_FDS": "1", "LISTEN_PID": "PID", "LISTEN_PIDFDID": "1"},
    ],
    ids=lambda variables: "-".join(variables),
)
def test_what_is_not_meant_for_us_is_ignored(demo, tmp_path, variables):
    if "LISTEN_PIDFDID" in variables and not pidfds_have_numbers():
        pytest.skip("this kernel gives no pidfd a number of its own")
    junk = JunkFile(tmp_path)
    server = demo(**inheriting(junk.fd, **variables))
    assert server.get("/test").status == 200
    junk.check()
    junk.close()
