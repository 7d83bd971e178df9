# SPDX-License-Identifier: MIT
"""Malformed and hostile requests, from tables (hostile.py): each gets what it deserves, none hangs, none
takes the server with it. One server for each table: what one request leaves behind meets the next."""

import contextlib
import re
import select
import socket

import pytest

import hostile
from hostile import OK


def statuses(data):
    return [int(s) for s in re.findall(rb"HTTP/1\.1 (\d{3}) ", data)]


def read_to_end(client):
    data = b""
    while piece := client.socket.recv(65536):
        data += piece
    return data


def ask(server, data, end=False):
    """Everything that is answered to `data`, up to the server's end."""
    with server.connect() as client:
        client.send(data)
        if end:
            client.socket.shutdown(socket.SHUT_WR)
        return read_to_end(client)


def in_pieces(server, data, size):
    """As ask(), but the server reads again and again."""
    with server.connect() as client:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(data), size):
            client.send(data[at:at + size])
            if select.select([client.socket], [], [], 0)[0]:
                break
        return read_to_end(client)


def expect_alive(server):
    pid = server.current.pid
    assert server.get("/test").pid == pid, "the process that was there before"


def test_the_corpus_is_as_large_as_promised():
    names = [name for name, *_ in hostile.REFUSED + hostile.TRUNCATED]
    assert len(names) >= 150 and len(set(names)) == len(names)


GROUPS = sorted({name.split(":")[0] for name, _, _ in hostile.REFUSED})


@pytest.mark.parametrize("group", GROUPS)
def test_what_is_malformed_is_refused_and_nothing_behind_it_is_answered(demo, group):
    server = demo()
    wrong = []
    for name, data, allowed in hostile.REFUSED:
        if not name.startswith(group + ":"):
            continue
        answer = ask(server, OK + data + OK)
        found = statuses(answer)
        if len(found) != 2 or found[0] != 200 or found[1] not in allowed:
            wrong.append(f"{name}: {found}, not {allowed}")
        elif b"\r\nConnection: close\r\n" not in answer:
            wrong.append(f"{name}: refused without saying that the connection ends")
    assert not wrong, "\n".join(wrong)
    expect_alive(server)


@pytest.mark.parametrize("size", [1, 7])
def test_it_does_not_matter_in_which_pieces_it_comes(demo, size):
    server = demo()
    wrong = []
    for name, data, allowed in hostile.REFUSED:
        if len(data) > 400:
            continue
        found = statuses(in_pieces(server, data, size))
        if len(found) != 1 or found[0] not in allowed:
            wrong.append(f"{name}: {found}, not {allowed}")
    assert not wrong, "\n".join(wrong)
    expect_alive(server)


def test_what_is_cut_short_is_refused_or_closed(demo):
    server = demo()
    wrong = []
    for name, data in hostile.TRUNCATED:
        found = statuses(ask(server, data, end=True))
        if found not in ([], [400]):
            wrong.append(f"{name}: {found}")
    assert not wrong, "\n".join(wrong)
    expect_alive(server)


def test_what_is_reset_takes_nobody_with_it(demo):
    """The client is gone, with a reset, in the middle of everything."""
    server = demo()
    for _, data in hostile.TRUNCATED:
        with server.connect() as client:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.send(data)
    expect_alive(server)


def test_what_is_odd_but_right_is_answered(demo):
    server = demo()
    wrong = []
    for name, data, status in hostile.TAKEN:
        found = statuses(ask(server, data, end=True))
        if found != [status]:
            wrong.append(f"{name}: {found}, not {status}")
    assert not wrong, "\n".join(wrong)


def test_options_for_the_server_names_its_methods(demo):
    answer = ask(demo(), b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    allow = re.search(rb"\r\nAllow: ([^\r]*)\r\n", answer)[1].decode().split(", ")
    assert sorted(allow) == ["GET", "HEAD", "POST", "PUT"]
    assert b"\r\nContent-Length: 0\r\n" in answer


# -- slow ones: each would like to keep its connection for ever --

SLOW = [
    ("silence", b"", b"", []),
    ("a head that stops", b"GET /test HTTP/1.1\r\nHo", b"", [408]),
    ("a head that dribbles", b"GET /test HTTP/1.1\r\nHost: a\r\n", b"B: c\r\n", [408]),
    ("empty lines that dribble", b"", b"\r\n", [408]),
    ("a body that stops", hostile.POST + b"Content-Length: 5\r\n\r\nhel", b"", [408]),
    ("a body that dribbles", hostile.POST + b"Content-Length: 10000\r\n\r\n", b"x", [408]),
    ("chunks that dribble", hostile.CHUNKED, b"1\r\nx\r\n", [408]),
    ("an extension that dribbles", hostile.CHUNKED + b"1;", b"a", [408]),
    ("trailers that dribble", hostile.CHUNKED + b"0\r\n", b"B: c\r\n", [408]),
]


@pytest.mark.parametrize("_, start, dribble, expected", SLOW, ids=[name for name, *_ in SLOW])
def test_what_is_slow_is_ended(demo, _, start, dribble, expected):
    server = demo("--head-timeout", 0.3, "--read-timeout", 0.4, "--idle-timeout", 0.3)
    with server.connect() as client:
        client.send(start)
        while not select.select([client.socket], [], [], 0.05)[0]:
            if dribble:
                client.send(dribble)
        assert statuses(read_to_end(client)) == expected


def test_many_slow_clients_keep_nobody_waiting(demo):
    """Slowloris: hundreds of heads that never end, while others are served as ever."""
    server = demo("--head-timeout", 2)
    slow = [server.connect() for _ in range(300)]
    for client in slow:
        client.send(b"GET /test HTTP/1.1\r\nHost: a\r\n")
    for _ in range(20):
        assert server.get("/test").status == 200
    for client in slow:
        assert statuses(read_to_end(client)) == [408]
        client.close()


# A read of these gets less than is there, which must not be taken for all of it.


@contextlib.contextmanager
def frozen(process):
    process.freeze()
    try:
        yield
    finally:
        process.thaw()


@pytest.mark.parametrize("last", [False, True], ids=["and more", "and the end"])
def test_an_urgent_byte_keeps_nothing_behind_it(demo, last):
    server = demo()
    with server.connect() as client:
        client.send(b"GET /test HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.answer().status == 200
        with frozen(server.current):
            client.send(b"GET /test HTTP/1.1\r\nHost: a\r\n")
            client.socket.send(b"!", socket.MSG_OOB)
            client.send(b"Connection: close\r\n\r\n")
            if last:
                client.socket.shutdown(socket.SHUT_WR)
        assert statuses(read_to_end(client)) == [200]


def test_a_descriptor_that_comes_along_keeps_nothing_behind_it(demo, tmp_path):
    path = str(tmp_path / "socket")
    server = demo(listen=[f"unix:{path}"], address=(socket.AF_UNIX, path))
    with server.connect() as client:
        client.send(b"GET /test HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.answer().status == 200
        with frozen(server.current):
            socket.send_fds(client.socket, [b"GET /test HTTP/1.1\r\nHost: a\r\n"], [client.socket.fileno()])
            client.send(b"Connection: close\r\n\r\n")
        assert statuses(read_to_end(client)) == [200]
