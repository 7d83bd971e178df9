# SPDX-License-Identifier: MIT
"""Every kind of listener through restarts."""

import os
import socket

import pytest

from server import Client, bound_address
from waiting import wait_until


def through_restarts(server, number=3):
    inodes = {row.target for row in server.current.listeners()}
    assert len(inodes) == 1
    for _ in range(number):
        server.restart()
        assert {row.target for row in server.current.listeners()} == inodes
        server.retire_predecessors()
        assert server.get("/generation").generation == server.generation


def test_a_unix_path_survives_the_old_generations(demo, tmp_path):
    path = str(tmp_path / "demo.sock")
    server = demo(listen=[f"unix:{path}"], address=(socket.AF_UNIX, path))
    through_restarts(server)
    assert server.stop() == 0
    assert not os.path.exists(path)


def test_a_stale_unix_path_is_replaced_and_a_live_one_is_not(demo, tmp_path):
    path = str(tmp_path / "demo.sock")
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(path)
    server = demo(listen=[f"unix:{path}"], address=(socket.AF_UNIX, path))
    assert server.get("/test").status == 200
    second = demo(listen=[f"unix:{path}"], ready=False)
    second.stopped = True
    assert second.first.wait_exit() != 0
    assert "address in use" in second.log.text()
    through_restarts(server, 1)


def test_a_path_that_was_replaced_is_left_to_its_new_owner(demo, tmp_path):
    path = str(tmp_path / "demo.sock")
    server = demo(listen=[f"unix:{path}"], address=(socket.AF_UNIX, path))
    os.unlink(path)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(path)
        other.listen()
        server.stopped = True
        server.current.signal(15)
        assert server.current.wait_exit() == 0
        assert os.path.exists(path)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)


def test_an_abstract_name(demo):
    name = f"@hotstart-test-{os.getpid()}"
    server = demo(listen=[f"unix:{name}"])
    assert server.address == (socket.AF_UNIX, b"\0" + name[1:].encode())
    through_restarts(server)


@pytest.mark.parametrize("address,host", [("tcp://[::1]:0", "::1"), ("[::1]:0", "::1")])
def test_ipv6(demo, address, host):
    server = demo(listen=[address])
    assert server.address[0] == socket.AF_INET6 and server.address[1][0] == host
    through_restarts(server)


def test_all_addresses_are_both_families(demo):
    server = demo(listen=[":0"])
    port = server.address[1][1]
    through_restarts(server)
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with Client((family, (host, port))) as client:
            assert client.get("/test", ["Connection: close"]).status == 200


def test_two_listeners(demo, tmp_path):
    path = str(tmp_path / "demo.sock")
    server = demo(listen=["127.0.0.1:0", f"unix:{path}"])
    for generation in (1, 2, 3, 4):
        rows = {row.target: row for row in server.current.listeners()}
        assert len(rows) == 2
        for row in rows.values():
            with Client(bound_address_or(server.current, row, path)) as client:
                answer = client.get("/generation", ["Connection: close"])
                assert answer.generation == generation
        if generation < 4:
            server.restart()
            server.retire_predecessors()
    assert server.stop() == 0
    assert not os.path.exists(path)


def bound_address_or(process, row, path):
    """A UNIX socket's own name is the temporary one that it was bound under."""
    family, name = bound_address(process, row)
    return (family, path if family == socket.AF_UNIX else name)


def test_a_listener_that_is_new_in_the_next_release_is_bound_there(demo, releases, tmp_path):
    """Options are those of the start: the release is a script that adds one."""
    real = releases.path("release-1")
    server = demo(program=releases.current)
    path = str(tmp_path / "new.sock")
    releases.shell("release-2", f'exec "{real}" "$@" --listen "unix:{path}"')
    releases.switch("release-2")
    server.restart()
    with Client((socket.AF_UNIX, path)) as client:
        assert client.get("/generation", ["Connection: close"]).generation == 2
    assert server.get("/generation").generation == 2


def test_a_listener_that_the_next_release_drops_is_closed(demo, releases, tmp_path):
    real = releases.path("release-1")
    path = str(tmp_path / "dropped.sock")
    server = demo(listen=["127.0.0.1:0", f"unix:{path}"], program=releases.current)
    releases.shell("release-2", f'exec "{real}" --listen 127.0.0.1:0')
    releases.switch("release-2")
    server.restart()
    server.retire_predecessors()
    # The new one holds copies for as long as the old one needs them, and hears of its end a moment later.
    wait_until(lambda: len({row.target for row in server.current.listeners()}) == 1,
               "it has one listener")
    with pytest.raises((ConnectionRefusedError, FileNotFoundError)):
        Client((socket.AF_UNIX, path))
