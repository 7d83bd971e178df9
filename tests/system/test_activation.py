# SPDX-License-Identifier: MIT
"""Sockets from a service manager: LISTEN_FDS, by systemd's own tool and by hand."""

import os
import shutil
import socket

import pytest

from process import inheriting
from server import DEMO, Client, Server, bound_address
from test_inherit import listener
from waiting import wait_until

ACTIVATE = shutil.which("systemd-socket-activate")
needs_activate = pytest.mark.skipif(ACTIVATE is None, reason="no systemd-socket-activate")


def free_ports(number):
    """Ports that were free a moment ago."""
    sockets = [listener() for _ in range(number)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def activated(household, ports, *options, program=(DEMO,)):
    log = household.log(f"activate-{len(household.servers)}.log")
    argv = [ACTIVATE]
    for port in ports:
        argv += ["-l", f"127.0.0.1:{port}"]
    process = household.start([*argv, *options, *program], log)
    server = Server(process, log, (socket.AF_INET, ("127.0.0.1", ports[0])))
    household.servers.append(server)
    wait_until(lambda: not server.refuses(), "it listens", None, [log.watch, process])
    answer = server.get("/generation")
    assert (answer.status, answer.generation) == (200, 1)
    assert answer.pid == process.pid
    return server


def bound_ports(process):
    return sorted({bound_address(process, row)[1][1] for row in process.listeners()})


@needs_activate
def test_it_serves_on_listen_fds_and_restarts(household):
    ports = free_ports(1)
    server = activated(household, ports)
    for _ in range(2):
        server.restart()
        assert bound_ports(server.current) == ports
        server.retire_predecessors()


@needs_activate
def test_it_serves_on_two_and_both_stay(household):
    ports = sorted(free_ports(2))
    server = activated(household, ports)
    for generation in (1, 2, 3):
        for port in ports:
            with Client((socket.AF_INET, ("127.0.0.1", port))) as client:
                assert client.get("/generation", ["Connection: close"]).generation == generation
        assert bound_ports(server.current) == ports
        server.restart()


@needs_activate
@pytest.mark.parametrize("name", ["http", "anything-else", "with space"])
def test_a_name_for_the_socket_changes_nothing(household, name):
    ports = free_ports(1)
    server = activated(household, ports, f"--fdname={name}")
    for _ in range(2):
        server.restart()
        assert bound_ports(server.current) == ports
        assert server.current.environ()["LISTEN_FDNAMES"]


@needs_activate
def test_the_address_that_was_asked_for_is_the_configured_socket(household):
    """A unit's socket is at another address than the program's own option says: the unit wins."""
    ports = free_ports(1)
    (other,) = free_ports(1)
    server = activated(household, ports, program=(DEMO, "--listen", f"127.0.0.1:{other}"))
    server.restart()
    assert bound_ports(server.current) == ports


def test_a_unix_listener_from_the_manager(demo, tmp_path):
    path = str(tmp_path / "socket")
    with listener(socket.AF_UNIX, path) as given:
        server = demo(
            listen=[], **inheriting(given.fileno(), LISTEN_FDS="1", LISTEN_PID="PID")
        )
    for _ in range(2):
        server.restart()
        assert server.address == (socket.AF_UNIX, path)
    server.stop()
    # It is the manager's path, not ours.
    assert os.path.exists(path)


def test_a_blocking_listener_from_the_manager_is_polled(demo):
    with listener() as given:
        assert given.getblocking()
        server = demo(listen=[], **inheriting(given.fileno(), LISTEN_FDS="1", LISTEN_PID="PID"))
        assert server.current.listeners()[0].access == "u"
        flags = server.current.flags(server.current.listeners()[0].number)
    assert flags & os.O_NONBLOCK
    server.restart()


